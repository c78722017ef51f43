import { PATHS } from "../../paths.ts";
import { encodeRange, type RangeEncoding, type RangeOpSink } from "../../tlbi/range-encoder.ts";
import { Primitive } from "../../tlbi/primitives.ts";
import type { PageKeys } from "../page-keys.ts";
import { ModelledPe } from "../pe.ts";
import type { StaleOrigin } from "../stale-entries.ts";
import type { Hypothesis, TlbShape, WalkGeometry } from "../shape.ts";
import { FlushMarks } from "./flush-marks.ts";
import type { LaneStacks } from "./lane-stacks.ts";

/** Contexts that are modelled at one time: as VMIDs, they are given out anew. */
export const MODELLED_VMS = 64;

/** Stale hits that are told one by one, of each policy. */
export const MOST_STALE_EXAMPLES = 10;

/** A use of a translation that the page table no longer held. */
export interface StaleHit {
  /** When, at the latest: visits are simulated once the time in the guest is known. */
  readonly tsNs: number;
  readonly cpu: number;
  readonly pid: number;
  readonly page: number;
  readonly isWrite: boolean;
  readonly origin: StaleOrigin | undefined;
}

/** Who makes visits, until when. */
export interface Moment {
  tsNs: number;
  cpu: number;
  pid: number;
}

/** What all lanes of one model share. */
export interface LaneParts {
  readonly shape: TlbShape;
  readonly geometry: WalkGeometry;
  readonly keys: PageKeys;
}

/**
 * The TLBs of all PEs under one policy and hypothesis; without a policy, those of hardware that drops
 * exactly what the page table no longer holds.
 */
export class Lane {
  readonly hypothesis: Hypothesis;
  /** Sums over visits, by path, each times the weight of its episode. */
  readonly combined: Float64Array = new Float64Array(PATHS.length);
  readonly stage2: Float64Array = new Float64Array(PATHS.length);
  readonly references: Float64Array = new Float64Array(PATHS.length);
  /** The first stale hits. */
  readonly staleHitsFound: StaleHit[] = [];
  /** Arrays of every size that see the same flushes; undefined where no curve is drawn. */
  stacks: LaneStacks | undefined;
  readonly #parts: LaneParts;
  readonly #encoding: RangeEncoding | undefined;
  readonly #pes: (ModelledPe | undefined)[] = [];
  readonly #marks: FlushMarks[] = [];

  /** @param encoding how the policy's kernel cuts ranges; undefined: no policy, or one whose ranges take the VM. */
  constructor(parts: LaneParts, hypothesis: Hypothesis, encoding: RangeEncoding | undefined) {
    this.#parts = parts;
    this.hypothesis = hypothesis;
    this.#encoding = encoding;
  }

  pe(slot: number): ModelledPe {
    const known = this.#pes[slot];
    if (known !== undefined) return known;
    const { shape, geometry, keys } = this.#parts;
    const made = new ModelledPe(shape, geometry, this.hypothesis, keys, MODELLED_VMS);
    this.#pes[slot] = made;
    this.#marks[slot] = new FlushMarks();
    return made;
  }

  marks(slot: number): FlushMarks {
    this.pe(slot);
    return this.#marks[slot]!;
  }

  get staleHits(): number {
    let hits = 0;
    for (const pe of this.#pes) hits += pe?.stale.hits ?? 0;
    return hits;
  }

  /**
   * Calls of one run: `count` of a primitive, the first at `page`, each further one `stride` pages on.
   * @param slot of the PE that issues them; -1: one that is not modelled.
   */
  flush(
    primitive: number,
    vm: number,
    space: number,
    page: number,
    pages: number,
    count: number,
    stride: number,
    path: number,
    slot: number,
    visit: number,
  ): void {
    const isLocal = primitive === Primitive.IPA_LOCAL || primitive === Primitive.CPU;
    this.stacks?.flush(primitive, vm, slot);
    for (const [at, pe] of this.#pes.entries()) {
      if (pe === undefined || (isLocal && at !== slot)) continue;
      this.#marks[at]!.add(visit, primitive === Primitive.ALL ? -1 : vm, path);
      switch (primitive) {
        case Primitive.ALL:
          pe.flushEverything();
          break;
        case Primitive.VM:
          pe.flushBothStages(vm);
          break;
        case Primitive.CPU:
          pe.flushStage1(vm);
          break;
        case Primitive.RANGE:
          this.#flushRange(pe, vm, space, page, pages);
          break;
        default:
          for (let call = 0; call < count; call += 1) {
            pe.flushStage2(vm, space, page + call * stride, 1);
            if (stride === 0) break;
          }
          pe.flushStage1(vm);
      }
      pe.pruneStale();
    }
  }

  /** What hardware that knew exactly what changed would drop, on all PEs or on one. */
  drop(
    vm: number,
    space: number,
    page: number,
    pages: number,
    leafClass: number,
    only?: number,
  ): void {
    this.stacks?.drop(space, page, pages, leafClass, only);
    for (const [slot, pe] of this.#pes.entries()) {
      if (only === undefined || slot === only) pe?.dropLeaves(vm, space, page, pages, leafClass);
    }
  }

  markStale(
    vm: number,
    space: number,
    page: number,
    pages: number,
    leafClass: number,
    writesOnly: boolean,
    origin?: StaleOrigin,
  ): void {
    for (const pe of this.#pes) {
      pe?.markStale(vm, space, page, pages, leafClass, writesOnly, origin);
    }
  }

  /** A VMID is given out anew. */
  forgetVm(vm: number): void {
    this.stacks?.forgetVm(vm);
    for (const pe of this.#pes) {
      pe?.flushBothStages(vm);
      pe?.pruneStale();
    }
  }

  /** What the operands of the range's instructions name, which two kernels get wrong for 2^21 pages. */
  #flushRange(pe: ModelledPe, vm: number, space: number, page: number, pages: number): void {
    if (this.#encoding === undefined) {
      pe.flushBothStages(vm);
      return;
    }
    this.#sink.pe = pe;
    this.#sink.vm = vm;
    this.#sink.space = space;
    encodeRange(this.#encoding, page, pages, this.#sink);
    pe.flushStage1(vm);
  }

  readonly #sink = new Stage2Sink();
}

class Stage2Sink implements RangeOpSink {
  pe: ModelledPe | undefined;
  vm = 0;
  space = 0;

  single(ipaPage: number): void {
    this.pe?.flushStage2(this.vm, this.space, ipaPage, 1);
  }

  range(ipaPage: number, _scale: number, _num: number, coveredPages: number): void {
    if (coveredPages > 0) this.pe?.flushStage2(this.vm, this.space, ipaPage, coveredPages);
  }
}
