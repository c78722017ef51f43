import type {
  Architecture,
  ArchitectureReplay,
  ArchitectureRequest,
  ArchitectureResult,
  RunSetting,
} from "../architectures/architecture.ts";
import { formatKernelVersion } from "../policies/kernel-version.ts";
import { explainX86 } from "./explain.ts";
import { X86_POLICIES } from "./policies/registry.ts";
import { selectX86Policies } from "./policies/select.ts";
import { presentFormOf, x86PolicyOfKernel } from "./policies/version-map.ts";
import { X86_KNOBS, X86_WALK } from "./refills.ts";
import { X86Replay } from "./replay.ts";

const FLUSH_FUNCTION = "kvm_flush_remote_tlbs";

/** The TDP MMU of x86 guests. */
export const X86: Architecture = {
  id: "x86",
  label: "x86 KVM",
  events:
    /^(kvm_tdp_mmu_\w+|kvm_mmu_(get|prepare_zap|sync|unsync)_page|kvm_mmu_(set_spte|spte_requested|zap_all_fast|split_huge_page)|fast_page_fault|kvm_(apic|cpuid|cr|eoi|msr|pio))$/,
  kinds: [
    "spte_changed",
    "tdp_map",
    "set_spte",
    "fast_page_fault",
    "zap_collapsible",
    "recover_huge_pages",
    "slot_wrprotect",
    "zap_root",
  ],
  machine: /\bx86_64\b/,
  policies: X86_POLICIES,
  tlb: { walk: X86_WALK, knobs: X86_KNOBS },
  start: startX86,
};

function startX86(request: ArchitectureRequest): ArchitectureReplay {
  const { kernel, kernelOrigin, diagnostics, compare, operationsOnly } = request;
  const recorded = kernel === undefined ? undefined : x86PolicyOfKernel(kernel);
  const policies = selectX86Policies(request, recorded);
  const replay = new X86Replay(
    {
      policies,
      compare,
      operationsOnly,
      presentForm: kernel === undefined ? undefined : presentFormOf(kernel),
      flushesProbed: request.probedFunctions?.includes(FLUSH_FUNCTION),
    },
    diagnostics,
    undefined,
    request.tlb,
  );
  const settings: RunSetting[] = [
    {
      name: "kernel",
      value: kernel === undefined ? null : formatKernelVersion(kernel),
      origin: kernelOrigin,
    },
    { name: "page_size_bytes", value: 4096, origin: "x86" },
  ];
  return {
    policies,
    recordedPolicy: recorded?.id,
    settings,
    assumptions: assumptionsOf(request),
    consume: (batch) => {
      replay.consume(batch);
    },
    finish: (): ArchitectureResult => {
      const result = replay.finish();
      return {
        flushes: result.flushes,
        instructions: [],
        fits: result.fits,
        primitivesRecorded: result.flushesRecorded,
        refills: result.refills,
        operations: result.operations,
        explanations: (ids) => explainX86(result, policies, recorded, request, ids),
      };
    },
  };
}

function assumptionsOf({ kernel }: ArchitectureRequest): readonly string[] {
  const assumptions = [
    "a flush is of the whole VM and interrupts each vCPU that runs: no range is flushed unless `hyperv` is set",
  ];
  if (kernel === undefined) {
    assumptions.push(
      "the recorded kernel is not known (--kernel): how entries are marked is taken from the first table that is linked",
    );
  } else if (x86PolicyOfKernel(kernel) === undefined) {
    assumptions.push(`${formatKernelVersion(kernel)} has no TDP MMU: no policy is its own`);
  }
  return assumptions;
}
