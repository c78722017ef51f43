import { PageKeys } from "../tlb/page-keys.ts";
import { EpisodeSampling } from "../tlb/refills/episodes.ts";
import { FlushIntervals } from "../tlb/refills/flush-intervals.ts";
import { GuestTable } from "../tlb/refills/guest-table.ts";
import { GuestTime } from "../tlb/refills/guest-time.ts";
import type { Guest } from "../tlb/refills/guest.ts";
import { HardBounds } from "../tlb/refills/hard-bounds.ts";
import type { KnobName, RefillKnobs } from "../tlb/refills/knobs.ts";
import type { RefillModelConfig } from "../tlb/refills/model-config.ts";
import { QueueApplier } from "../tlb/refills/queue-applier.ts";
import type { RefillSums } from "../tlb/refills/refill-counts.ts";
import type { WholeVmFlushes } from "../tlb/refills/refill-result.ts";
import { RunningGuests } from "../tlb/refills/running.ts";
import { KNOBS_OF, scenariosOf } from "../tlb/refills/scenarios.ts";
import { streamMaker } from "../tlb/refills/streams.ts";
import { RefillWorld } from "../tlb/refills/world.ts";
import { geometryOf } from "../stage2/geometry.ts";
import type { TlbShape, WalkGeometry } from "../tlb/shape.ts";
import { Primitive } from "../tlbi/primitives.ts";
import { Path } from "../paths.ts";
import type { X86Bracket } from "./bracket.ts";
import { GuestMemories, kindOf, OperationChanges } from "./refill-changes.ts";
import { Entry } from "./spte.ts";
import type { X86Task } from "./task.ts";
import type { TdpTable } from "./tdp-table.ts";

/** A guest of 48 bits of VA, and nested tables of so many levels: 4 KiB granules on both sides. */
export const X86_WALK: WalkGeometry = { spanShift: 9, stage1Levels: 4, stage2Levels: 4 };

const LATENCIES: readonly KnobName[] = ["walkNs", "refNs", "flushNs"];
/** Knobs that mean something here: those of the generated stream, but for latencies, of which none is stated. */
export const X86_KNOBS: readonly KnobName[] = KNOBS_OF.generated.filter(
  (name) => !LATENCIES.includes(name),
);

/** Caps of visits that the times between the flushes of one operation share: all of them while there are no more. */
const CAPS_SHARED = 4;

/** The TLB to model, and the guest on it. */
export interface X86Tlb {
  readonly id: string;
  readonly shape: TlbShape;
  readonly knobs: RefillKnobs;
  /** Knobs that the user set: they do not vary. */
  readonly fixed: ReadonlySet<KnobName>;
}

/** Everything that begins anew once the first kvm_entry shows who runs where. */
interface Machine {
  readonly worlds: readonly RefillWorld[];
  readonly running: RunningGuests;
  readonly intervals: FlushIntervals;
  readonly bounds: HardBounds;
  readonly sampling: EpisodeSampling;
  readonly time: GuestTime;
  readonly guests: GuestTable;
  readonly applier: QueueApplier;
}

/**
 * The modelled TLBs of one x86 replay: those of arm64's, with entries of both stages combined and a flush
 * that takes all of a VM. By kvm_entry and kvm_exit each CPU in a guest is one PE; without them one vCPU of
 * each VM is taken to run without pause.
 */
export class X86RefillModel implements RefillSums {
  readonly config: RefillModelConfig;
  readonly proven: RefillSums["proven"] = { made: 0, lost: 0 };
  guestFaults = 0;
  refaults = 0;
  readonly changes: OperationChanges = new OperationChanges();
  readonly #memories = new GuestMemories();
  #machine: Machine;
  #hasEntries = false;
  #nowNs = 0;

  constructor({ id, shape, knobs, fixed }: X86Tlb, policies: number) {
    this.config = {
      tlb: id,
      shape,
      walk: X86_WALK,
      geometry: geometryOf(12),
      knobs,
      fixed,
      stream: "generated",
      curves: false,
      // No flush names what it spares.
      encodings: Array.from({ length: policies }, () => undefined),
    };
    this.#machine = machineOf(this.config);
  }

