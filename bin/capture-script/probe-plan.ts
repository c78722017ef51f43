import {
  type FunctionMeaning,
  meaningOfReturn,
  meaningOfSymbol,
} from "../../ingest/vocabulary/functions.ts";
import { compareReleases, isSince } from "../../ingest/vocabulary/kernel-release.ts";
import { ARM64_FUNCTIONS } from "../../ingest/vocabulary/recorded-arm64.ts";
import {
  NESTED_FUNCTIONS,
  NESTED_RETURNS,
  NESTED_VMID,
} from "../../ingest/vocabulary/recorded-nested.ts";
import {
  type FetchForms,
  type RecordedFunction,
  fetchIn,
  formsOf,
} from "../../ingest/vocabulary/recorded-probes.ts";
import { X86_FUNCTIONS, X86_RETURNS } from "../../ingest/vocabulary/recorded-x86.ts";
import { roleOfArgument } from "../../ingest/vocabulary/roles.ts";
import { parseKernelVersion } from "../../replay/policies/kernel-version.ts";
import type { CapturePlan } from "./capture-plan.ts";

/** One probe of a recording script. */
export interface PlannedProbe {
  readonly name: string;
  readonly symbol: string;
  readonly isReturn: boolean;
  /** The replay cannot do without it. */
  readonly isNeeded: boolean;
  readonly isPrimitive: boolean;
  /** Name of the probe that this one stands in for. */
  readonly insteadOf: string | undefined;
  readonly forms: FetchForms;
}

/** Group of the events: that of the captures. */
export function groupOf(plan: CapturePlan): string {
  return plan.arch === "arm64" ? "kvm_s2" : "kvm_x";
}

/** All probes for a kernel, in the order in which they are defined: entries first, then returns. */
export function planProbes(plan: CapturePlan): readonly PlannedProbe[] {
  const functions = functionsOf(plan);
  const entries = functions.map((fn) => entryOf(plan, fn));
  return [...entries, ...functions.flatMap((fn) => returnOf(plan, fn))];
}

function functionsOf(plan: CapturePlan): readonly RecordedFunction[] {
  if (plan.arch === "x86") return X86_FUNCTIONS;
  const all = plan.isNested ? [...ARM64_FUNCTIONS, ...NESTED_FUNCTIONS] : ARM64_FUNCTIONS;
  return all.filter(
    ({ until }) => until === undefined || compareReleases(plan.release, until) <= 0,
  );
}

function entryOf(plan: CapturePlan, fn: RecordedFunction): PlannedProbe {
  const plain = fetchIn(fn, plan.release);
  const fetch = plan.isNested ? withVmid(plain) : plain;
  const meaning = meaningOfSymbol(fn.symbol);
  const suffices = (names: readonly string[]): boolean =>
    meaning === undefined || coversNeeds(meaning, names);
  return {
    name: fn.name,
    symbol: fn.symbol,
    isReturn: false,
    isNeeded: fn.neededSince !== undefined && isSince(plan.release, fn.neededSince),
    isPrimitive: fn.isPrimitive === true,
    insteadOf: fn.insteadOf,
    forms: formsOf(plan.arch, fn, plan.release, fetch, suffices, hasUpstreamStructures(plan)),
  };
}

/** A host of nested guests has many mmus with a VMID each; the probes read it, as in the captures. */
function withVmid(fetch: string): string {
  return fetch
    .replace("obj=%x0:x64", "mmu=%x0:x64")
    .replace(/mmu=%x0:x64(?! vmid=)/, `mmu=%x0:x64 ${NESTED_VMID.ofMmu}`)
    .replace(/(mmu=\+\{kvm_pgtable\.mmu\}\(%x0\):x64)/, `$1 ${NESTED_VMID.ofPgt}`);
}

/** Returns that the vocabulary gives a meaning to, and those that the captures record beside them. */
function returnOf(plan: CapturePlan, fn: RecordedFunction): readonly PlannedProbe[] {
  const found = returnFetch(plan, fn);
  if (found === undefined) return [];
  const isMap = meaningOfSymbol(fn.symbol)?.returnKind === "map_ret";
  return [
    {
      name: found[0],
      symbol: fn.symbol,
      isReturn: true,
      isNeeded: plan.arch === "arm64" && isMap && isSince(plan.release, "5.10"),
      isPrimitive: false,
      insteadOf: undefined,
      forms: { byName: undefined, byOffset: found[1], leftOut: [] },
    },
  ];
}

function returnFetch(
  plan: CapturePlan,
  fn: RecordedFunction,
): readonly [name: string, fetch: string] | undefined {
  if (plan.arch === "x86") {
    const fetch = X86_RETURNS.get(fn.symbol);
    return fetch === undefined ? undefined : [`${fn.name}_ret`, fetch];
  }
  if (plan.isNested && NESTED_RETURNS.has(fn.symbol)) return NESTED_RETURNS.get(fn.symbol);
  const kind = meaningOfSymbol(fn.symbol)?.returnKind;
  return kind === undefined ? undefined : [`${fn.name}_ret`, "ret=$retval:s32"];
}

/** Do arguments of these names give every column that the vocabulary needs of the function? */
export function coversNeeds(meaning: FunctionMeaning, names: readonly string[]): boolean {
  const columns = new Set<string>();
  for (const name of names) {
    const column = roleOfArgument(name, meaning.takes)?.column;
    if (column === undefined) continue;
    if (column === "end") columns.add("len");
    if (column === "arg1+arg2") columns.add("arg1").add("arg2");
    if (["pgt", "mmu", "kvm", "mmu+kvm"].includes(column)) columns.add("context");
    columns.add(column);
  }
  return meaning.needs.every((need) => columns.has(need));
}

/** Distributors that move whole subsystems between releases keep the number and not the structures. */
export function hasUpstreamStructures(plan: CapturePlan): boolean {
  return parseKernelVersion(plan.kernel)?.distributor !== "rhel";
}

/** What is needed of a return's value is part of the vocabulary too: a map that failed changes nothing. */
export function returnCoversNeeds(symbol: string, names: readonly string[]): boolean {
  const kind = meaningOfSymbol(symbol)?.returnKind;
  return kind === undefined || coversNeeds(meaningOfReturn(kind), names);
}
