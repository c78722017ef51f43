import { isAtLeast, type KernelVersion } from "../../policies/kernel-version.ts";
import type { PresentForm } from "../spte.ts";
import {
  X86_COLLAPSIBLE_BATCH,
  X86_COLLAPSIBLE_PER_SPTE,
  X86_ONCE_5_18,
  X86_PER_TABLE_5_10,
} from "./families.ts";
import type { X86Policy, X86PolicyFlags } from "./flags.ts";

interface Rule {
  readonly since: readonly [major: number, minor: number];
  readonly until: readonly [major: number, minor: number];
  readonly flags: Partial<X86PolicyFlags>;
  readonly source: string;
}

/** Where a release differs from its generation; no capture of it was at hand. */
const RULES: readonly Rule[] = [
  {
    since: [5, 13],
    until: [5, 18],
    flags: { collapsible: "each-leaf" },
    source: "until 5ba7c4c6d1c7 each leaf was zapped atomically, with a flush of its own",
  },
  {
    since: [6, 2],
    until: [6, 12],
    flags: { faultSplit: "none" },
    source: "c4b33d28ea66: a fault splits a huge page in place",
  },
];

/** What a kernel does; undefined before 5.10, which has no TDP MMU. */
export function x86PolicyOfKernel(kernel: KernelVersion): X86Policy | undefined {
  const generation = generationOf(kernel);
  if (generation === undefined) return undefined;
  const rules = RULES.filter(
    ({ since, until }) => isAtLeast(kernel, ...since) && !isAtLeast(kernel, until[0], until[1] + 1),
  );
  if (rules.length === 0) return generation;
  return {
    ...generation,
    flags: Object.assign({ ...generation.flags }, ...rules.map(({ flags }) => flags)),
    detail: `${generation.summary}; ${rules.map(({ source }) => source).join("; ")}`,
  };
}

function generationOf(kernel: KernelVersion): X86Policy | undefined {
  if (isAtLeast(kernel, 6, 13)) return X86_COLLAPSIBLE_BATCH;
  if (isAtLeast(kernel, 6, 0)) return X86_COLLAPSIBLE_PER_SPTE;
  if (isAtLeast(kernel, 5, 18)) return X86_ONCE_5_18;
  return isAtLeast(kernel, 5, 10) ? X86_PER_TABLE_5_10 : undefined;
}

/** SPTE_MMU_PRESENT_MASK came with 5.13. */
export function presentFormOf(kernel: KernelVersion): PresentForm {
  return isAtLeast(kernel, 5, 13) ? "bit-11" : "permissions";
}
