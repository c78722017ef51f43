import type { EventBatch } from "../../events/columns.ts";
import { EventKind, UNKNOWN_CPU } from "../../events/kinds.ts";
import type { PointerTable } from "../../events/pointers.ts";
import { NumberScanner } from "../number-scanner.ts";
import type { CsvHeader } from "./header.ts";
import { PLAIN_COLUMNS, type RowPlan } from "./row-plan.ts";

const TWO_32 = 4294967296;
const DASH = 45;
const MAX_SMALL_DIGITS = 9;
const MAX_TIME_DIGITS = 19;

/** Number of each column's operation: its place in PLAIN_COLUMNS, from 1. */
const OPS: Readonly<Record<string, number>> = Object.fromEntries(
  PLAIN_COLUMNS.map((name, i) => [name, i + 1]),
);
const SKIP = 0;
/** A cell that must be empty here: what it means takes the slow way. */
const MUST_BE_EMPTY = 255;
const CONTEXT_BITS = (1 << OPS["pgt"]!) | (1 << OPS["mmu"]!) | (1 << OPS["kvm"]!);

/** What the rows of one event and kind need, for cells that are plain numbers. */
class FastPlan {
  readonly kind: number;
  readonly name: number;
  readonly event: string;
  /** By column of the file. */
  readonly ops: Uint8Array;
  /** Bits of the ops that must have been given. */
  readonly needBits: number;
  readonly needsContext: boolean;
  /** Bytes of the cells that name the event and its kind, one behind the other. */
  readonly key: Uint8Array;
  readonly eventBytes: number;
  events = 0;

  constructor(
    plan: RowPlan,
    header: CsvHeader,
    cells: readonly string[],
    name: number,
    event: string,
  ) {
    this.kind = plan.kind;
    this.name = name;
    this.event = event;
    const kind = header.kind === undefined ? "" : cells[header.kind]!;
    this.key = Uint8Array.from(Buffer.from(cells[header.event]! + kind, "latin1"));
    this.eventBytes = cells[header.event]!.length;
    this.ops = new Uint8Array(header.names.length);
    for (const index of plan.strange) this.ops[index] = MUST_BE_EMPTY;
    for (const { index, plain } of plan.cells) {
      this.ops[index] = plain === undefined ? MUST_BE_EMPTY : OPS[plain]!;
    }
    this.needsContext = plan.needs.includes("context");
    const bits = plan.needs
      .filter((need) => need !== "context")
      .map((need) => 1 << (need === "arg0" ? bitOf("arg0") : OPS[need]!));
    this.needBits = bits.reduce((all, bit) => all | bit, 0);
  }
}

/** Both forms of arg0 are one column. */
function bitOf(name: string): number {
  return OPS[name === "arg0int" ? "arg0" : name]!;
}

const BIT_OF_OP: Uint8Array = Uint8Array.from([0, ...PLAIN_COLUMNS.map(bitOf)]);

const SLOTS = 1024;

/**
 * The fast way of a row: cells that are plain numbers go from bytes into columns. It takes a row only
 * where the slow way would take it, with the same values and nothing to say about it.
 */
export class PlainRows {
  readonly #numbers = new NumberScanner();
  readonly #header: CsvHeader;
  readonly #pointers: PointerTable;
  readonly #plans: (FastPlan | undefined)[] = Array.from({ length: SLOTS });
  readonly #known: FastPlan[] = [];
  readonly #baseHigh: number;
  readonly #baseLow: number;

  constructor(header: CsvHeader, pointers: PointerTable, baseNs: bigint) {
    this.#header = header;
    this.#pointers = pointers;
    this.#baseHigh = Number(baseNs >> 32n);
    this.#baseLow = Number(baseNs & 0xffff_ffffn);
  }

  /** Whether rows under this header have a fast way at all. */
  static suits({ timeIsSeconds, names }: CsvHeader): boolean {
    return !timeIsSeconds && !["ret", "retval", "rc"].some((name) => names.includes(name));
  }

