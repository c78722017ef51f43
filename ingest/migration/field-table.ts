import type { ReportBuilder } from "./report-builder.ts";
import type { ReportedField } from "./report.ts";

export const KIB = 1024;
export const MIB: number = 2 ** 20;
/** Megabits, decimal, in bytes. */
export const MEGABIT: number = 1e6 / 8;

/** How a field of a VMM becomes one of ours: multiplied once, here and nowhere else. */
export interface FieldRule {
  readonly field: ReportedField;
  readonly factor: number;
}

export type FieldTable = ReadonlyMap<string, FieldRule>;

export function fieldTable(
  rules: Readonly<Record<string, ReportedField | readonly [ReportedField, number]>>,
): FieldTable {
  return new Map(
    Object.entries(rules).map(([name, rule]) => [
      name,
      typeof rule === "string" ? { field: rule, factor: 1 } : { field: rule[0], factor: rule[1] },
    ]),
  );
}

/** Reads one field by its table; `isIgnored`: known, and of no use here. */
export function readField(
  builder: ReportBuilder,
  table: FieldTable,
  ignored: ReadonlySet<string>,
  name: string,
  value: unknown,
  shownName: string = name,
): void {
  const rule = table.get(name);
  if (rule === undefined) {
    if (!ignored.has(name)) builder.unknown(shownName);
    return;
  }
  if (typeof value === "number") builder.set(rule.field, value * rule.factor, shownName);
  else builder.unknown(`${shownName} = ${JSON.stringify(value)}, not a number`);
}

/** A number as it is written in full; NaN for anything else. */
export function plainNumber(text: string): number {
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text.trim())
    ? Number(text)
    : Number.NaN;
}
