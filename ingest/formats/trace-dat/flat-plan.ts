import type { EventBatch } from "../../events/columns.ts";
import type { PointerTable } from "../../events/pointers.ts";
import { type ArgumentPlan, Reading, Target } from "../text/argument-plan.ts";
import type { AppliedFunctions } from "./applied-functions.ts";
import { type DatEvent, DatEventForm } from "./dat-event.ts";
import { numberBytesOf } from "./field-values.ts";
import type { ProbeSite } from "./probe-sites.ts";

/** What is done with one field: its value goes straight from the page to its column. */
const Step = {
  pointer: 0,
  bits64: 1,
  quantity64: 2,
  uint32: 3,
  int32: 4,
  bool: 5,
  symbol: 6,
} as const;

/** Steps of a record that has nothing out of the ordinary. */
interface Steps {
  readonly step: number;
  readonly offset: number;
  readonly target: number;
}

/**
 * How the records of one event (of a probe: at one address) are read where all is ordinary: little-endian,
 * all arguments known and of usual sizes. Whatever is not (a value that does not fit, another address)
 * is left to RecordReader, which says why: `read` only tells that it could not.
 */
export class FlatPlan {
  readonly event: DatEvent;
  readonly kind: number;
  /** Of a probe: where its address stands in the record, and which it must be; -1: no probe. */
  readonly placeAt: number;
  readonly placeHigh: number;
  readonly placeLow: number;
  readonly count: number;
  readonly #batch: EventBatch;
  readonly #pointers: PointerTable;
  readonly #applied: AppliedFunctions;
  readonly #steps: Uint8Array;
  readonly #offsets: Uint32Array;
  /** Column of each step's value; of steps with another column, one that is not written. */
  readonly #numbers: readonly Float64Array[];
  readonly #ids: readonly Uint32Array[];
  /** Pointers that stand for two things go to a second column. */
  readonly #secondIds: readonly Uint32Array[];
  readonly #lastHigh: Int32Array;
  readonly #lastLow: Int32Array;
  readonly #lastId: Uint32Array;
  readonly #hasEnd: boolean;
  readonly #needsContext: boolean;

  constructor(
    event: DatEvent,
    site: ProbeSite | undefined,
    steps: readonly Steps[],
    batch: EventBatch,
    pointers: PointerTable,
    applied: AppliedFunctions,
  ) {
    this.event = event;
    this.kind = site?.kind ?? event.stockKind;
    this.placeAt = site === undefined ? -1 : event.placeAt;
    this.placeHigh = event.siteHigh;
    this.placeLow = event.siteLow;
    this.count = steps.length;
    this.#batch = batch;
    this.#pointers = pointers;
    this.#applied = applied;
    this.#steps = Uint8Array.from(steps, ({ step }) => step);
    this.#offsets = Uint32Array.from(steps, ({ offset }) => offset);
    this.#numbers = steps.map(({ target }) => numberColumn(batch, target));
    this.#ids = steps.map(({ target }) => idColumn(batch, target));
    this.#secondIds = steps.map(({ target }) =>
      target === Target["mmu+kvm"] ? batch.kvm : idColumn(batch, target),
    );
    this.#lastHigh = new Int32Array(steps.length);
    this.#lastLow = new Int32Array(steps.length);
    this.#lastId = new Uint32Array(steps.length);
    this.#hasEnd = steps.some(({ target }) => target === Target.end);
    this.#needsContext = site?.plan?.needsContext === true;
  }

  /** Reads the fields of the record whose payload begins at `at`. False: not ordinary; the row is dirty then. */
  read(view: DataView, at: number, row: number): boolean {
    const steps = this.#steps;
    const offsets = this.#offsets;
    for (let i = 0; i < steps.length; i += 1) {
      const place = at + offsets[i]!;
      switch (steps[i]!) {
        case Step.pointer: {
          const low = view.getInt32(place, true);
          const high = view.getInt32(place + 4, true);
          if (this.#lastLow[i] !== low || this.#lastHigh[i] !== high) this.#intern(i, high, low);
          const id = this.#lastId[i]!;
          this.#ids[i]![row] = id;
          this.#secondIds[i]![row] = id;
          break;
        }
        case Step.quantity64: {
          const high = view.getUint32(place + 4, true);
          if (high > 0x1f_ffff) return false;
          this.#numbers[i]![row] = high * 4_294_967_296 + view.getUint32(place, true);
          break;
        }
        case Step.bits64:
          this.#batch.prot[row] = view.getUint32(place, true);
          this.#batch.protHigh[row] = view.getUint32(place + 4, true);
          break;
        case Step.uint32:
          this.#numbers[i]![row] = view.getUint32(place, true);
          break;
        case Step.int32:
          this.#numbers[i]![row] = view.getInt32(place, true);
          break;
        case Step.bool:
          this.#numbers[i]![row] = view.getUint8(place) === 0 ? 0 : 1;
          break;
        default: {
          const low = view.getInt32(place, true);
          this.#numbers[i]![row] = this.#applied.indexOf(view.getInt32(place + 4, true), low);
        }
      }
    }
    return (!this.#hasEnd && !this.#needsContext) || this.#finish(row);
  }

  #intern(i: number, high: number, low: number): void {
    this.#lastHigh[i] = high;
    this.#lastLow[i] = low;
    this.#lastId[i] = this.#pointers.intern(high >>> 0, low >>> 0);
  }

  /** An exclusive end becomes a length; there must be a context where one is needed. */
  #finish(row: number): boolean {
    const { addr, len, pgt, mmu, kvm } = this.#batch;
    if (this.#hasEnd) {
      const length = len[row]! - addr[row]!;
      len[row] = length;
      if (!(length >= 0)) return false;
    }
    return !this.#needsContext || pgt[row] !== 0 || mmu[row] !== 0 || kvm[row] !== 0;
  }
}

