import type { PageTableRun } from "../../ingest/selftests/runs.ts";
import type { KernelVersion } from "../policies/kernel-version.ts";
import { isAtLeast } from "../policies/kernel-version.ts";
import type { CalibratedConstant, Fit, Load } from "./calibration.ts";
import { fitOf, type LabelledPoint } from "./make-fit.ts";
import type { MeasuredRun, PartialFits } from "./request.ts";
import { medianRatio, type Point, theilSenLine } from "./robust-line.ts";

interface Measured {
  readonly run: PageTableRun;
  readonly source: MeasuredRun;
  readonly load: Load;
}

/**
 * What kvm_page_table_test tells: its stages write every page under logging (UPDATE on small pages: one
 * permission fault each), collapse every block (ADJUST on blocks; half of each is mapped by pages then), and, in
 * tests that were changed so, unmap the VM.
 */
export function fitPageTable(runs: readonly MeasuredRun[], fwb: boolean | undefined): PartialFits {
  const measured = runs.flatMap((source): Measured[] => {
    const { run } = source;
    if (run.kind !== "kvm_page_table_test" || run.vcpus === undefined) return [];
    return [{ run, source, load: run.vcpus === 1 ? "idle" : "loaded" }];
  });
  const fits: Fit[] = [];
  const notFitted: { constant: CalibratedConstant; because: string }[] = [];
  const notes: string[] = [];
  for (const load of ["idle", "loaded"] as const) {
    const own = measured.filter((one) => one.load === load);
    if (own.length === 0) continue;
    fitWalk(own, load, fwb, fits, notFitted, notes);
    fitUnmap(own, load, fits, notFitted, notes);
    if (load === "idle") fitFaults(own, fits);
  }
  return { fits, notFitted, notes };
}

/** Valid PTEs of a block before it collapses: UPDATE wrote the first page and read the second half. */
function validPtes(pagesPerBlock: number): number {
  return 1 + pagesPerBlock / 2;
}

function fitWalk(
  own: readonly Measured[],
  load: Load,
  fwb: boolean | undefined,
  fits: Fit[],
  notFitted: { constant: CalibratedConstant; because: string }[],
  notes: string[],
): void {
  const byBacking = new Map<number, LabelledPoint[]>();
  for (const { run } of own) {
    const { backingBytes, stagesS, memoryBytes, pageBytes, name } = run;
    if (backingBytes === undefined || backingBytes <= pageBytes || stagesS.ADJUST === undefined)
      continue;
    const points = byBacking.get(backingBytes) ?? [];
    points.push({ label: name, x: memoryBytes / backingBytes, y: stagesS.ADJUST * 1e9 });
    byBacking.set(backingBytes, points);
  }
  if (byBacking.size === 0) return;
  const pageBytes = own[0]!.run.pageBytes;
  const perBlock: LabelledPoint[] = [];
  for (const [backing, points] of byBacking) {
    const ns = costOfOne(points);
    if (ns === undefined) continue;
    const size = sizeText(backing);
    notes.push(
      `${load}: ADJUST takes ${(ns / 1000).toFixed(1)} µs a block of ${size} (fault, flush, walk and the guest's reads together)`,
    );
    perBlock.push({ label: size, x: validPtes(backing / pageBytes), y: ns });
  }
  if (perBlock.length < 2) {
    notFitted.push({
      constant: "t_walk",
      because: `the ${load} runs collapse blocks of one size: what a PTE costs cannot be told from what a block costs (run with another -s)`,
    });
    return;
  }
  if (fwb !== true) {
    notFitted.push({
      constant: "t_walk",
      because:
        fwb === false
          ? "without FWB a collapse cleans every page too, in the same proportion: the two cannot be told apart"
          : "whether the CPU has FWB is not known: without it cache maintenance is in the same slope",
    });
    return;
  }
  const fit = fitOf("t_walk", load, perBlock, "valid PTEs of a block", [
    "the guest reads two pages for each PTE in the measured time",
  ]);
  if (fit !== undefined) fits.push(fit);
}

function fitUnmap(
  own: readonly Measured[],
  load: Load,
  fits: Fit[],
  notFitted: { constant: CalibratedConstant; because: string }[],
  notes: string[],
): void {
  const points = { "per-ipa": [] as LabelledPoint[], range: [] as LabelledPoint[] };
  for (const { run, source } of own) {
    const { backingBytes, stagesS, memoryBytes, pageBytes, name } = run;
    if (stagesS.UNMAP === undefined || backingBytes !== pageBytes) continue;
    const how = source.unmaps ?? unmapsOf(source.kernel);
    if (how === undefined) {
      notes.push(`${name}: its UNMAP is left out: how that kernel unmaps is not known`);
      continue;
    }
    points[how].push({ label: name, x: memoryBytes / pageBytes, y: stagesS.UNMAP * 1e9 });
  }
  const walk = fitOf("t_walk_unmap", load, points.range, "pages");
  if (walk !== undefined) fits.push(walk);
  const both = fitOf("t_ipa", load, points["per-ipa"], "pages");
  if (both === undefined) return;
  if (walk === undefined) {
    notes.push(
      `${load}: a page unmapped one by one takes ${(both.valueNs / 1000).toFixed(2)} µs, walk and flush together`,
    );
    notFitted.push({
      constant: "t_ipa",
      because:
        "what a page takes without its flush is not measured: it takes runs on a kernel and CPU that defer the flush (6.6, TLBIRANGE and FWB)",
    });
    return;
  }
  const difference = both.valueNs - walk.valueNs;
  if (!(difference > 0)) {
    notFitted.push({
      constant: "t_ipa",
      because: "unmapping with a flush a page is not slower than without",
    });
    return;
  }
  fits.push({
    ...both,
    valueNs: difference,
    // Both ends at their worst: the two tables are of different kernels.
    lowNs:
      both.lowNs === undefined || walk.highNs === undefined
        ? undefined
        : Math.max(0, both.lowNs - walk.highNs),
    highNs:
      both.highNs === undefined || walk.lowNs === undefined ? undefined : both.highNs - walk.lowNs,
    method: `${both.method}; less the same of the runs that defer the flush (${(walk.valueNs / 1000).toFixed(3)} µs)`,
  });
}

/** 4 KiB pages, written under logging by one vCPU: a permission fault each. */
function fitFaults(own: readonly Measured[], fits: Fit[]): void {
  const points = own.flatMap(({ run }) => {
    const { backingBytes, stagesS, memoryBytes, pageBytes, name } = run;
    if (stagesS.UPDATE === undefined || backingBytes !== pageBytes) return [];
    return [{ label: name, x: memoryBytes / pageBytes, y: stagesS.UPDATE * 1e9 }];
  });
  const fit = fitOf("t_fault", "idle", points, "pages");
  if (fit !== undefined) fits.push(fit);
}

/** FEAT_TLBIRANGE defers the flush from 6.6 on; whether the CPU has it the output does not say. */
function unmapsOf(kernel: KernelVersion | undefined): "per-ipa" | undefined {
  return kernel !== undefined && !isAtLeast(kernel, 6, 6) ? "per-ipa" : undefined;
}

function costOfOne(points: readonly Point[]): number | undefined {
  const line = theilSenLine(points);
  const ns = line === undefined ? medianRatio(points)?.ratio : line.slope;
  return ns !== undefined && ns > 0 ? ns : undefined;
}

function sizeText(bytes: number): string {
  const mib = bytes / 2 ** 20;
  if (mib >= 1024) return `${mib / 1024} GiB`;
  return mib >= 1 ? `${mib} MiB` : `${bytes / 1024} KiB`;
}
