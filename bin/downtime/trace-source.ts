import { TraceError } from "../../ingest/errors.ts";
import type { DirtyCurve, TraceInputs, VmInputs } from "../../replay/migration/inputs.ts";
import type { UniqueCurve } from "../../replay/migration/dirty-process.ts";
import type { Ranged } from "../../replay/migration/distribution.ts";
import { resamplePace } from "../../replay/migration/bootstrap.ts";
import type { DirtyLogMode } from "../../replay/migration/vmm.ts";
import { badOption } from "../values.ts";
import type { Given, SourceFacts, Warning } from "./source-facts.ts";

/** The machine that the estimate is about: asked for by number, or the first whose dirty logging is seen. */
export function chooseVm(inputs: TraceInputs, asked: number | undefined, trace: string): VmInputs {
  const { vms } = inputs;
  const numbers = vms.map(({ vm }) => vm).join(", ");
  if (asked !== undefined) {
    const found = vms.find(({ vm }) => vm === asked);
    if (found === undefined)
      throw badOption("vm", `${asked} is not in the trace, which has ${numbers}`);
    return found;
  }
  const [first] = vms;
  if (first === undefined) {
    throw new TraceError("NO_EVENTS", "it shows no virtual machine", trace);
  }
  return vms.find(({ logs }) => logs) ?? first;
}

/** What the trace says of the migration of one machine. */
export function factsOfVm(vm: VmInputs, pageBytes: number, seed: number): SourceFacts {
  const warnings: Warning[] = [];
  const curve = curveOf(vm, pageBytes);
  const blocks = blocksOf(vm, warnings);
  const bandwidth = bandwidthOf(vm, pageBytes);
  const paces = pacesOf(vm, seed, warnings);
  if (bandwidth !== undefined) {
    warnings.push({
      ofOrigin: bandwidth.origin,
      text: "bandwidth is inferred from the trace: pages cleared in a pass over its time, pages of zeroes counted as sent; give --bandwidth for the link's own",
    });
  }
  if (curve !== undefined) {
    const seconds = curve.value.windowS.at(-1) ?? 0;
    warnings.push({
      ofOrigin: curve.origin,
      text: `writes beyond the ${seconds.toFixed(1)} s that the trace logged are not known: what it wrote until then is taken as all that it writes (a lower bound)`,
    });
  }
  const dirtyLog = dirtyLogOf(vm);
  const leaf = commonLeaf(vm, pageBytes);
  return {
    ...(vm.memoryPages === undefined
      ? {}
      : { memoryBytes: { value: vm.memoryPages * pageBytes, origin: "trace: writable memslots" } }),
    ...(vm.vcpus === 0
      ? {}
      : { vcpus: { value: vm.vcpus, origin: "trace: threads that ran vCPUs" } }),
    ...(leaf === undefined ? {} : { blockBytes: leaf }),
    ...(curve === undefined ? {} : { curve }),
    ...(blocks === undefined ? {} : { blockPtes: blocks.least }),
    ...(blocks?.most === undefined ? {} : { blockPtesMost: blocks.most }),
    ...(bandwidth === undefined ? {} : { bandwidth }),
    ...(dirtyLog === undefined ? {} : { dirtyLog }),
    ...(paces === undefined ? {} : { paces }),
    ...faultingVcpus(vm),
    warnings,
  };
}

/** Unique bytes from the start of logging. */
function curveOf(vm: VmInputs, pageBytes: number): Given<UniqueCurve> | undefined {
  const { dirtyCurve } = vm;
  if (dirtyCurve === undefined || (dirtyCurve.pages.at(-1) ?? 0) === 0) return undefined;
  return {
    value: uniqueCurve(dirtyCurve, pageBytes),
    origin: "trace: first writes since logging began",
  };
}

function uniqueCurve({ startNs, tNs, pages }: DirtyCurve, pageBytes: number): UniqueCurve {
  return {
    windowS: tNs.map((t) => (t - startNs) / 1e9),
    bytes: pages.map((count) => count * pageBytes),
  };
}

interface BlockPtes {
  readonly least: Given<Float64Array>;
  /** With those that the trace leaves open; undefined where it leaves none. */
  readonly most: Float64Array | undefined;
}

/** Of a roll-back what it collapsed; otherwise every block that logging broke. */
function blocksOf(vm: VmInputs, warnings: Warning[]): BlockPtes | undefined {
  const rolled = vm.collapses.filter(({ isInRollback }) => isInRollback);
  if (rolled.length > 0) {
    if (vm.collapsesTotal > vm.collapses.length)
      warnings.push({ text: cutText(vm.collapses.length) });
    const left = vm.blocksLeft === 0 ? "" : `; ${vm.blocksLeft} more were not touched again`;
    return ptesOf(
      rolled.map(({ leaves, uncertainLeaves }) => [leaves, uncertainLeaves]),
      `trace: collapses in its roll-back${left}`,
    );
  }
  if (vm.blocks.length === 0) return undefined;
  if (vm.blocksTotal > vm.blocks.length) warnings.push({ text: cutText(vm.blocks.length) });
  return ptesOf(
    vm.blocks.map(({ validLeaves, uncertainLeaves }) => [validLeaves, uncertainLeaves]),
    "trace: blocks that logging broke, had it been rolled back",
  );
}

