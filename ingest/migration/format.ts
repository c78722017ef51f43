import type { ReportBuilder } from "./report-builder.ts";
import type { MigrationReport, ReportFormat } from "./report.ts";

/** A text in which a VMM tells of a migration. */
export interface MigrationFormat {
  readonly id: ReportFormat;
  readonly vmm: MigrationReport["vmm"];
  /** For a person who does not know which text is meant. */
  readonly describes: string;
  applies(text: string): boolean;
  read(text: string, builder: ReportBuilder): void;
}
