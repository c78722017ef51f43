import type { EventKindName } from "../events/kinds.ts";
import { type FunctionMeaning, meaningOfReturn, meaningOfSymbol } from "./functions.ts";

/** What a probe at one place means. */
export interface ProbeMeaning {
  /** Undefined: a function that the vocabulary does not know, or a probe in its middle. */
  readonly meaning: FunctionMeaning | undefined;
  readonly kind: EventKindName;
  /** Why a probe has no meaning, for a message; undefined where none is due. */
  readonly remark: string | undefined;
}

/**
 * A probe at a function's entry has offset 0; one that the kernel moved behind a landing pad or an
 * ftrace slot has up to 16 (bytes). Farther in, registers no longer hold the arguments.
 */
export const MAX_ENTRY_OFFSET = 0x10;

/** A probe `offset` bytes into a function. */
export function meaningOfEntryAt(symbol: string, offset: number): ProbeMeaning {
  const meaning = meaningOfSymbol(symbol);
  if (meaning === undefined) {
    const remark = `probe of ${symbol}, a function that the replay does not use`;
    return { meaning, kind: "other", remark };
  }
  if (offset > MAX_ENTRY_OFFSET) {
    const remark = `probe in the middle of ${symbol} (offset ${offset}): not its call`;
    return { meaning: undefined, kind: "other", remark };
  }
  return { meaning, kind: meaning.kind, remark: undefined };
}

/** A probe at the return of a function. */
export function meaningOfReturnOf(symbol: string): ProbeMeaning {
  const kind = meaningOfSymbol(symbol)?.returnKind;
  if (kind === undefined) {
    const remark = `return probe of ${symbol}, which the replay does not use`;
    return { meaning: undefined, kind: "other", remark };
  }
  return { meaning: meaningOfReturn(kind), kind, remark: undefined };
}