/** The steps of an event's records; undefined where RecordReader has to read them. */
export function stepsOf(event: DatEvent): readonly Steps[] | undefined {
  const { site } = event;
  switch (event.form) {
    case DatEventForm.stock:
      return stockSteps(event);
    case DatEventForm.probe:
    case DatEventForm.returnProbe:
      return site?.plan === undefined || event.placeBytes !== 8
        ? bareSteps(event, site)
        : probeSteps(site, site.plan);
    default:
      return undefined;
  }
}

/** A probe that has no meaning, and of which nothing is to be said. */
function bareSteps(event: DatEvent, site: ProbeSite | undefined): readonly Steps[] | undefined {
  const isSilent = site !== undefined && !site.isUnresolved && site.remark === undefined;
  return isSilent && site.plan === undefined && event.placeBytes === 8 ? [] : undefined;
}

function probeSteps(site: ProbeSite, plan: ArgumentPlan): readonly Steps[] | undefined {
  if (!plan.isClean) return undefined;
  const steps: Steps[] = [];
  for (let i = 0; i < plan.count; i += 1) {
    const reading = plan.readings[i]!;
    if (reading === Reading.skip) continue;
    const target = plan.targets[i]!;
    const step = stepOf(reading, target, site.sizes[i]!, site.signed[i] === 1);
    if (step === undefined) return undefined;
    steps.push({ step, offset: site.offsets[i]!, target });
  }
  return steps;
}

function stepOf(
  reading: number,
  target: number,
  sizeBytes: number,
  isSigned: boolean,
): number | undefined {
  switch (reading) {
    case Reading.pointer:
      return sizeBytes === 8 ? Step.pointer : undefined;
    case Reading.quantity:
      if (sizeBytes === 4 && !isSigned) return Step.uint32;
      return sizeBytes === 8 ? Step.quantity64 : undefined;
    case Reading.bits64:
      return sizeBytes === 8 && target === Target.prot ? Step.bits64 : undefined;
    case Reading.int32:
      return sizeBytes >= 4 ? Step.int32 : undefined;
    case Reading.uint32:
      return sizeBytes >= 4 ? Step.uint32 : undefined;
    case Reading.bool:
      return sizeBytes > 0 ? Step.bool : undefined;
    case Reading.symbol:
      return sizeBytes === 8 ? Step.symbol : undefined;
    default:
      return undefined;
  }
}

/** Columns of a stock tracepoint's fields, in the order of DatEvent's `stockFields`. */
function stockSteps(event: DatEvent): readonly Steps[] | undefined {
  const { stockText, stockFields } = event;
  if (stockText === "none") return [];
  const targets = STOCK_TARGETS[stockText];
  if (stockFields === undefined || targets === undefined) return undefined;
  const steps: Steps[] = [];
  for (const [i, field] of stockFields.entries()) {
    const step = stepOf(Reading.quantity, 0, numberBytesOf(field), field.isSigned);
    if (step === undefined) return undefined;
    steps.push({ step, offset: field.offset, target: targets[i]! });
  }
  return steps;
}

const STOCK_TARGETS: Readonly<Record<string, readonly number[] | undefined>> = {
  guestFault: [Target.addr, Target.arg0],
  accessFault: [Target.addr],
  hvaRange: [Target.addr, Target.end],
  hvaOne: [Target.addr],
};

function numberColumn(batch: EventBatch, target: number): Float64Array {
  switch (target) {
    case Target.addr:
      return batch.addr;
    case Target.len:
    case Target.end:
      return batch.len;
    case Target.phys:
      return batch.phys;
    case Target.arg1:
      return batch.arg1;
    case Target.arg2:
      return batch.arg2;
    case Target.arg3:
      return batch.arg3;
    default:
      return batch.arg0;
  }
}

function idColumn(batch: EventBatch, target: number): Uint32Array {
  if (target === Target.pgt) return batch.pgt;
  return target === Target.kvm ? batch.kvm : batch.mmu;
}