function cutText(listed: number): string {
  return `only the first ${listed} blocks of the trace are in the roll-back: it is a lower bound`;
}

function ptesOf(
  leaves: readonly (readonly [certain: number, uncertain: number])[],
  origin: string,
): BlockPtes {
  const isOpen = leaves.some(([, uncertain]) => uncertain > 0);
  return {
    least: { value: Float64Array.from(leaves, ([certain]) => certain), origin },
    most: isOpen
      ? Float64Array.from(leaves, ([certain, uncertain]) => certain + uncertain)
      : undefined,
  };
}

/** What backs most of the memory: broken blocks say it best, else leaves mapped before logging. */
function commonLeaf(vm: VmInputs, pageBytes: number): Given<number> | undefined {
  const spans = new Map<number, number>();
  const add = (spanPages: number, count: number): void => {
    spans.set(spanPages, (spans.get(spanPages) ?? 0) + spanPages * count);
  };
  for (const { spanPages } of vm.blocks) add(spanPages, 1);
  for (const { spanPages } of vm.collapses) add(spanPages, 1);
  if (spans.size === 0) for (const { spanPages, count } of vm.leavesBySpan) add(spanPages, count);
  const [most] = [...spans].sort((a, b) => b[1] - a[1]);
  if (most === undefined) return undefined;
  return { value: most[0] * pageBytes, origin: "trace: leaves that hold most of the memory" };
}

function faultingVcpus(vm: VmInputs): { readonly faultingVcpus?: Given<number> } {
  const pids = new Set(
    vm.collapses.filter(({ isInRollback }) => isInRollback).map(({ pid }) => pid),
  );
  if (pids.size === 0) return {};
  return { faultingVcpus: { value: pids.size, origin: "trace: threads that collapsed blocks" } };
}

function dirtyLogOf({ logging }: VmInputs): Given<DirtyLogMode> | undefined {
  if (logging === undefined || logging.mode === "unknown") return undefined;
  const value = logging.mode === "initially-set" ? "manual" : "legacy";
  return { value, origin: "trace: how logging began" };
}

/** Least pages of a pass whose pace says something about the link. */
const LEAST_PAGES = 256;

/** Pages cleared and sent over the time of each pass before the blackout, least to most. */
function bandwidthOf(vm: VmInputs, pageBytes: number): Given<Ranged> | undefined {
  const rates = vm.passes
    .filter((pass) => !pass.isInBlackout && pass.clearedPages >= LEAST_PAGES)
    .filter(({ startNs, endNs }) => endNs > startNs)
    .map(
      ({ startNs, endNs, clearedPages }) => (clearedPages * pageBytes) / ((endNs - startNs) / 1e9),
    );
  if (rates.length === 0) return undefined;
  return {
    value: { low: Math.min(...rates), high: Math.max(...rates), law: "uniform" },
    origin: `inferred from ${rates.length === 1 ? "a pass" : `${rates.length} passes`} of the trace`,
  };
}

/** Factors on the writing pace, from intervals in which the log was on and cleared. */
function pacesOf(
  vm: VmInputs,
  seed: number,
  warnings: Warning[],
): Given<readonly number[]> | undefined {
  const rates = vm.intervals.map(
    ({ dirtiedPages, startNs, endNs }) => dirtiedPages / Math.max(1, endNs - startNs),
  );
  const longestPassNs = Math.max(0, ...vm.passes.map(({ startNs, endNs }) => endNs - startNs));
  const blockLength = Math.max(Math.sqrt(rates.length), longestPassNs / Math.max(1, vm.intervalNs));
  // A pass that fills half of the trace leaves nothing to draw from: the spread is then that of shorter runs.
  const length = Math.min(blockLength, Math.max(1, rates.length / 4));
  if (length < blockLength && rates.length > 0) {
    warnings.push({
      text: `sampling intervals draw runs of ${Math.round(length)} of ${rates.length} intervals, shorter than the longest pass: they are too narrow`,
    });
  }
  const value = rates.length === 0 ? undefined : resamplePace({ rates, blockLength: length }, seed);
  if (value === undefined) return undefined;
  return {
    value,
    origin: `writing pace of ${rates.length} intervals, drawn again by moving blocks of ${Math.round(length)}`,
  };
}

/** The largest unit in which times of the trace are whole, s: what it can tell apart. */
export function resolutionOf(inputs: TraceInputs): number {
  const times = [
    inputs.firstNs,
    inputs.lastNs,
    ...inputs.vms.flatMap(({ phases }) => phases.map(({ endNs }) => endNs)),
  ];
  const finite = times.filter((time) => Number.isFinite(time));
  return finite.every((time) => time % 1000 === 0) ? 1e-6 : 1e-9;
}
