import type { DirtyLogRun } from "../../ingest/selftests/runs.ts";
import { isAtLeast, type KernelVersion } from "../policies/kernel-version.ts";
import type { CalibratedConstant, Fit } from "./calibration.ts";
import { fitOf, type LabelledPoint } from "./make-fit.ts";
import type { MeasuredRun, PartialFits } from "./request.ts";
import { theilSenLine } from "./robust-line.ts";

interface Measured {
  readonly run: DirtyLogRun;
  readonly kernel: KernelVersion | undefined;
}

/** Runs whose time for a page lies so near the least are on the plateau: the lock is all there is. */
const PLATEAU = 1.25;
/** With fewer vCPUs a plateau is a coincidence. */
const LEAST_VCPUS = 4;

/**
 * What dirty_log_perf_test tells. From its second iteration on every write is a permission fault on a page
 * (the first may break blocks), and clearing write-protects pages, while no vCPU runs.
 */
export function fitDirtyLog(runs: readonly MeasuredRun[]): PartialFits {
  const measured = runs.flatMap(({ run, kernel }): Measured[] =>
    run.kind === "dirty_log_perf_test" ? [{ run, kernel }] : [],
  );
  if (measured.length === 0) return { fits: [], notFitted: [], notes: [] };
  const fits: Fit[] = [];
  const notFitted: { constant: CalibratedConstant; because: string }[] = [];
  fitProtect(measured, fits, notFitted);
  fitFault(measured, fits, notFitted);
  fitSerial(measured, fits, notFitted);
  return { fits, notFitted, notes: [] };
}

function fitProtect(
  measured: readonly Measured[],
  fits: Fit[],
  notFitted: { constant: CalibratedConstant; because: string }[],
): void {
  const points = measured.flatMap(({ run }) => protectPoints(run));
  const fit = fitOf("t_wp", "idle", points, "pages write-protected");
  if (fit === undefined) {
    notFitted.push({
      constant: "t_wp",
      because: "no iteration after the first was cleared, or more pages took less time",
    });
    return;
  }
  fits.push(fit);
  const line = theilSenLine(points);
  const slots = measured[0]!.run.slots;
  const isOne = measured.every(({ run }) => run.slots === slots);
  if (line === undefined || line.offset <= 0 || points.length < 5 || !isOne) return;
  fits.push({
    ...fit,
    constant: "t_ioctl",
    valueNs: line.offset / slots,
    lowNs: undefined,
    highNs: undefined,
    method: `offset of the line of t_wp, over ${slots} memslot${slots === 1 ? "" : "s"}`,
    warnings: [
      "an offset is far less certain than the slope: it has the flush in it, and is told without an interval",
    ],
  });
}

/** Write-protection of pages: CLEAR, or without manual protection GET, after the second iteration; and at the start. */
function protectPoints(run: DirtyLogRun): readonly LabelledPoint[] {
  const pages = (run.memoryBytes / run.pageBytes) * run.writeShare;
  const isManual = run.clearS.length > 0;
  const times = isManual ? run.clearS : run.getS;
  const points = times
    .map((seconds, at) => ({
      label: `${run.name}, iteration ${at + 1}`,
      x: pages,
      y: seconds * 1e9,
    }))
    .slice(1);
  const protectsAtStart =
    !isManual && run.backingBytes === run.pageBytes && run.enableS !== undefined;
  if (protectsAtStart) {
    points.push({
      label: `${run.name}, log start`,
      x: run.memoryBytes / run.pageBytes,
      y: run.enableS * 1e9,
    });
  }
  return points;
}

function dirtyPoints(run: DirtyLogRun): readonly LabelledPoint[] {
  if (run.writeShare !== 1) return [];
  const pages = run.memoryBytes / run.pageBytes;
  return run.dirtyS
    .map((seconds, at) => ({
      label: `${run.name}, iteration ${at + 1}`,
      x: pages,
      y: seconds * 1e9,
    }))
    .slice(1);
}

function fitFault(
  measured: readonly Measured[],
  fits: Fit[],
  notFitted: { constant: CalibratedConstant; because: string }[],
): void {
  const points = measured
    .filter(({ run }) => run.vcpus === 1)
    .flatMap(({ run }) => dirtyPoints(run));
  const fit = fitOf("t_fault", "idle", points, "pages");
  if (fit === undefined) {
    const because = "no run has one vCPU (-v 1): with more a fault waits for others";
    notFitted.push({ constant: "t_fault", because });
  } else fits.push(fit);
}

/** The serial part shows where more vCPUs make a page no cheaper: the time of all pages is then a line. */
function fitSerial(
  measured: readonly Measured[],
  fits: Fit[],
  notFitted: { constant: CalibratedConstant; because: string }[],
): void {
  for (const [constant, own] of byLock(measured, notFitted)) {
    const all = own.flatMap(({ run }) =>
      dirtyPoints(run).map((point) => ({ ...point, vcpus: run.vcpus ?? 0 })),
    );
    const least = Math.min(...all.map(({ x, y }) => y / x));
    const plateau = all.filter(
      ({ x, y, vcpus }) => vcpus >= LEAST_VCPUS && y / x <= least * PLATEAU,
    );
    const widths = new Set(plateau.map(({ vcpus }) => vcpus));
    const fit =
      widths.size < 2 ? undefined : fitOf(constant, "loaded", plateau, "pages of all vCPUs");
    if (fit === undefined) {
      const because = `a page is still getting cheaper with more vCPUs, or only one number of ${LEAST_VCPUS} and more was run: the lock is not all there is yet`;
      notFitted.push({ constant, because });
    } else fits.push(fit);
  }
}

type SerialConstant = "t_ser_spinlock" | "t_ser_rwlock" | "t_ser_parallel";

function byLock(
  measured: readonly Measured[],
  notFitted: { constant: CalibratedConstant; because: string }[],
): ReadonlyMap<SerialConstant, readonly Measured[]> {
  const groups = new Map<SerialConstant, Measured[]>();
  for (const one of measured) {
    if (one.run.vcpus === undefined || one.run.vcpus < 2) continue;
    if (one.kernel === undefined) {
      for (const constant of ["t_ser_spinlock", "t_ser_rwlock", "t_ser_parallel"] as const) {
        const because = "which lock it is needs the kernel's version";
        if (!notFitted.some((other) => other.constant === constant))
          notFitted.push({ constant, because });
      }
      continue;
    }
    const constant = serialOf(one.kernel);
    groups.set(constant, [...(groups.get(constant) ?? []), one]);
  }
  return groups;
}

function serialOf(kernel: KernelVersion): SerialConstant {
  if (isAtLeast(kernel, 6, 2)) return "t_ser_parallel";
  return isAtLeast(kernel, 5, 18) ? "t_ser_rwlock" : "t_ser_spinlock";
}
