import type { HostFacts } from "../ingest/beside/host-facts.ts";
import type { EventKindName } from "../ingest/events/kinds.ts";

/** Tracepoints and functions that only x86 KVM has; arm64 has functions of its own that begin with kvm_mmu_. */
const X86_EVENT =
  /^(kvm_tdp_mmu_\w+|kvm_mmu_(get|prepare_zap|sync|unsync)_page|kvm_mmu_(set_spte|spte_requested|zap_all_fast)|fast_page_fault|kvm_(apic|cpuid|cr|eoi|msr|pio))$/;

/** Kinds that only functions and tracepoints of arm64 KVM have. */
const ARM64_KINDS: readonly EventKindName[] = [
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
];

export interface ArchitectureFound {
  readonly architecture: "arm64" | "x86" | "unknown";
  /** What tells it, in words. */
  readonly because: string;
}

/**
 * Whose KVM recorded the trace.
 * @param kinds of its events, where they are known.
 */
export function architectureOf(
  eventNames: Iterable<string>,
  facts: HostFacts,
  kinds?: ReadonlyMap<EventKindName, number>,
): ArchitectureFound {
  const armKind = ARM64_KINDS.find((kind) => (kinds?.get(kind) ?? 0) > 0);
  if (armKind !== undefined) return { architecture: "arm64", because: `it has ${armKind} events` };
  const x86Name = [...eventNames].find((event) => X86_EVENT.test(event));
  if (x86Name !== undefined) return { architecture: "x86", because: `it has ${x86Name} events` };
  const version = facts.kernelVersionText;
  if (/\bx86_64\b/.test(version?.value ?? "")) {
    return { architecture: "x86", because: `${version!.origin} says x86_64` };
  }
  if (/\baarch64\b/.test(version?.value ?? "")) {
    return { architecture: "arm64", because: `${version!.origin} says aarch64` };
  }
  return { architecture: "unknown", because: "neither its events nor a file beside it tell" };
}
