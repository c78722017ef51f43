import type { MigrationReport, ReportedField } from "../../ingest/migration/report.ts";
import type { DowntimeEstimate } from "../../replay/migration/estimate-types.ts";
import type { QuantityId } from "../../replay/migration/quantities.ts";
import type { VmmId } from "../../replay/migration/vmm.ts";
import type { Comparison, ReportView } from "../../reports/downtime/view.ts";
import type { Given, SourceFacts, Warning } from "./source-facts.ts";

/** What a VMM's report gives the estimate: only what was measured, never a placeholder. */
export function factsOfReport(report: MigrationReport, path: string): SourceFacts {
  const given = (field: ReportedField, factor = 1): Given<number> | undefined => {
    const found = report.values[field];
    if (found === undefined || found.kind === "placeholder") return undefined;
    return { value: found.value * factor, origin: `${path}: ${found.field}` };
  };
  const bandwidth = given("bandwidthBytesPerS");
  const memoryBytes = given("ramTotalBytes");
  const downtimeLimitS = given("downtimeLimitMs", 1e-3);
  const anyRate = dirtyRateOf(report, given);
  // VMMs show 0 before they have measured anything: nothing written has to be said by an option.
  const dirtyRate = anyRate?.value === 0 ? undefined : anyRate;
  const zeroPages = report.values.zeroPages?.value;
  const pageBytes = report.values.pageBytes?.value ?? 4096;
  const vmm = vmmOf(report);
  const warnings: Warning[] = [];
  if (anyRate?.value === 0) {
    warnings.push({
      text: `${anyRate.origin} is 0, which a VMM also shows before it has measured: it is not used (--dirty-rate 0MB/s says that nothing is written)`,
    });
  }
  if (report.dirtyRateKind === "sampled-content") {
    warnings.push({
      text: `${path}: the dirty rate is of pages whose sampled content changed, not of unique pages written`,
      ...(dirtyRate === undefined ? {} : { ofOrigin: dirtyRate.origin }),
    });
  }
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(downtimeLimitS === undefined ? {} : { downtimeLimitS }),
    ...(dirtyRate === undefined ? {} : { dirtyRate }),
    ...(bandwidth === undefined || bandwidth.value <= 0
      ? {}
      : {
          bandwidth: {
            value: { low: bandwidth.value, high: bandwidth.value, law: "uniform" } as const,
            origin: bandwidth.origin,
          },
        }),
    ...(zeroPages === undefined || report.outcome !== "completed"
      ? {}
      : {
          zeroBytes: { value: zeroPages * pageBytes, origin: `${path}: zero pages of all passes` },
        }),
    ...(vmm === undefined ? {} : { vmm: { value: vmm, origin: `${path}: version` } }),
    warnings,
  };
}

/** Bytes, or pages times their size. */
function dirtyRateOf(
  report: MigrationReport,
  given: (field: ReportedField, factor?: number) => Given<number> | undefined,
): Given<number> | undefined {
  return (
    given("dirtyRateBytesPerS") ??
    given("dirtyRatePagesPerS", report.values.pageBytes?.value ?? 4096)
  );
}

/** The last round is cleared in the blackout up to QEMU 10.0. */
function vmmOf({ vmm, version }: MigrationReport): VmmId | undefined {
  if (vmm === "cloud-hypervisor") return "cloud-hypervisor";
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  if (vmm !== "qemu" || major === undefined || minor === undefined) return undefined;
  const isLate = Number(major) > 10 || (Number(major) === 10 && Number(minor) >= 1);
  return isLate ? "qemu-10.1" : "qemu-10.0";
}

/** Facts of several sources: the first that has one is right. */
export function mergeFacts(sources: readonly SourceFacts[]): SourceFacts {
  const merged = sources.toReversed().reduce<SourceFacts>((all, one) => ({ ...all, ...one }), {
    warnings: [],
  });
  return { ...merged, warnings: sources.flatMap(({ warnings }) => warnings) };
}

const COMPARED: readonly {
  readonly field: ReportedField;
  readonly what: string;
  readonly quantity: QuantityId;
}[] = [
  { field: "downtimeMs", what: "downtime", quantity: "source_downtime" },
  { field: "totalMs", what: "total time less setup and downtime", quantity: "total_time" },
];

/** The report as the reader sees it, with the estimate of each policy beside what was measured. */
export function reportView(
  report: MigrationReport,
  path: string,
  estimate: DowntimeEstimate,
): ReportView {
  const comparisons = COMPARED.flatMap(({ field, what, quantity }) => {
    const found = report.values[field];
    if (found === undefined || found.kind === "placeholder") return [];
    // Total time includes setup and downtime, the time of copying neither.
    const apart =
      field === "totalMs"
        ? (report.values.setupMs?.value ?? 0) + (report.values.downtimeMs?.value ?? 0)
        : 0;
    return estimate.policies.map((policy): Comparison => {
      const interval = policy.estimates.find((one) => one.quantity === quantity)?.interval;
      const reported = (found.value - apart) / 1000;
      return {
        what: `${what} (${found.field})`,
        quantity,
        policy: policy.id,
        reported,
        p5: interval?.p5,
        p50: interval?.p50,
        p95: interval?.p95,
        verdict: interval === undefined ? "no estimate" : verdictOf(reported, interval),
      };
    });
  });
  return {
    path,
    format: report.format,
    vmm: report.vmm,
    version: report.version ?? null,
    outcome: report.outcome,
    values: Object.entries(report.values).map(([name, { value, field, kind }]) => ({
      field: `${name} (${field})`,
      value,
      unit: unitOf(name),
      kind,
    })),
    comparisons,
    contradictions: report.contradictions,
    unknownFields: report.unknownFields,
    notes: report.notes,
  };
}

function verdictOf(
  reported: number,
  { p5, p50, p95 }: { readonly p5: number; readonly p50: number; readonly p95: number },
): string {
  const error = p50 - reported;
  const percent =
    reported === 0
      ? ""
      : `, ${error < 0 ? "-" : "+"}${Math.round((100 * Math.abs(error)) / reported)} %`;
  const place = p5 <= reported && reported <= p95 ? "inside the interval" : "OUTSIDE the interval";
  return `${place}; median off by ${error < 0 ? "-" : "+"}${Math.round(Math.abs(error) * 1000)} ms${percent}`;
}

/** The unit that a field's name carries. */
function unitOf(name: string): string {
  if (name.endsWith("PagesPerS")) return "page/s";
  if (name.endsWith("BytesPerS")) return "byte/s";
  if (name.endsWith("Bytes")) return "byte";
  if (name.endsWith("Ms")) return "ms";
  if (name.endsWith("Share")) return "share of 1";
  return "count";
}