  get worlds(): readonly RefillWorld[] {
    return this.#machine.worlds;
  }
  get bounds(): HardBounds {
    return this.#machine.bounds;
  }
  get intervals(): FlushIntervals {
    return this.#machine.intervals;
  }
  get running(): RunningGuests {
    return this.#machine.running;
  }
  get sampling(): EpisodeSampling {
    return this.#machine.sampling;
  }
  get guests(): Iterable<Guest> {
    return this.#machine.guests.all();
  }
  get contextsLeftOut(): number {
    return this.#machine.guests.leftOut;
  }

  get wholeVm(): WholeVmFlushes {
    const running = this.#hasEntries
      ? "who is in a guest on which CPU is told by kvm_entry and kvm_exit"
      : "the trace has no kvm_entry and kvm_exit: of each VM one vCPU is taken to run without pause, on a PE of its own, from its first mapping on: assumed";
    return {
      hypothesis: "combined",
      meaning:
        "as the preset has them; a flush drops all of the VM, combined entries and those of the paging structures alike",
      notSplit: "x86 has no flush of one stage, so no refills of stage 2 by themselves",
      assumptions: [
        running,
        "a flush drops every entry that is tagged with the VM (VPID and EPTP, or ASID) on each PE: at once where a vCPU is in the guest, and before its next entry elsewhere, which is the same to it; so does one by range (`hyperv`)",
        `the flushes of one operation are spread evenly over its time until its last change; where they are more than ${CAPS_SHARED}, the times between them share ${CAPS_SHARED} × capVisits visits evenly, so what they cost is a lower bound`,
        "roots that are invalidated as a whole begin with nothing cached, under every policy and without one",
        ...(this.changes.otherSpaces === 0
          ? []
          : [
              `${this.changes.otherSpaces} changes in the tables of system management mode: nobody is taken to use them`,
            ]),
      ],
    };
  }

  now(tsNs: number): void {
    this.#nowNs = tsNs;
  }

