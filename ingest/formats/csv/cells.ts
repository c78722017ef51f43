import { APPLIED_FUNCTIONS } from "../../events/kinds.ts";
import { NumberScanner } from "../number-scanner.ts";

const numbers = new NumberScanner();

/** 64 bits of a cell as unsigned halves. */
export interface Halves {
  readonly high: number;
  readonly low: number;
}

/** Decimal or 0x number of at most 64 bits; undefined where the cell is not one. */
export function parseHalves(cell: string): Halves | undefined {
  const bytes = Buffer.from(cell, "latin1");
  const stop = numbers.scan(bytes, 0, bytes.length);
  return stop === bytes.length ? { high: numbers.high >>> 0, low: numbers.low >>> 0 } : undefined;
}

/** Exact non-negative number; undefined where the cell is not one or a double cannot hold it. */
export function parseQuantity(cell: string): number | undefined {
  if (parseHalves(cell) === undefined || cell.startsWith("-")) return undefined;
  const value = numbers.quantity();
  return Number.isNaN(value) ? undefined : value;
}

/** Exact number of either sign. */
export function parseSigned(cell: string): number | undefined {
  if (!cell.startsWith("-")) return parseQuantity(cell);
  const magnitude = parseQuantity(cell.slice(1));
  return magnitude === undefined ? undefined : -magnitude;
}

/** Low 32 bits, signed: `0xfffffff4` and `-12` are the same. */
export function parseInt32(cell: string): number | undefined {
  const halves = parseHalves(cell);
  return halves === undefined ? undefined : halves.low | 0;
}

/** Index of APPLIED_FUNCTIONS for a function name with or without `+0x…`; 0: another. */
export function appliedFunctionIndex(cell: string): number {
  const index = (APPLIED_FUNCTIONS as readonly string[]).indexOf(cell.split(/[+. ]/, 1)[0]!);
  return Math.max(index, 0);
}

const DECIMAL = /^(-?)(\d{1,19})(?:\.(\d{1,9}))?$/;

/** Time in ns from an integer of ns, or from decimal seconds with at most 9 decimals; exact. */
export function parseTimeNs(cell: string, isSeconds: boolean): bigint | undefined {
  const parts = DECIMAL.exec(cell);
  if (parts === null) return undefined;
  const [, sign, whole, fraction] = parts;
  if (!isSeconds && fraction !== undefined) return undefined;
  const ns = isSeconds
    ? BigInt(whole!) * 1_000_000_000n + BigInt((fraction ?? "").padEnd(9, "0"))
    : BigInt(whole!);
  return sign === "-" ? -ns : ns;
}
