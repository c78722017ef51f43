import type { Diagnostics } from "../ingest/diagnostics.ts";
import type { Stage2Context } from "./contexts/context.ts";
import type { ContextRegistry } from "./contexts/registry.ts";
import { Call, type Task } from "./operations/task.ts";
import { Path } from "./paths.ts";
import { Certainty, type FlushQueue } from "./policies/flush-queue.ts";
import type { PolicyReplay } from "./policies/policy-replay.ts";
import { Primitive } from "./tlbi/primitives.ts";
import type { RootResolution, Tally } from "./tally.ts";
import { Aligner } from "./verify/alignment.ts";
import type { AgreementTally } from "./verify/agreement.ts";

/**
 * Told of everything that is settled: for instruction listings and the modelled TLB. Called
 * once per bracket, before its queues are cleared.
 */
export interface SettlementListener {
  settled(
    task: Task,
    policies: readonly PolicyReplay[],
    includeConditional: boolean,
    isCut: boolean,
  ): void;
  /** A call that every policy makes alike, outside brackets: a vCPU switch on a CPU. */
  addedToAll?(
    primitive: number,
    path: number,
    isCertain: boolean,
    cpu: number,
    context: Stage2Context,
  ): void;
  /** A recorded call outside brackets, that no policy predicts. */
  addedLoose?(primitive: number, page: number, pages: number, path: number): void;
  /** A recorded call took everything of every VM, whatever the policy: VMIDs were given out anew. */
  everythingFlushed?(path: number): void;
  /** A bracket ends in which no policy issued anything and nothing was recorded. */
  settledEmpty?(task: Task, policies: readonly PolicyReplay[]): void;
  /** An unmap call on a table of which everything is known found nothing mapped. */
  unmapFoundNothing?(task: Task): void;
  /** Events are missing before `line`: what was known of so many tables is not any more. */
  stateForgotten?(tables: number, line: number): void;
}

/**
 * Closes the books of one operation: resolves what was conditional, adds each policy's calls to its
 * tally, compares them with what was recorded, and adds the recorded calls to theirs.
 */
export class Settlement {
  readonly #policies: readonly PolicyReplay[];
  readonly #tallies: readonly Tally[];
  readonly #recorded: Tally;
  readonly #agreements: readonly AgreementTally[];
  readonly #contexts: ContextRegistry;
  readonly #diagnostics: Diagnostics;
  /** Policy of the recorded kernel itself, from whose fit state is learned; -1 where it is not known. */
  readonly #referenceIndex: number;
  readonly #listener: SettlementListener | undefined;
  readonly #aligner = new Aligner();

  constructor(parts: {
    policies: readonly PolicyReplay[];
    tallies: readonly Tally[];
    recorded: Tally;
    /** Empty where nothing is to be compared. */
    agreements: readonly AgreementTally[];
    contexts: ContextRegistry;
    diagnostics: Diagnostics;
    referenceIndex: number;
    listener: SettlementListener | undefined;
  }) {
    this.#policies = parts.policies;
    this.#tallies = parts.tallies;
    this.#recorded = parts.recorded;
    this.#agreements = parts.agreements;
    this.#contexts = parts.contexts;
    this.#diagnostics = parts.diagnostics;
    this.#referenceIndex = parts.referenceIndex;
    this.#listener = parts.listener;
  }

