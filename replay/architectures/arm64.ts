import { POLICIES } from "../policies/registry.ts";
import type { Architecture } from "./architecture.ts";

/** Stage 2 of arm64 guests: `replay/` itself. */
export const ARM64: Architecture = {
  id: "arm64",
  label: "arm64 KVM",
  // What its functions and tracepoints mean tells it; a name alone could be anybody's.
  events: /(?!)/,
  kinds: [
    "map",
    "unmap",
    "wrprotect",
    "relax_perms",
    "split",
    "apply_range",
    "unmap_range",
    "free_pgd",
    "guest_fault",
    "hw_vmid",
    "hw_vmid_ipa",
    "hw_vmid_ipa_nsh",
    "hw_vmid_range",
    "hw_cpu_context",
  ],
  machine: /\baarch64\b/,
  policies: POLICIES,
};
