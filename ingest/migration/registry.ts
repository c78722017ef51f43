import { readFile, stat } from "node:fs/promises";
import { quoteForMessage } from "../diagnostics.ts";
import { TraceError } from "../errors.ts";
import { findContradictions } from "./contradictions.ts";
import type { MigrationFormat } from "./format.ts";
import { cloudHypervisor } from "./formats/cloud-hypervisor.ts";
import { domjobinfo } from "./formats/domjobinfo.ts";
import { domstats } from "./formats/domstats.ts";
import { infoMigrate } from "./formats/info-migrate.ts";
import { qemuTrace } from "./formats/qemu-trace.ts";
import { qmp } from "./formats/qmp.ts";
import { ReportBuilder } from "./report-builder.ts";
import type { MigrationReport, ReportFormat } from "./report.ts";

/** Every text in which a VMM tells of a migration, in the order in which they are tried. */
export const MIGRATION_FORMATS: readonly MigrationFormat[] = [
  qmp,
  cloudHypervisor,
  qemuTrace,
  domjobinfo,
  domstats,
  infoMigrate,
];

export const MIGRATION_FORMAT_IDS: readonly ReportFormat[] = MIGRATION_FORMATS.map(({ id }) => id);

/** A log of weeks is not what is meant. */
const MAX_BYTES = 256 * 2 ** 20;

/** What a text of a VMM says. @throws TraceError EMPTY, WRONG_FORMAT. */
export function readMigrationReport(
  text: string,
  path: string,
  wanted: ReportFormat | "auto" = "auto",
): MigrationReport {
  if (text.trim() === "") throw new TraceError("EMPTY", "the migration report is empty", path);
  const plain = text.replaceAll("\r\n", "\n").replace(/^\uFEFF/, "");
  const format = chooseFormat(plain, path, wanted);
  const builder = new ReportBuilder(format.id, format.vmm);
  format.read(plain, builder);
  if (builder.isEmpty) {
    throw new TraceError(
      "WRONG_FORMAT",
      `it looks like ${format.describes}, and holds nothing that can be read`,
      path,
    );
  }
  findContradictions(builder);
  settleTotal(builder);
  return builder.build();
}

/** The time of a migration that did not complete, or not yet, is no total to compare anything with. */
function settleTotal(builder: ReportBuilder): void {
  if (builder.outcome === "completed" || builder.outcome === "unknown") return;
  if (builder.measured("totalMs") === undefined) return;
  builder.demote("totalMs");
  builder.note("the migration did not complete: its total time is only the time so far");
}

/** @throws TraceError UNREADABLE too. */
export async function readMigrationReportFile(
  path: string,
  wanted: ReportFormat | "auto" = "auto",
): Promise<MigrationReport> {
  return readMigrationReport(await textOf(path), path, wanted);
}

async function textOf(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) {
      throw new TraceError(
        "UNREADABLE",
        `it has ${size} bytes, more than a migration report of ${MAX_BYTES}`,
        path,
        "cut out the part of the migration",
      );
    }
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof TraceError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TraceError("UNREADABLE", reason, path);
  }
}

function chooseFormat(text: string, path: string, wanted: ReportFormat | "auto"): MigrationFormat {
  const format = MIGRATION_FORMATS.find((one) =>
    wanted === "auto" ? one.applies(text) : one.id === wanted,
  );
  if (format !== undefined) return format;
  const [firstLine = ""] = text.trimStart().split("\n", 1);
  throw new TraceError(
    "WRONG_FORMAT",
    `this is no migration report that can be read; it begins with: ${quoteForMessage(firstLine, 80)}`,
    path,
    `one of: ${MIGRATION_FORMATS.map(({ id, describes }) => `${id} (${describes})`).join("; ")}`,
  );
}
