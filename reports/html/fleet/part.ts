import { formatCount } from "../../terminal.ts";
import type { Html } from "../markup.ts";

/** A part of the fleet's page; `body` undefined: the roll-up has nothing for it, and `why` says so. */
export interface FleetPart {
  readonly id: string;
  readonly title: string;
  readonly body: Html | undefined;
  readonly why: string;
}

/** Whole numbers in full, others with three digits. */
export function numberOf(value: number): string {
  return Number.isSafeInteger(value) && value >= 0
    ? formatCount(value)
    : String(Number(value.toPrecision(3)));
}