  /**
   * Settles and clears what a task's bracket holds; `primitivesRecorded`: their probes are enabled;
   * `isCut`: the trace does not show its end, so a predicted call that was not recorded proves nothing.
   */
  settle(task: Task, primitivesRecorded: boolean, isCut = false): void {
    const { recorded, queues } = task.ledger;
    if (recorded.length === 0 && queues.every(isEmpty)) {
      this.#listener?.settledEmpty?.(task, this.#policies);
      return;
    }
    this.#bindContext(task);
    const root = this.#resolveRoot(task, primitivesRecorded);
    const includeConditional = root === "higher";
    const mmu = task.context?.mmu ?? 0;
    for (const [i, tally] of this.#tallies.entries()) {
      const queue = queues[i]!;
      tally.addQueue(queue, root);
      const agreement = this.#agreements[i];
      if (agreement === undefined) continue;
      const listener = agreement.listenFor(task, isCut);
      this.#aligner.align(queue, recorded, mmu, includeConditional, listener);
      agreement.add(this.#aligner.report);
    }
    this.#addRecorded(task);
    this.#listener?.settled(task, this.#policies, includeConditional, isCut);
    recorded.clear();
    for (const queue of queues) queue.clear();
  }

  /** A recorded call outside every bracket, that no policy predicts from what the trace shows. */
  addLoose(primitive: number, page: number, pages: number, path: number): void {
    this.#listener?.addedLoose?.(primitive, page, pages, path);
    if (primitive === Primitive.ALL) this.#listener?.everythingFlushed?.(path);
    this.#recorded.add(path, primitive, page, pages, 1);
  }

  /** One call of every policy alike, outside brackets: a vCPU switch. */
  addToAll(
    primitive: number,
    path: number,
    certain: boolean,
    cpu: number,
    context: Stage2Context,
  ): void {
    this.#listener?.addedToAll?.(primitive, path, certain, cpu, context);
    for (const tally of this.#tallies) {
      if (certain) tally.add(path, primitive, 0, 0, 1);
      else tally.addUnknown(path, primitive, 1);
    }
  }

  get listener(): SettlementListener | undefined {
    return this.#listener;
  }

  get agreements(): readonly AgreementTally[] {
    return this.#agreements;
  }

  #bindContext(task: Task): void {
    const { context } = task;
    const { recorded } = task.ledger;
    if (context !== undefined && context.mmu === 0 && recorded.length > 0) {
      this.#contexts.bindMmuIfFree(context, recorded.mmu[0]!);
    }
  }

  /**
   * Whether calls that only a higher start level explains were issued: what was recorded decides, and
   * settles the start level of that context for good.
   */
  #resolveRoot(task: Task, primitivesRecorded: boolean): RootResolution {
    const { context } = task;
    if (context === undefined || !context.rootAssumed) return "as-assumed";
    if (!primitivesRecorded) return "unresolved";
    const { recorded } = task.ledger;
    const reference = task.ledger.queues[this.#referenceIndex];
    if (reference === undefined || !hasConditional(reference)) return "unresolved";
    this.#aligner.align(reference, recorded, context.mmu, false, undefined);
    const fitsAsAssumed = this.#aligner.isPerfect;
    this.#aligner.align(reference, recorded, context.mmu, true, undefined);
    const fitsHigher = this.#aligner.isPerfect && this.#aligner.report.conditionalMatched > 0;
    if (fitsAsAssumed === fitsHigher) return "unresolved";
    context.rootAssumed = false;
    if (fitsHigher) context.rootLevel -= 1;
    this.#diagnostics.add(
      "LEARNED",
      `context ${context.id}: the stage-2 walk starts at level ${context.rootLevel}, from the tables that were freed`,
      task.line,
    );
    return fitsHigher ? "higher" : "as-assumed";
  }

  #addRecorded(task: Task): void {
    const { recorded } = task.ledger;
    for (let at = 0; at < recorded.length; at += 1) {
      const primitive = recorded.primitive[at]!;
      const path = recordedPath(task, primitive);
      this.#recorded.add(path, primitive, recorded.page[at]!, recorded.pages[at]!, 1);
    }
  }
}

/** Path of a recorded call: that of its bracket; inside a map call the primitive tells more. */
export function recordedPath(task: Task, primitive: number): number {
  if (task.call !== Call.map) return task.path;
  if (primitive === Primitive.VM || primitive === Primitive.RANGE) return Path.collapse;
  return task.path === Path.collapse ? Path.remap : task.path;
}

function isEmpty(queue: FlushQueue): boolean {
  return queue.length === 0;
}

function hasConditional(queue: FlushQueue): boolean {
  for (let run = 0; run < queue.length; run += 1) {
    if (queue.certainty[run] === Certainty.ifRootIsHigher) return true;
  }
  return false;
}
