import { EVENT_KINDS, EventKind, UNKNOWN_CPU } from "../../ingest/events/kinds.ts";
import type { EventCursor } from "./event-cursor.ts";
import type { FormatLimit } from "./format-limits.ts";

const NUMBERS = ["addr", "len", "phys", "arg0", "arg1", "arg2", "arg3"] as const;
const POINTERS = ["pgt", "mmu", "kvm"] as const;

/** Compares the events that two cursors stand at, column by column. */
export class RowComparer {
  readonly #a: EventCursor;
  readonly #b: EventCursor;
  readonly #time: TimeRule;
  /** One of the formats carries no arguments: neither kinds nor values are compared. */
  readonly #meaningless: boolean;
  /** Columns that are not compared, by kind. */
  readonly #ignored = new Map<number, ReadonlySet<string>>();
  /** Ids of the second trace by those of the first, for pointers and names known to be equal. */
  readonly #pointers = new Map<number, number>();
  readonly #names = new Map<number, number>();
  #offsets: readonly [number, number] | undefined;

  constructor(a: EventCursor, b: EventCursor, limits: readonly FormatLimit[]) {
    this.#a = a;
    this.#b = b;
    this.#time = timeRule(limits);
    this.#meaningless = limits.some(({ limit }) => limit.type === "names and times only");
    for (const { limit } of limits) {
      if (limit.type !== "columns") continue;
      const code = EventKind[limit.kind];
      this.#ignored.set(code, new Set([...(this.#ignored.get(code) ?? []), ...limit.columns]));
    }
  }

  /** The first column in which the events differ; undefined where they are equal. */
  differs(): string | undefined {
    const { batch: a, row: i } = this.#a;
    const { batch: b, row: j } = this.#b;
    if (!this.#sameName(a.name[i]!, b.name[j]!)) return "event";
    if (!this.#meaningless && a.kind[i] !== b.kind[j]) return "kind";
    if (a.pid[i] !== b.pid[j]) return "pid";
    if (a.cpu[i] !== b.cpu[j]) return "cpu";
    if (!this.#sameTime()) return "ts_ns";
    if (this.#meaningless) return undefined;
    const ignored = this.#ignored.get(a.kind[i]!);
    for (const column of POINTERS) {
      if (!this.#samePointer(a[column][i]!, b[column][j]!)) return column;
    }
    for (const column of NUMBERS) {
      const [x, y] = [a[column][i]!, b[column][j]!];
      if (x !== y && !(x !== x && y !== y) && ignored?.has(column) !== true) return column;
    }
    return a.prot[i] === b.prot[j] && a.protHigh[i] === b.protHigh[j] ? undefined : "prot";
  }

  describe(column: string): {
    readonly column: string;
    readonly values: readonly [string, string];
    readonly lines: readonly [number, number];
  } {
    const [a, b] = [this.#a, this.#b];
    const lines = [a.batch.line[a.row]!, b.batch.line[b.row]!] as const;
    return { column, values: [valueOf(a, column), valueOf(b, column)], lines };
  }

  #sameName(a: number, b: number): boolean {
    const known = this.#names.get(a);
    if (known === b) return true;
    if (this.#a.reader.names.text(a) !== this.#b.reader.names.text(b)) return false;
    this.#names.set(a, b);
    return true;
  }

  #samePointer(a: number, b: number): boolean {
    if (this.#pointers.get(a) === b) return true;
    if (this.#a.reader.pointers.value(a) !== this.#b.reader.pointers.value(b)) return false;
    this.#pointers.set(a, b);
    return true;
  }

  /** Steps of the clock since the first trace's base, rounded as the kernel does: half up. */
  #steps(offsetNs: number, tsNs: number, stepNs: number): number {
    return stepNs === 1 ? offsetNs + tsNs : Math.floor((offsetNs + tsNs + stepNs / 2) / stepNs);
  }

  /** From a whole step before the first trace's base to the base of each, in ns. */
  #offsetsFor(stepNs: number): readonly [number, number] {
    const [a, b] = [this.#a.reader.baseNs, this.#b.reader.baseNs];
    const origin = a - (a % BigInt(stepNs));
    return [Number(a - origin), Number(b - origin)];
  }

  #sameTime(): boolean {
    const rule = this.#time;
    if (rule.type === "none") return true;
    const [a, b] = [this.#a, this.#b];
    const [aNs, bNs] = [a.batch.tsNs[a.row]!, b.batch.tsNs[b.row]!];
    if (rule.type === "from first") {
      rule.firstDifferenceNs ??= bNs - aNs;
      return Math.abs(bNs - aNs - rule.firstDifferenceNs) <= rule.stepNs;
    }
    this.#offsets ??= this.#offsetsFor(rule.stepNs);
    const [aOffset, bOffset] = this.#offsets;
    return this.#steps(aOffset, aNs, rule.stepNs) === this.#steps(bOffset, bNs, rule.stepNs);
  }
}

type TimeRule =
  | { readonly type: "none" }
  | { readonly type: "absolute"; readonly stepNs: number }
  | { readonly type: "from first"; readonly stepNs: number; firstDifferenceNs?: number };

/** The strictest comparison of times that both formats allow. */
function timeRule(limits: readonly FormatLimit[]): TimeRule {
  let rule: TimeRule = { type: "absolute", stepNs: 1 };
  for (const { limit } of limits) {
    if (limit.type === "times of its own") return { type: "none" };
    if (limit.type === "time from first event") rule = { type: "from first", stepNs: limit.stepNs };
    else if (limit.type === "time step" && rule.type === "absolute") {
      rule = { type: "absolute", stepNs: Math.max(rule.stepNs, limit.stepNs) };
    }
  }
  return rule;
}

function valueOf({ batch, row, reader }: EventCursor, column: string): string {
  const pointer = POINTERS.find((name) => name === column);
  if (pointer !== undefined) return reader.pointers.text(batch[pointer][row]!);
  const number = NUMBERS.find((name) => name === column);
  if (number !== undefined) {
    const value = batch[number][row]!;
    return Number.isNaN(value) ? "absent" : String(value);
  }
  switch (column) {
    case "event":
      return reader.names.text(batch.name[row]!);
    case "kind":
      return EVENT_KINDS[batch.kind[row]!]!;
    case "pid":
      return String(batch.pid[row]);
    case "cpu":
      return batch.cpu[row] === UNKNOWN_CPU ? "unknown" : String(batch.cpu[row]);
    case "ts_ns":
      return String(reader.baseNs + BigInt(batch.tsNs[row]!));
    default:
      return `0x${((BigInt(batch.protHigh[row]!) << 32n) | BigInt(batch.prot[row]!)).toString(16)}`;
  }
}