  entered(vm: number, cpu: number, pid: number): void {
    if (!this.#hasEntries) this.#begin();
    this.#leave(cpu);
    const memory = this.#memories.known(vm);
    const guest = memory === undefined ? undefined : this.#machine.guests.of(memory);
    this.running.enter(cpu, pid, guest, this.#nowNs);
  }

  left(cpu: number): void {
    if (!this.#hasEntries) this.#begin();
    this.#leave(cpu);
  }

  /** @param gpa that was not mapped; NaN where the event does not say. */
  faulted(vm: number, gpa: number): void {
    this.guestFaults += 1;
    const memory = this.#memories.known(vm);
    const guest = memory === undefined ? undefined : this.#machine.guests.of(memory);
    if (guest?.footprint.has(Math.floor(gpa / 4096)) === true) this.refaults += 1;
  }

  /** An operation of a thread is about to change a table: until it began, the guest ran on the old one. */
  changing(vm: number, table: TdpTable, space: number, bracket: X86Bracket): void {
    if (space !== 0) return;
    const guest = this.#machine.guests.of(this.#memories.of(vm, table));
    if (guest === undefined) return;
    if (!this.#hasEntries && !this.running.guest.includes(guest)) {
      this.running.enter(-1 - guest.vm, -1 - guest.vm, guest, this.#nowNs);
    }
    this.#machine.time.advanceGuest(guest, Math.min(bracket.tsNs, this.#nowNs));
  }

  /** An entry has changed. @param isProtected a leaf stayed, without its write permission. */
  changed(
    vm: number,
    { pid, bracket }: X86Task,
    space: number,
    gfn: number,
    level: number,
    before: number,
    after: number,
    isProtected: boolean,
  ): void {
    if (space !== 0) {
      this.changes.otherSpaces += 1;
      return;
    }
    const isFault = bracket.path === Path.collapse;
    const kind = kindOf(before, after, level, isProtected, isFault);
    this.changes.countSplit(level, before, after);
    this.changes.add(vm, pid, gfn, level, kind, this.#nowNs);
    if (after !== Entry.leaf) return;
    const memory = this.#memories.known(vm);
    const guest = memory === undefined ? undefined : this.#machine.guests.of(memory);
    guest?.footprint.addRange(gfn, 512 ** (level - 1));
  }

  settled(pid: number, bracket: X86Bracket): void {
    const open = this.changes.take(pid);
    const memory = open === undefined ? undefined : this.#memories.known(open.vm);
    const guest = memory === undefined ? undefined : this.#machine.guests.of(memory);
    if (open === undefined || guest === undefined) return;
    const { time, running, applier } = this.#machine;
    const queues = bracket.books.map(({ queue }) => queue);
    const flushes = queues.some(({ length }) => length > 0);
    // Nobody uses what a VM that ends, or a root that is left, had mapped.
    const isLeft = bracket.rootsInvalidated || bracket.path === Path.teardown;
    // vCPUs are on new roots while the old ones are taken apart.
    if (bracket.rootsInvalidated) this.#reloadRoots(guest, bracket.path);
    const isSampled = !flushes || time.beginEpisode([guest]);
    applier.apply({
      queues,
      guest,
      slot: -1,
      isSampled,
      includeConditional: false,
      changes: open.changes,
      due: isLeft ? [] : open.changes.filter(({ kind }) => kind !== "unclear"),
      running,
      advance: (toNs) => {
        time.advanceGuest(guest, toNs);
      },
      path: bracket.path,
      capsShared: CAPS_SHARED,
      startNs: bracket.tsNs,
      nowNs: Math.max(bracket.tsNs, open.lastNs),
    });
  }

  destroyed(vm: number): void {
    const memory = this.#memories.forget(vm);
    if (memory === undefined) return;
    for (const guest of this.guests) {
      if (guest.context !== memory) continue;
      this.#machine.time.advanceGuest(guest, this.#nowNs);
      const slot = this.running.guest.indexOf(guest);
      if (slot >= 0) this.running.leave(this.running.cpu[slot]!, this.#nowNs);
    }
  }

  /** Events are missing: nothing of the tables is known, nor who runs. */
  stateForgotten(): void {
    this.running.forget();
    this.changes.clear();
    for (const { vm } of this.guests) {
      for (const world of this.worlds) world.forgetVm(vm);
    }
  }

  finish(): void {
    for (const guest of this.guests) {
      this.#machine.time.advanceGuest(guest, this.#nowNs);
      this.bounds.finish(guest);
    }
  }

  #reloadRoots({ vm, space }: Guest, path: number): void {
    for (const world of this.worlds) {
      for (const lane of [...world.exact, ...world.lanes]) {
        lane.flush(Primitive.VM, vm, space, 0, 0, 1, 0, path, -1, world.nextVisit);
      }
    }
  }

  #leave(cpu: number): void {
    const slot = this.running.slotOf(cpu);
    if (slot >= 0) this.#machine.time.advance(slot, this.#nowNs);
    this.running.leave(cpu, this.#nowNs);
  }

  /** The trace does show who runs: what was assumed until here counts no more. */
  #begin(): void {
    this.#hasEntries = true;
    const before = this.#machine;
    this.#machine = machineOf(this.config);
    for (const { context, footprint } of before.guests.all()) {
      const guest = this.#machine.guests.of(context);
      for (let i = 0; i < footprint.length; i += 1) guest?.footprint.add(footprint.pages[i]!);
    }
  }
}

function machineOf(config: RefillModelConfig): Machine {
  const { shape, knobs, fixed, encodings, walk } = config;
  const parts = { shape, geometry: walk, keys: new PageKeys() };
  const streamOf = streamMaker(undefined, config.geometry.pageShift);
  const worlds = scenariosOf("generated", knobs, fixed).map(
    (scenario) => new RefillWorld(scenario, parts, encodings, streamOf, ["combined"]),
  );
  const { sets, ways } = shape.secondLevel;
  const entries = shape.firstLevelEntries + sets * ways * shape.coalescedPages;
  const running = new RunningGuests();
  const intervals = new FlushIntervals(config);
  const bounds = new HardBounds(encodings.length, entries, intervals);
  const sampling = new EpisodeSampling(knobs.episodes);
  const time = new GuestTime(config, { worlds, running, bounds, sampling });
  const guests = new GuestTable(worlds, bounds);
  const applier = new QueueApplier(worlds, encodings.length, bounds);
  return { worlds, running, intervals, bounds, sampling, time, guests, applier };
}
