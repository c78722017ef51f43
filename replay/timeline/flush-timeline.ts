import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import type { Stage2Context } from "../contexts/context.ts";
import { Bracket, Call, type Task } from "../operations/task.ts";
import type { FlushQueue } from "../policies/flush-queue.ts";
import { Certainty } from "../policies/flush-queue.ts";
import { callOf, recordedCallOf, type ReplayConfig, type ReplayObserver } from "../replay.ts";
import type { PolicyReplay } from "../policies/policy-replay.ts";
import { geometryOf } from "../stage2/geometry.ts";
import type { ReplayState } from "../state.ts";
import { countDsbs, countTlbis, type PrimitiveCall } from "../tlbi/instructions.ts";
import { Primitive, PRIMITIVES } from "../tlbi/primitives.ts";
import { EventRing } from "./event-ring.ts";
import { FlushDensity } from "./flush-density.ts";
import { HeatMap } from "./heat-map.ts";
import { OperationSizes } from "./operation-sizes.ts";
import { recordedPath } from "../settlement.ts";
import { type OperationCost, Stalls } from "./stalls.ts";
import { TimeBins } from "./time-bins.ts";

const TIMELINE_BINS = 2048;
const HEAT_BINS = 128;
/** Events kept of an operation. */
const EVENTS_KEPT = 10;

const K = EventKind;

/**
 * When and where invalidations are issued, under every policy: follows a replay in bounded memory, whatever
 * the trace's length. The calls it counts are those of the `flushes` table, by time.
 */
export class FlushTimeline implements ReplayObserver {
  readonly bins: TimeBins = new TimeBins(TIMELINE_BINS);
  readonly heatBins: TimeBins = new TimeBins(HEAT_BINS);
  readonly density: FlushDensity;
  readonly sizes: OperationSizes;
  readonly stalls: Stalls;
  readonly heat: HeatMap;
  readonly changes: HeatMap;
  /** Ids of the policies, `recorded` last. */
  readonly policies: readonly string[];
  readonly pageBytes: number;
  /** How the calls of each policy become instructions. */
  readonly calls: readonly PrimitiveCall[];
  readonly #ring = new EventRing();
  readonly #tlbi: Float64Array;
  readonly #weights: Float64Array;
  readonly #sums: Sum[];
  #state: ReplayState | undefined;
  #nowNs = 0;

