import type { Release } from "./kernel-release.ts";
import type { RecordedFunction, RecordedShape } from "./recorded-probes.ts";

/** Functions without which the flushes of an x86 host cannot be counted. */
const NEEDED: ReadonlySet<string> = new Set(["kvm_flush_remote_tlbs"]);

/** A function that is probed under its own name. */
export function probe(
  symbol: string,
  params: string,
  ...shapes: readonly RecordedShape[]
): RecordedFunction {
  const needed = NEEDED.has(symbol) ? { neededSince: "5.10" as const } : {};
  return { name: symbol, symbol, params, shapes, ...needed };
}

/** Arguments since a release, seen up to another one where they change later. */
export function at(since: Release, fetch: string, seenUntil?: Release): RecordedShape {
  return seenUntil === undefined ? { since, fetch } : { since, fetch, seenUntil };
}

/** Guest frames of the memslot that a register points to. */
export function slotAt(register: string): string {
  return `base_gfn=+{kvm_memory_slot.base_gfn}(${register}):x64 npages=+{kvm_memory_slot.npages}(${register}):x64`;
}

/** Guest frames of the `struct kvm_gfn_range` that a register points to. */
export function rangeAt(register: string): string {
  return `start=+{kvm_gfn_range.start}(${register}):x64 end=+{kvm_gfn_range.end}(${register}):x64`;
}
