import { count, label, type TableSchema } from "./schema.ts";
import type { ResultSet } from "./result-set.ts";
import type { Summary } from "./summary.ts";

/** One number, or one text, that differs between two runs. */
export interface DiffRow {
  readonly kind: "configuration" | "input" | "loss" | "flushes" | "refills" | "downtime";
  /** What it is: `policy/path/primitive/calls`, a setting, a code of a loss. */
  readonly name: string;
  /** As text; empty where that run does not have it. */
  readonly before: string;
  readonly after: string;
  /** Of numbers: after minus before; null otherwise. */
  readonly difference: number | null;
  readonly unit: string;
}

export const DIFF: TableSchema<DiffRow> = {
  name: "diff",
  order:
    "configuration, input, losses, flushes, refills, downtime; within each, by name as in the runs",
  columns: [
    label("kind", "configuration, input, loss, flushes, refills or downtime."),
    label("name", "What differs."),
    label("before", "Value of the first run; empty: it has none."),
    label("after", "Value of the second run; empty: it has none."),
    {
      ...count("difference", "", "Second minus first, of numbers."),
      type: "float64",
      nullable: true,
    },
    label("unit", "Unit of the numbers."),
  ],
};

/** Does a difference of this kind change what was found out, or only what it rests on? */
export function isResult({ kind }: DiffRow): boolean {
  return kind === "loss" || kind === "flushes" || kind === "refills" || kind === "downtime";
}

/** All that differs between two runs; empty where they say the same. */
export function diffResults(a: ResultSet, b: ResultSet): readonly DiffRow[] {
  return [
    ...textRows("configuration", settingsOf(a.summary), settingsOf(b.summary)),
    ...textRows("input", inputsOf(a.summary), inputsOf(b.summary)),
    ...numberRows("loss", "event", lossesOf(a.summary), lossesOf(b.summary)),
    ...numberRows("flushes", "", flushesOf(a.summary), flushesOf(b.summary), "0"),
    ...numberRows("refills", "access", refillsOf(a.summary), refillsOf(b.summary)),
  ];
}

type Texts = ReadonlyMap<string, string>;
type Numbers = ReadonlyMap<string, number>;

function settingsOf({ configuration }: Summary): Texts {
  const texts = new Map<string, string>();
  for (const { name, value, origin } of configuration) {
    const flags = name.startsWith("policy ") ? flagsOf(value) : undefined;
    if (flags === undefined) {
      texts.set(name, `${value === null ? "not known" : String(value)} (${origin})`);
      continue;
    }
    texts.set(name, origin);
    for (const [flag, setting] of flags) texts.set(`${name}: ${flag}`, String(setting));
  }
  return texts;
}

/** Behaviours of a policy, which stand in the configuration as JSON. */
function flagsOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (typeof value !== "string" || !value.startsWith("{")) return undefined;
  try {
    const flags: unknown = JSON.parse(value);
    return typeof flags === "object" && flags !== null ? Object.entries(flags) : undefined;
  } catch {
    return undefined;
  }
}

function inputsOf({ inputs, tool, inference }: Summary): Texts {
  const texts = new Map([
    ["tool", `${tool.name} ${tool.version}`],
    ["basis", inference === undefined ? "probes" : "inferred from stock tracepoints"],
  ]);
  for (const [i, input] of inputs.entries()) {
    texts.set(`trace ${i + 1} sha256`, input.sha256);
    texts.set(`trace ${i + 1} format`, `${input.format}, ${input.layout}`);
    texts.set(`trace ${i + 1} events`, String(input.events));
  }
  return texts;
}

function lossesOf({ inputs }: Summary): Numbers {
  const numbers = new Map<string, number>();
  for (const { losses } of inputs) {
    for (const { code, count: times } of losses) {
      numbers.set(code, (numbers.get(code) ?? 0) + times);
    }
  }
  return numbers;
}

function flushesOf({ flushes }: Summary): Numbers {
  const numbers = new Map<string, number>();
  for (const row of flushes) {
    const name = `${row.policy} ${row.path} ${row.primitive}`;
    numbers.set(`${name} calls`, row.calls);
    numbers.set(`${name} TLBI`, row.tlbi);
    numbers.set(`${name} DSB`, row.dsb);
    numbers.set(`${name} unknown calls`, row.unknown_calls);
  }
  return numbers;
}

function refillsOf({ refills }: Summary): Numbers {
  const numbers = new Map<string, number>();
  if (refills?.is_known !== true) return numbers;
  for (const { policy, hypothesis, combined_refills, stage2_refills } of refills.totals) {
    const name = `${policy} ${refills.tlb} ${hypothesis}`;
    numbers.set(`${name} combined, median`, combined_refills.median);
    numbers.set(`${name} combined, low`, combined_refills.low);
    numbers.set(`${name} combined, high`, combined_refills.high);
    if (stage2_refills !== null) {
      numbers.set(`${name} stage 2, median`, stage2_refills.median);
    }
  }
  return numbers;
}

function textRows(kind: DiffRow["kind"], a: Texts, b: Texts): readonly DiffRow[] {
  return namesOf(a, b)
    .filter((name) => a.get(name) !== b.get(name))
    .map((name) => ({
      kind,
      name,
      before: a.get(name) ?? "",
      after: b.get(name) ?? "",
      difference: null,
      unit: "",
    }));
}

/** @param absent value of a number that one run does not have: a row that is missing stands for it. */
function numberRows(
  kind: DiffRow["kind"],
  unit: string,
  a: Numbers,
  b: Numbers,
  absent: string = "",
): readonly DiffRow[] {
  return namesOf(a, b)
    .filter((name) => (a.get(name) ?? 0) !== (b.get(name) ?? 0))
    .map((name) => ({
      kind,
      name,
      before: textOf(a.get(name), absent),
      after: textOf(b.get(name), absent),
      difference: (b.get(name) ?? 0) - (a.get(name) ?? 0),
      unit: unit === "" ? unitOf(name) : unit,
    }));
}

function textOf(value: number | undefined, absent: string): string {
  return value === undefined ? absent : String(value);
}

function unitOf(name: string): string {
  return name.endsWith("calls") ? "call" : "instruction";
}

function namesOf(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])];
}
