import { parseResult, type ResultDocument } from "../../../reports/batch/result-document.ts";
import type { TraceProblem } from "../../../reports/batch/trace-entry.ts";
import type { BatchItem } from "../manifest.ts";
import { parseFailure } from "../run/failure-document.ts";
import type { ResultStore } from "../store/result-store.ts";

/** What the stores know of a trace. */
export interface FoundResult {
  readonly item: BatchItem;
  readonly outcome: ResultDocument | TraceProblem;
  /** Where the result lies, relative to its store. */
  readonly place: string;
}

/** Documents that are asked for ahead of the one that is being merged: a bucket answers slowly. */
const AHEAD = 8;

/** The results of items, in their order, from the first store that has each. */
export async function* readResults(
  items: readonly BatchItem[],
  stores: readonly ResultStore[],
): AsyncGenerator<FoundResult, void, undefined> {
  const pending: Promise<FoundResult>[] = [];
  for (const item of items) {
    const found = findResult(item, stores);
    // A failure shows when it is awaited; until then it must not count as unhandled.
    found.catch(() => undefined);
    pending.push(found);
    if (pending.length >= AHEAD) yield await pending.shift()!;
  }
  for (const found of pending) yield await found;
}

const MISSING: TraceProblem = { code: "MISSING", message: "nobody has worked on this trace yet" };

async function findResult(item: BatchItem, stores: readonly ResultStore[]): Promise<FoundResult> {
  let problem: TraceProblem = MISSING;
  for (const store of stores) {
    const place = store.place("results", item.key);
    const text = await store.read("results", item.key);
    if (text !== undefined) {
      const parsed = parseResult(text, item.key);
      if ("document" in parsed) return { item, outcome: parsed.document, place };
      problem = { code: "DAMAGED_RESULT", message: parsed.problem };
      continue;
    }
    const failureText = await store.read("failures", item.key);
    const failure = failureText === undefined ? undefined : parseFailure(failureText, item.key);
    if (failure !== undefined && problem === MISSING) {
      problem = { code: failure.code, message: failure.message };
    }
  }
  return { item, outcome: problem, place: "" };
}
