import { quoteForMessage } from "../diagnostics.ts";
import type {
  MigrationReport,
  ReportedField,
  ReportedPass,
  ReportedValue,
  ReportFormat,
} from "./report.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const MAX_LISTED_CLEARS = 65_536;

/** Gathers a report while a text is read. */
export class ReportBuilder {
  readonly format: ReportFormat;
  readonly vmm: MigrationReport["vmm"];
  version: string | undefined;
  outcome: MigrationReport["outcome"] = "unknown";
  dirtyRateKind: MigrationReport["dirtyRateKind"];
  readonly passes: Mutable<ReportedPass>[] = [];
  readonly downtimeParts: { name: string; ms: number }[] = [];
  readonly vcpuDirtyRates: { vcpu: number; bytesPerS: number }[] = [];
  readonly clears: MigrationReport["clears"][number][] = [];
  readonly #values: Partial<Record<ReportedField, ReportedValue>> = {};
  readonly #unknown = new Set<string>();
  readonly #contradictions: string[] = [];
  readonly #notes: string[] = [];
  #clearsLeftOut = 0;

  constructor(format: ReportFormat, vmm: MigrationReport["vmm"]) {
    this.format = format;
    this.vmm = vmm;
  }

  /** A value in the unit of its field; a later one of the same field takes the place of an earlier. */
  set(
    field: ReportedField,
    value: number,
    name: string,
    kind: ReportedValue["kind"] = "measured",
  ): void {
    if (!Number.isFinite(value)) {
      this.unknown(`${name} (no number)`);
      return;
    }
    if (value < 0) {
      this.contradict(`${name} is negative (${value})`);
      return;
    }
    this.#values[field] = { value, field: name, kind };
  }

  /** The value, where it is measured. */
  measured(field: ReportedField): number | undefined {
    const found = this.#values[field];
    return found?.kind === "measured" ? found.value : undefined;
  }

  value(field: ReportedField): ReportedValue | undefined {
    return this.#values[field];
  }

  /** The value says nothing: the VMM shows it before it knows. */
  demote(field: ReportedField): void {
    const found = this.#values[field];
    if (found !== undefined) this.#values[field] = { ...found, kind: "placeholder" };
  }

  unknown(name: string): void {
    this.#unknown.add(quoteForMessage(name, 120));
  }

  contradict(sentence: string): void {
    if (!this.#contradictions.includes(sentence)) this.#contradictions.push(sentence);
  }

  note(sentence: string): void {
    if (!this.#notes.includes(sentence)) this.#notes.push(sentence);
  }

  clear(clear: MigrationReport["clears"][number]): void {
    if (this.clears.length < MAX_LISTED_CLEARS) this.clears.push(clear);
    else this.#clearsLeftOut += 1;
  }

  get isEmpty(): boolean {
    return (
      Object.keys(this.#values).length === 0 &&
      this.passes.length === 0 &&
      this.downtimeParts.length === 0 &&
      this.clears.length === 0 &&
      this.vcpuDirtyRates.length === 0 &&
      this.outcome === "unknown"
    );
  }

  build(): MigrationReport {
    if (this.#clearsLeftOut > 0) this.note(`${this.#clearsLeftOut} more clears are not listed`);
    return {
      format: this.format,
      vmm: this.vmm,
      version: this.version,
      outcome: this.outcome,
      values: this.#values,
      dirtyRateKind: this.dirtyRateKind,
      passes: this.passes,
      downtimeParts: this.downtimeParts,
      vcpuDirtyRates: this.vcpuDirtyRates,
      clears: this.clears,
      unknownFields: [...this.#unknown],
      contradictions: this.#contradictions,
      notes: this.#notes,
    };
  }
}