  /** Events that it took, by name. */
  *counts(): Generator<readonly [string, number]> {
    for (const { event, events } of this.#known) yield [event, events];
  }

  /** Learns from a row that the slow way has taken; its cells are visible ASCII. */
  learn(cells: readonly string[], plan: RowPlan, name: number, event: string): void {
    if (plan.kind === EventKind.lost || this.#known.length >= SLOTS / 4) return;
    const found = new FastPlan(plan, this.#header, cells, name, event);
    const { key, eventBytes } = found;
    const slot = this.#slotOf(key, 0, eventBytes, eventBytes, key.length);
    if (this.#plans[slot] !== undefined) return;
    this.#plans[slot] = found;
    this.#known.push(found);
  }

  /**
   * Fills row `row` from a record of as many cells as the header has, which stands in `bytes`.
   * False: it takes the slow way; the row may be dirty then.
   */
  fill(
    bytes: Uint8Array,
    start: number,
    ends: Int32Array,
    batch: EventBatch,
    row: number,
  ): boolean {
    const { event, kind } = this.#header;
    const kindFrom = kind === undefined ? 0 : cellStart(start, ends, kind);
    const kindEnd = kind === undefined ? 0 : ends[kind]!;
    const eventFrom = cellStart(start, ends, event);
    const plan = this.#plans[this.#slotOf(bytes, eventFrom, ends[event]!, kindFrom, kindEnd)];
    if (plan === undefined) return false;
    const { time, cpu, pid } = this.#header;
    if (!this.#time(bytes, cellStart(start, ends, time), ends[time]!, batch, row)) return false;
    const cpuValue = small(bytes, start, ends, cpu);
    const pidValue = small(bytes, start, ends, pid);
    if (cpuValue < -1 || cpuValue > UNKNOWN_CPU || pidValue < -1) return false;
    batch.cpu[row] = cpuValue === -1 ? UNKNOWN_CPU : cpuValue;
    batch.pid[row] = pidValue;
    let from = start;
    let given = 0;
    const { ops } = plan;
    for (let i = 0; i < ops.length; i += 1) {
      const end = ends[i]!;
      const op = ops[i]!;
      if (op !== SKIP && end > from) {
        if (op === MUST_BE_EMPTY) return false;
        const bit = 1 << BIT_OF_OP[op]!;
        if ((given & bit) !== 0) return false;
        if (!this.#store(op, bytes, from, end, batch, row)) return false;
        given |= bit;
      }
      from = end + 1;
    }
    if ((given & plan.needBits) !== plan.needBits) return false;
    if (plan.needsContext && ((given & CONTEXT_BITS) === 0 || !hasContext(batch, row))) {
      return false;
    }
    batch.kind[row] = plan.kind;
    batch.name[row] = plan.name;
    plan.events += 1;
    return true;
  }

  #time(bytes: Uint8Array, from: number, end: number, batch: EventBatch, row: number): boolean {
    const numbers = this.#numbers;
    if (end - from > MAX_TIME_DIGITS || numbers.scanDecimal(bytes, from, end) !== end) return false;
    const tsNs =
      ((numbers.high >>> 0) - this.#baseHigh) * TWO_32 + ((numbers.low >>> 0) - this.#baseLow);
    batch.tsNs[row] = tsNs;
    return tsNs <= Number.MAX_SAFE_INTEGER && tsNs >= -Number.MAX_SAFE_INTEGER;
  }

  #store(
    op: number,
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): boolean {
    const numbers = this.#numbers;
    const isNegative = bytes[from] === DASH;
    const isSigned = op === 8 || op >= 10;
    const at = isNegative && isSigned ? from + 1 : from;
    if (at > from && bytes[at] === DASH) return false;
    if (numbers.scan(bytes, at, end) !== end) return false;
    switch (op) {
      case 1:
        batch.pgt[row] = this.#pointers.intern(numbers.high >>> 0, numbers.low >>> 0);
        return true;
      case 2:
        batch.mmu[row] = this.#pointers.intern(numbers.high >>> 0, numbers.low >>> 0);
        return true;
      case 3:
        batch.kvm[row] = this.#pointers.intern(numbers.high >>> 0, numbers.low >>> 0);
        return true;
      case 7:
        batch.prot[row] = numbers.low;
        batch.protHigh[row] = numbers.high;
        return true;
      case 9:
        batch.arg0[row] = numbers.low | 0;
        return true;
      default:
        return storeQuantity(op, numbers.quantity(), isNegative, isSigned, batch, row);
    }
  }

  /** Slot of the plan for an event and a kind, whose cells stand in `bytes`; an empty one: there is none. */
  #slotOf(
    bytes: Uint8Array,
    eventFrom: number,
    eventEnd: number,
    kindFrom: number,
    kindEnd: number,
  ): number {
    let hash = eventEnd - eventFrom;
    for (let i = eventFrom; i < eventEnd; i += 1) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    for (let i = kindFrom; i < kindEnd; i += 1) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    for (;;) {
      const plan = this.#plans[slot];
      if (plan === undefined) return slot;
      const { key, eventBytes } = plan;
      if (
        isPart(key, 0, eventBytes, bytes, eventFrom, eventEnd) &&
        isPart(key, eventBytes, key.length, bytes, kindFrom, kindEnd)
      ) {
        return slot;
      }
      slot = (slot + 1) & (SLOTS - 1);
    }
  }
}

function isPart(
  key: Uint8Array,
  keyFrom: number,
  keyEnd: number,
  bytes: Uint8Array,
  from: number,
  end: number,
): boolean {
  if (keyEnd - keyFrom !== end - from) return false;
  for (let i = 0; i < end - from; i += 1) if (key[keyFrom + i] !== bytes[from + i]) return false;
  return true;
}

function cellStart(start: number, ends: Int32Array, index: number): number {
  return index === 0 ? start : ends[index - 1]! + 1;
}

/** A small decimal number; -1 where the cell is empty or there is none, -2 where it is anything else. */
function small(
  bytes: Uint8Array,
  start: number,
  ends: Int32Array,
  index: number | undefined,
): number {
  if (index === undefined) return -1;
  const from = cellStart(start, ends, index);
  const end = ends[index]!;
  if (from === end) return -1;
  if (end - from > MAX_SMALL_DIGITS) return -2;
  let value = 0;
  for (let at = from; at < end; at += 1) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return -2;
    value = value * 10 + digit;
  }
  return value;
}

function hasContext(batch: EventBatch, row: number): boolean {
  return batch.pgt[row] !== 0 || batch.mmu[row] !== 0 || batch.kvm[row] !== 0;
}

function storeQuantity(
  op: number,
  magnitude: number,
  isNegative: boolean,
  isSigned: boolean,
  batch: EventBatch,
  row: number,
): boolean {
  if (magnitude !== magnitude || (isNegative && !isSigned)) return false;
  const value = isNegative ? -magnitude : magnitude;
  if (op === 4) batch.addr[row] = value;
  else if (op === 5) batch.len[row] = value;
  else if (op === 6) batch.phys[row] = value;
  else if (op === 8) batch.arg0[row] = value;
  else if (op === 10) batch.arg1[row] = value;
  else if (op === 11) batch.arg2[row] = value;
  else batch.arg3[row] = value;
  return true;
}
