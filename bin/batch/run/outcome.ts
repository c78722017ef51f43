import { TraceError, type TraceErrorCode } from "../../../ingest/errors.ts";

/** What became of a trace in a worker. */
export type UnitOutcome = UnitDone | UnitFailed;

export interface UnitDone {
  readonly ok: true;
  /** The result says that its trace lost data, or was only inferred from. */
  readonly isLossy: boolean;
}

export interface UnitFailed {
  readonly ok: false;
  readonly code: FailureCode;
  readonly message: string;
}

/** A trace's own error, or what happened to the worker that had it. */
export type FailureCode =
  | TraceErrorCode
  | "INTERNAL"
  | "TIMEOUT"
  | "OUT_OF_MEMORY"
  | "WORKER_LOST"
  | "DAMAGED_RESULT";

/** Trying again may help: the cause is in the machine or the network, and not in the trace. */
const TRANSIENT: ReadonlySet<string> = new Set<FailureCode>([
  "UNREADABLE",
  "UNWRITABLE",
  "WORKER_LOST",
]);

export function isTransient(code: string): boolean {
  return TRANSIENT.has(code);
}

/** The store itself does not take results: the next trace would fare no better. */
export function isOfStore(code: string): boolean {
  return code === "UNWRITABLE";
}

const MAX_MESSAGE = 500;

export function failureOf(error: unknown): UnitFailed {
  if (error instanceof TraceError) return failed(error.code, error.message);
  const message = error instanceof Error ? error.message : String(error);
  return failed("INTERNAL", `a defect of tlbi-replay: ${message}`);
}

export function failed(code: FailureCode, message: string): UnitFailed {
  return { ok: false, code, message: message.slice(0, MAX_MESSAGE) };
}
