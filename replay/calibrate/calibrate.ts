import {
  CALIBRATED_CONSTANTS,
  type CalibratedConstant,
  type CalibrationInput,
  type CalibrationResult,
  type Fit,
} from "./calibration.ts";
import { fitDirtyLog } from "./fit-dirty-log.ts";
import { fitDurations } from "./fit-durations.ts";
import { fitPageTable } from "./fit-page-table.ts";
import type { CalibrationRequest } from "./request.ts";

/** Why a constant cannot come from these measurements, where none of them speaks of it. */
const NEEDS: Readonly<Record<CalibratedConstant, string>> = {
  t_ipa:
    "it takes a function_graph trace of __kvm_tlb_flush_vmid_ipa, or kvm_page_table_test changed to time the unmapping, on a kernel that flushes page by page and on one that does not",
  t_vmid: "it takes a function_graph trace of __kvm_tlb_flush_vmid: no selftest has it apart",
  t_rng: "it takes a function_graph trace of __kvm_tlb_flush_vmid_range: no selftest has it apart",
  t_walk: "it takes kvm_page_table_test on blocks of two sizes (-s)",
  t_walk_unmap:
    "it takes kvm_page_table_test changed to time the unmapping, where the flush is deferred (6.6, TLBIRANGE and FWB)",
  t_wp: "it takes dirty_log_perf_test",
  t_ser_spinlock: "it takes dirty_log_perf_test with 4 vCPUs and more, on Linux 5.17 or older",
  t_ser_rwlock: "it takes dirty_log_perf_test with 4 vCPUs and more, on Linux 5.18 to 6.1",
  t_ser_parallel: "it takes dirty_log_perf_test with 4 vCPUs and more, on Linux 6.2 or later",
  t_fault: "it takes dirty_log_perf_test -v 1, or kvm_page_table_test -v 1 -s anonymous",
  t_ioctl: "it takes dirty_log_perf_test with several sizes (-b), three and more",
};

/** So much may two ways to one constant differ before it is said. */
const AGREEMENT = 1.3;

/** Fits what these measurements determine, and says of every other constant why not. */
export function calibrate(request: CalibrationRequest): CalibrationResult {
  const parts = [
    fitPageTable(request.runs, request.fwb),
    fitDirtyLog(request.runs),
    fitDurations(request.graphs),
  ];
  const fits = sorted(parts.flatMap((part) => part.fits));
  const fitted = new Set(fits.map(({ constant }) => constant));
  const said = parts
    .flatMap((part) => part.notFitted)
    .filter(({ constant }) => !fitted.has(constant));
  const notFitted = CALIBRATED_CONSTANTS.filter((constant) => !fitted.has(constant)).map(
    (constant) => ({
      constant,
      because:
        said
          .filter((one) => one.constant === constant)
          .map(({ because }) => because)
          .join("; ") || NEEDS[constant],
    }),
  );
  return {
    fits,
    notFitted,
    inputs: inputsOf(request),
    notes: [...parts.flatMap((part) => part.notes), ...disagreements(fits)],
  };
}

function sorted(fits: readonly Fit[]): readonly Fit[] {
  return [...fits].sort((a, b) => placeOf(a) - placeOf(b));
}

function placeOf({ constant, load }: Fit): number {
  return CALIBRATED_CONSTANTS.indexOf(constant) * 2 + (load === "idle" ? 0 : 1);
}

/** Two ways to the same constant under the same load should tell the same. */
function disagreements(fits: readonly Fit[]): readonly string[] {
  const notes: string[] = [];
  for (const [at, a] of fits.entries()) {
    for (const b of fits.slice(at + 1)) {
      if (a.constant !== b.constant || a.load !== b.load) continue;
      const ratio = Math.max(a.valueNs, b.valueNs) / Math.min(a.valueNs, b.valueNs);
      if (ratio <= AGREEMENT) continue;
      notes.push(
        `${a.constant} (${a.load}) is ${Math.round(a.valueNs)} ns by one way and ${Math.round(b.valueNs)} ns by another: the measurements disagree by ${ratio.toFixed(1)}×`,
      );
    }
  }
  return notes;
}

function inputsOf({ runs, graphs }: CalibrationRequest): readonly CalibrationInput[] {
  return [
    ...runs.map(({ run }) => ({
      name: run.name,
      kind: run.kind,
      vcpus: run.vcpus,
      leftOut: [
        ...run.leftOut,
        ...(run.vcpus === undefined
          ? ["its faults: the number of vCPUs is not in the output (give it)"]
          : []),
        ...(run.backingBytes === undefined
          ? ["log start: what backs the memory is not in the output"]
          : []),
      ],
    })),
    ...graphs.map(({ name }) => ({
      name,
      kind: "function_graph" as const,
      vcpus: undefined,
      leftOut: [],
    })),
  ];
}
