import { Path } from "../../paths.ts";
import { EntryKind } from "../../stage2/entry-store.ts";
import { LAST_LEVEL } from "../../stage2/geometry.ts";
import type { RangeEncoding } from "../../tlbi/range-encoder.ts";
import { type Access, Found } from "../pe.ts";
import type { StaleOrigin } from "../stale-entries.ts";
import { type Hypothesis, HYPOTHESES } from "../shape.ts";
import type { GuestStream } from "../../accesses/access-source.ts";
import { CurveRecorder } from "./curve-recorder.ts";
import { GuestAccesses } from "./guest-accesses.ts";
import type { Guest } from "./guest.ts";
import { Lane, type LaneParts, MODELLED_VMS, type Moment, MOST_STALE_EXAMPLES } from "./lane.ts";
import type { Scenario } from "./scenarios.ts";

/** Hardware that drops exactly what changed: what it does beyond that is no hypothesis of it. */
function exactHypothesis(hypothesis: Hypothesis): Hypothesis {
  return hypothesis === "over-invalidating" ? "combined" : hypothesis;
}

/** One scenario and seed: every policy under every hypothesis sees the same visits. */
export class RefillWorld {
  readonly scenario: Scenario;
  /** Policy lanes by hypothesis and policy: `lanes[h * policies + p]`. */
  readonly lanes: readonly Lane[];
  /** Lanes without a policy, and which of them a policy lane is paired with. */
  readonly exact: readonly Lane[];
  /** Who makes the visits; whoever makes them keeps it up to date. */
  moment: Readonly<Moment> = { tsNs: 0, cpu: -1, pid: -1 };
  /** Refills against TLB size; of the first world only. */
  curve: CurveRecorder | undefined;
  visits = 0;
  /** Visits given up: what was drawn was not mapped then, or lies outside what the trace has mapped so far. */
  unmapped = 0;
  outside = 0;
  readonly #streamOf: (scenario: Scenario, vm: number) => GuestStream;
  /** By VM. */
  readonly #accesses: (GuestAccesses | undefined)[] = [];
  #cutOfGone = 0;
  readonly #exactOf: readonly number[];
  /** Number of the next visit. */
  #number = 1;
  /** By VM: the lanes count as warm again from this visit on. */
  readonly #healed = new Float64Array(MODELLED_VMS);
  /** Last visit of each page of a footprint, by VM and PE. */
  readonly #lastVisit = new Map<number, Float64Array>();
  readonly #found: Uint8Array;
  readonly #references: Float64Array;
  readonly #stage2: Float64Array;
  readonly #use: Access = {
    vm: 0,
    ipaSpace: 0,
    vaSpace: 0,
    vaPage: 0,
    ipaPage: 0,
    stage1Class: 0,
    stage2Class: 0,
    tableClass: 0,
    isWrite: false,
  };

  constructor(
    scenario: Scenario,
    parts: LaneParts,
    encodings: readonly (RangeEncoding | undefined)[],
    streamOf: (scenario: Scenario, vm: number) => GuestStream,
    hypotheses: readonly Hypothesis[] = HYPOTHESES,
  ) {
    this.scenario = scenario;
    this.#streamOf = streamOf;
    const exactNames = [...new Set(hypotheses.map((one) => exactHypothesis(one)))];
    this.exact = exactNames.map((one) => new Lane(parts, one, undefined));
    this.lanes = hypotheses.flatMap((one) =>
      encodings.map((encoding) => new Lane(parts, one, encoding)),
    );
    this.#exactOf = this.lanes.map(({ hypothesis }) =>
      exactNames.indexOf(exactHypothesis(hypothesis)),
    );
    this.#found = new Uint8Array(this.lanes.length);
    this.#references = new Float64Array(this.lanes.length);
    this.#stage2 = new Float64Array(this.lanes.length);
  }

  /** Draws the curves of every size from here on: the first hypothesis whose entries are as the preset's. */
  drawCurves({ keys, geometry, shape }: LaneParts): void {
    const exact = this.exact.find(({ hypothesis }) => hypothesis === "combined")!;
    const { sets } = shape.secondLevel;
    this.curve = new CurveRecorder(this.lanes, exact, keys, geometry.spanShift, sets);
  }

  get nextVisit(): number {
    return this.#number;
  }

  /** The lanes recover in time that is not simulated. */
  heal(vm: number): void {
    this.#healed[vm] = this.#number;
  }

  /** A VMID is given out anew. */
  forgetVm(vm: number): void {
    this.#cutOfGone += this.#accesses[vm]?.visitsCut ?? 0;
    this.#accesses[vm] = undefined;
    for (const lane of [...this.lanes, ...this.exact]) lane.forgetVm(vm);
    for (const key of this.#lastVisit.keys()) {
      if (key % MODELLED_VMS === vm) this.#lastVisit.delete(key);
    }
  }

  /** Visits of simulated episodes that came too late behind their flush to be made. */
  get visitsCut(): number {
    let cut = this.#cutOfGone;
    for (const accesses of this.#accesses) cut += accesses?.visitsCut ?? 0;
    return Math.round(cut);
  }

  /** A flush is simulated: what the guest does behind it on this PE is too. */
  renew(guest: Guest, slot: number, share = 1): void {
    this.#accessesOf(guest).renew(slot, share);
  }

  /** What is still to be made on a PE is so many times as much: a bracket holds many flushes. */
  extend(guest: Guest, slot: number, factor: number): void {
    this.#accessesOf(guest).extend(slot, factor);
  }

  /** An episode is left out: nothing is visited, and every TLB counts as warm behind it. */
  skip(guest: Guest): void {
    this.#accessesOf(guest).stop();
    this.heal(guest.vm);
  }

  /** A vCPU was in the guest on a PE: makes what is due of its accesses. */
  advance(slot: number, guest: Guest, vcpu: number, fromNs: number, toNs: number): void {
    const accesses = this.#accessesOf(guest);
    const { vcpus, footprint } = guest;
    let due = accesses.take(slot, vcpu, vcpus, fromNs, toNs);
    if (due === 0) return;
    const source = accesses.source(vcpu, vcpus);
    while (due > 0) {
      if (source.left === 0) source.draw(footprint);
      // There is nothing to visit yet.
      if (source.left === 0) return;
      let isDone = source.index >= 0 && this.visitPage(slot, guest, source.index, source.isWrite);
      for (let draw = 1; draw < source.draws && !isDone; draw += 1) {
        source.draw(footprint);
        isDone = this.visitPage(slot, guest, source.index, source.isWrite);
      }
      if (!isDone && source.index >= 0) this.unmapped += 1;
      else if (!isDone) this.outside += 1;
      const made = Math.min(due, source.left);
      source.left -= made;
      due -= made;
    }
  }

  /** One visit of a page of the footprint; false where nothing is mapped there. */
  visitPage(slot: number, guest: Guest, index: number, isWrite: boolean): boolean {
    const page = guest.footprint.pages[index]!;
    const found = guest.context.table.lookup(page);
    if (found.kind !== EntryKind.leaf && found.kind !== EntryKind.unknown) return false;
    const leafClass = found.kind === EntryKind.leaf ? LAST_LEVEL - found.level : 0;
    const use = this.#use;
    use.vm = guest.vm;
    use.ipaSpace = guest.space;
    use.vaSpace = guest.space;
    use.vaPage = page;
    use.ipaPage = page;
    use.stage1Class = this.scenario.knobs.stage1Class;
    use.stage2Class = leafClass;
    use.tableClass = leafClass;
    use.isWrite = isWrite;
    this.#access(slot, guest, this.#previousVisit(slot, guest, index));
    this.visits += 1;
    return true;
  }

  #access(slot: number, guest: Guest, previous: number): void {
    const { lanes, exact } = this;
    for (let at = 0; at < lanes.length; at += 1) {
      const pe = lanes[at]!.pe(slot);
      const before = pe.walkReferences;
      const staleHits = pe.stale.hits;
      this.#found[at] = pe.access(this.#use);
      if (pe.stale.hits !== staleHits) this.#noteStale(lanes[at]!, pe.stale.lastOrigin);
      this.#references[at] = pe.walkReferences - before;
      let held = 0;
      if (this.#found[at] === Found.nowhere && pe.missedStage2Count > 0) {
        const paired = exact[this.#exactOf[at]!]!.pe(slot);
        for (let i = 0; i < pe.missedStage2Count; i += 1) {
          if (paired.holdsStage2(pe.missedStage2[i]!)) held += 1;
        }
      }
      this.#stage2[at] = held;
    }
    for (let of = 0; of < exact.length; of += 1) {
      const pe = exact[of]!.pe(slot);
      const before = pe.walkReferences;
      const isHit = pe.access(this.#use) !== Found.nowhere;
      const references = pe.walkReferences - before;
      for (let at = 0; at < lanes.length; at += 1) {
        if (this.#exactOf[at] !== of) continue;
        const extra = this.#references[at]! - references;
        const isRefill = isHit && this.#found[at] === Found.nowhere;
        if (!isRefill && extra === 0 && this.#stage2[at] === 0) continue;
        this.#charge(at, slot, guest, previous, isRefill, extra);
      }
    }
    const { curve } = this;
    if (curve === undefined) return;
    const healed = this.#healed[guest.vm]! - 1;
    curve.record(slot, this.#use, guest.weight[slot] ?? 1, previous, healed);
  }

  #noteStale({ staleHitsFound }: Lane, origin: StaleOrigin | undefined): void {
    if (staleHitsFound.length >= MOST_STALE_EXAMPLES) return;
    const { ipaPage: page, isWrite = false } = this.#use;
    staleHitsFound.push({ ...this.moment, page, isWrite, origin });
  }

  #charge(
    at: number,
    slot: number,
    guest: Guest,
    previous: number,
    isRefill: boolean,
    extra: number,
  ): void {
    const lane = this.lanes[at]!;
    const marks = lane.marks(slot);
    const healed = this.#healed[guest.vm]! - 1;
    let path = marks.pathAfter(Math.max(previous, healed), guest.vm);
    if (path < 0) {
      // Lost in a time that was left out: it was refilled there.
      if (healed > previous && marks.pathAfter(healed, guest.vm) < 0) return;
      path = isRefill ? Path.unattributed : marks.lastPath(guest.vm);
    }
    const weight = guest.weight[slot] ?? 1;
    if (isRefill) lane.combined[path]! += weight;
    lane.stage2[path]! += this.#stage2[at]! * weight;
    lane.references[path]! += extra * weight;
  }

  #previousVisit(slot: number, guest: Guest, index: number): number {
    const key = slot * MODELLED_VMS + guest.vm;
    let visits = this.#lastVisit.get(key);
    if (visits === undefined || visits.length <= index) {
      const grown = new Float64Array(Math.max(1024, guest.footprint.pages.length)).fill(-1);
      if (visits !== undefined) grown.set(visits);
      visits = grown;
      this.#lastVisit.set(key, visits);
    }
    const previous = visits[index]!;
    visits[index] = this.#number;
    this.#number += 1;
    return previous;
  }

  #accessesOf(guest: Guest): GuestAccesses {
    const { vm } = guest;
    const known = this.#accesses[vm];
    if (known !== undefined) return known;
    const stream = this.#streamOf(this.scenario, vm);
    if (this.scenario.isBase && this.scenario.seed === 1) guest.stream = stream;
    const made = new GuestAccesses(stream, this.scenario.knobs.capVisits);
    this.#accesses[vm] = made;
    return made;
  }
}