  constructor(config: ReplayConfig) {
    const { pageShift } = config;
    const policies = config.policies.map(({ policy }) => policy.id);
    this.policies = [...policies, "recorded"];
    this.pageBytes = 2 ** pageShift;
    this.calls = [
      ...config.policies.map(({ policy, features }) => callOf(pageShift, policy, features)),
      recordedCallOf(config),
    ];
    const count = this.policies.length;
    this.density = new FlushDensity(this.bins, count);
    this.sizes = new OperationSizes(count);
    this.stalls = new Stalls(this.bins, count);
    this.heat = new HeatMap(geometryOf(pageShift), this.heatBins, count);
    this.changes = this.heat;
    this.#tlbi = new Float64Array(count);
    this.#weights = new Float64Array(count);
    this.#sums = this.policies.map(() => ({
      calls: 0,
      tlbi: 0,
      dsb: 0,
      unknown: 0,
      certain: new Float64Array(PRIMITIVES.length),
      undecided: new Float64Array(PRIMITIVES.length),
    }));
  }

  attach(state: ReplayState): void {
    this.#state = state;
  }

  finish(): void {}

  before(batch: EventBatch, row: number): void {
    const tsNs = batch.tsNs[row]!;
    this.#nowNs = tsNs;
    const kind = batch.kind[row]!;
    if (kind === K.other) {
      // The first event of all begins the time axis; others of its kind change nothing.
      if (Number.isNaN(this.bins.originNs)) this.#at(tsNs);
      return;
    }
    this.#ring.push(batch, row);
    if (kind === K.kvm_entry || kind === K.kvm_exit) return;
    this.#at(tsNs);
    if (kind === K.destroy) this.#destroyed("pgt", batch.pgt[row]!);
    else if (kind === K.free_pgd) this.#destroyed("mmu", batch.mmu[row]!);
  }

  entered(task: Task, context: Stage2Context): void {
    this.heat.entered(task.pid, context);
  }

  settled(
    task: Task,
    _policies: readonly PolicyReplay[],
    includeConditional: boolean,
    _isCut: boolean,
  ): void {
    const { queues, recorded } = task.ledger;
    const bin = this.bins.binOf(this.#nowNs);
    const isUnresolved = !includeConditional && task.context?.rootAssumed === true;
    const last = this.policies.length - 1;
    for (let policy = 0; policy < last; policy += 1) {
      this.#addQueue(policy, queues[policy]!, bin, includeConditional, isUnresolved);
    }
    const sum = this.#sums[last]!;
    resetSum(sum);
    for (let at = 0; at < recorded.length; at += 1) {
      const primitive = recorded.primitive[at]!;
      const path = recordedPath(task, primitive);
      this.#addCalls(last, path, primitive, bin, recorded.page[at]!, recorded.pages[at]!, 1);
    }
    for (const [policy, { tlbi, dsb }] of this.#sums.entries()) {
      this.#tlbi[policy] = tlbi;
      this.#weights[policy] = tlbi + dsb;
    }
    this.sizes.add(this.#tlbi);
    if (this.stalls.wants(this.#weights, bin)) this.#keep(task, bin);
    this.heat.settled(task.pid, task.context, queues, recorded);
  }

  settledEmpty(task: Task): void {
    this.heat.settledEmpty(task.pid);
  }

  addedToAll(primitive: number, path: number, isCertain: boolean): void {
    const bin = this.bins.binOf(this.#nowNs);
    for (let policy = 0; policy < this.policies.length - 1; policy += 1) {
      if (isCertain) this.#addCalls(policy, path, primitive, bin, 0, 0, 1);
      else this.density.addUnknown(policy, path, primitive, bin, 1);
    }
  }

  addedLoose(primitive: number, page: number, pages: number, path: number): void {
    const bin = this.bins.binOf(this.#nowNs);
    this.#addCalls(this.policies.length - 1, path, primitive, bin, page, pages, 1);
  }

  stateForgotten(): void {
    this.heat.forget();
  }

  #at(tsNs: number): void {
    this.bins.binOf(tsNs);
    this.heat.at(tsNs);
  }

  #destroyed(pointer: "pgt" | "mmu", id: number): void {
    if (id === 0 || this.#state === undefined) return;
    for (const context of this.#state.contexts.live()) {
      if (context[pointer] === id) this.heat.destroyed(context);
    }
  }

  #addQueue(
    policy: number,
    queue: FlushQueue,
    bin: number,
    includeConditional: boolean,
    isUnresolved: boolean,
  ): void {
    const sum = this.#sums[policy]!;
    resetSum(sum);
    for (let run = 0; run < queue.length; run += 1) {
      const certainty = queue.certainty[run];
      const primitive = queue.primitive[run]!;
      const path = queue.path[run]!;
      const count = queue.count[run]!;
      const isConditional = certainty === Certainty.ifRootIsHigher;
      if (certainty === Certainty.certain || (isConditional && includeConditional)) {
        this.#addCalls(policy, path, primitive, bin, queue.page[run]!, queue.pages[run]!, count);
      } else if (!isConditional || isUnresolved) {
        sum.unknown += count;
        sum.undecided[primitive]! += count;
        this.density.addUnknown(policy, path, primitive, bin, count);
      }
    }
  }

  #addCalls(
    policy: number,
    path: number,
    primitive: number,
    bin: number,
    page: number,
    pages: number,
    count: number,
  ): void {
    const call = this.calls[policy]!;
    call.ipaPage = page;
    call.lenPages = primitive === Primitive.RANGE ? pages : 1;
    const tlbi = countTlbis(primitive, call) * count;
    const dsb = countDsbs(primitive, call) * count;
    const sum = this.#sums[policy]!;
    sum.calls += count;
    sum.certain[primitive]! += count;
    sum.tlbi += tlbi;
    sum.dsb += dsb;
    this.density.add(policy, path, primitive, bin, count, tlbi, dsb);
  }

  #keep(task: Task, bin: number): void {
    const range = rangeOf(task);
    const { events, left } = this.#ring.of(task.pid, task.line, EVENTS_KEPT);
    const costs: OperationCost[] = this.#sums.map(
      ({ calls, tlbi, dsb, unknown, certain, undecided }) => ({
        calls,
        tlbi,
        dsb,
        unknownCalls: unknown,
        byPrimitive: { certain: [...certain], undecided: [...undecided] },
      }),
    );
    const operation = {
      startNs: Math.min(task.tsNs, this.#nowNs),
      lastNs: this.#nowNs,
      line: task.line,
      cpu: task.cpu,
      pid: task.pid,
      vm: task.context?.id ?? 0,
      path: pathOf(task),
      ipaPage: range.page,
      ipaPages: range.pages,
      costs,
      events,
      eventsLeft: left,
    };
    this.stalls.add(operation, bin);
  }
}

/** What one policy issues in the operation that settles. */
interface Sum {
  calls: number;
  tlbi: number;
  dsb: number;
  unknown: number;
  /** In the order of PRIMITIVES. */
  readonly certain: Float64Array;
  readonly undecided: Float64Array;
}

function resetSum(sum: Sum): void {
  sum.calls = 0;
  sum.tlbi = 0;
  sum.dsb = 0;
  sum.unknown = 0;
  sum.certain.fill(0);
  sum.undecided.fill(0);
}

/** What an operation is about; NaN where it names no range. */
function rangeOf(task: Task): { page: number; pages: number } {
  if (task.call !== Call.none) {
    return { page: task.startPage, pages: task.endPage - task.startPage };
  }
  if (task.bracket === Bracket.request && !Number.isNaN(task.requestPage)) {
    return { page: task.requestPage, pages: task.requestPages };
  }
  if (task.protect.path !== 0 && !Number.isNaN(task.protect.basePage)) {
    return { page: task.protect.basePage, pages: task.protect.pages };
  }
  return { page: Number.NaN, pages: Number.NaN };
}

/** Path that most of an operation's calls belong to: that of the first call of a policy, else its own. */
function pathOf(task: Task): number {
  for (const queue of task.ledger.queues) if (queue.length > 0) return queue.path[0]!;
  return task.path;
}
