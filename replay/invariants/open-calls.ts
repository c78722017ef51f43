import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind, type EventKindName } from "../../ingest/events/kinds.ts";
import { ThreadStates } from "./thread-states.ts";

/** The page-table calls whose returns can be recorded. */
export const CALLS = ["map", "unmap", "wrprotect", "relax_perms", "split"] as const;
export type CallName = (typeof CALLS)[number];

const RETURNS = CALLS.map((call): EventKindName => `${call}_ret`);
export const CALLS_AND_RETURNS: readonly EventKindName[] = [...CALLS, ...RETURNS];

const CALL_CODES: readonly number[] = CALLS.map((call) => EventKind[call]);
const RETURN_CODES: readonly number[] = RETURNS.map((kind) => EventKind[kind]);

export interface OpenCall {
  /** Index into CALLS; -1 where none is open. */
  call: number;
  line: number;
  tsNs: number;
  pid: number;
}

/** Follows each thread's page-table call; the calls do not nest on a thread. */
export class OpenCalls {
  readonly #threads = new ThreadStates<OpenCall>(() => ({ call: -1, line: 0, tsNs: 0, pid: 0 }));
  /** By index into CALLS: a return of it was seen. */
  readonly hasReturns: boolean[] = CALLS.map(() => false);

  /**
   * @param unreturned gets a call that another one follows without its return.
   * @param uncalled gets the index of a return whose call is not open.
   */
  event(
    batch: EventBatch,
    row: number,
    unreturned: ((open: OpenCall) => void) | undefined,
    uncalled: ((call: number) => void) | undefined,
  ): void {
    const kind = batch.kind[row]!;
    const pid = batch.pid[row]!;
    const thread = this.#threads.of(pid);
    const call = CALL_CODES.indexOf(kind);
    if (call >= 0) {
      if (thread.call >= 0) unreturned?.(thread);
      thread.call = call;
      thread.line = batch.line[row]!;
      thread.tsNs = batch.tsNs[row]!;
      thread.pid = pid;
      return;
    }
    const returned = RETURN_CODES.indexOf(kind);
    if (returned < 0) return;
    this.hasReturns[returned] = true;
    if (thread.call === returned) thread.call = -1;
    else uncalled?.(returned);
  }

  stillOpen(): readonly OpenCall[] {
    return [...this.#threads.values()].filter(({ call }) => call >= 0);
  }

  clear(): void {
    this.#threads.clear();
  }
}
