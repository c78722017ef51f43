import * as fc from "fast-check";
import { LeafFlag } from "../stage2/entry-store.ts";
import { geometryOf } from "../stage2/geometry.ts";
import { SlowTable } from "./slow-table.ts";
import { GIB, KIB, MIB, PROT, type Slot, Trace, type Vm } from "./trace-builder.ts";

const PAGE: number = 4 * KIB;
const RWX: number = LeafFlag.read | LeafFlag.write | LeafFlag.execute | LeafFlag.young;
const RX: number = LeafFlag.read | LeafFlag.execute | LeafFlag.young;

/** One slot over a 1 GiB host page, then transparent 2 MiB pages, then plain pages. */
export const SLOT: Slot = { base: GIB, size: 3 * GIB };
const HUGE: number = GIB;
const THP: number = 2 * GIB;
const PLAIN: number = 3 * GIB;

export type Step =
  | {
      readonly step: "access";
      readonly ipa: number;
      readonly writes: boolean;
      readonly vcpu: 0 | 1;
    }
  | { readonly step: "unmap"; readonly ipa: number; readonly size: number }
  | { readonly step: "clear"; readonly ipa: number; readonly span: number }
  | { readonly step: "split"; readonly ipa: number; readonly size: number; readonly chunk: number }
  | { readonly step: "retry"; readonly ipa: number }
  | { readonly step: "log" | "unlog" | "ring" | "age" };

/** Addresses near each other, at the borders of blocks of each region. */
const anyIpa: fc.Arbitrary<number> = fc
  .tuple(
    fc.constantFrom(HUGE, THP, THP, PLAIN, PLAIN),
    fc.integer({ min: 0, max: 2 }),
    fc.constantFrom(0, 1, 2, 3, 300, 511),
  )
  .map(([region, block, page]) => region + block * 2 * MIB + page * PAGE);

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      step: fc.constant("access"),
      ipa: anyIpa,
      writes: fc.boolean(),
      vcpu: fc.constantFrom(0, 1),
    }),
    weight: 10,
  },
  {
    arbitrary: fc.record({
      step: fc.constant("unmap"),
      ipa: anyIpa,
      size: fc.constantFrom(PAGE, 4 * PAGE, 2 * MIB, 4 * MIB, GIB, 2 * GIB),
    }),
    weight: 3,
  },
  {
    arbitrary: fc.record({
      step: fc.constant("clear"),
      ipa: anyIpa,
      span: fc.integer({ min: 1, max: 32 }),
    }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      step: fc.constant("split"),
      ipa: fc.constantFrom(HUGE, THP),
      size: fc.constantFrom(2 * MIB, 4 * MIB),
      chunk: fc.constant(2 * MIB),
    }),
    weight: 1,
  },
  { arbitrary: fc.record({ step: fc.constant("retry"), ipa: anyIpa }), weight: 1 },
  { arbitrary: fc.record({ step: fc.constantFrom("log", "unlog", "ring", "age") }), weight: 2 },
);

/** A host that answers a guest's steps as the kernel does, and leaves a trace of it. */
export class RandomGuest {
  readonly trace: Trace = new Trace();
  /** Place in the trace at which each step begins; behind them, its end. */
  readonly marks: number[] = [];
  readonly #vm: Vm;
  readonly #vcpus: readonly [Vm, Vm];
  readonly #table: SlowTable = new SlowTable(geometryOf(12));
  #isLogging = false;

  constructor(steps: readonly Step[]) {
    this.#vm = this.trace.vm(100, 0).create(SLOT);
    this.#vcpus = [this.#vm.on(101, 1), this.#vm.on(102, 2)];
    for (const step of steps) {
      this.marks.push(this.trace.rows.length);
      this.#perform(step);
      // The thread goes on: nothing of it is open when the next step begins.
      this.#vm.add({ kind: "userspace_exit" });
    }
    this.marks.push(this.trace.rows.length);
  }

  #perform(step: Step): void {
    switch (step.step) {
      case "access":
        this.#access(this.#vcpus[step.vcpu], step.ipa, step.writes);
        break;
      case "unmap": {
        const size = Math.min(step.size, SLOT.base + SLOT.size - step.ipa);
        this.#vm.unmap(step.ipa, size);
        this.#table.unmap(step.ipa / PAGE, (step.ipa + size) / PAGE);
        break;
      }
      case "clear": {
        const first = (step.ipa - SLOT.base) / PAGE;
        const word = first - (first % 64);
        const bits = [first % 64, Math.min(63, (first % 64) + step.span - 1)];
        this.#vm.maskWord(SLOT, word, bits).remoteMemslot(SLOT);
        const low = SLOT.base / PAGE + word;
        this.#table.wrprotect(low + (bits[0] ?? 0), low + (bits[1] ?? 0) + 1);
        break;
      }
      case "split":
        this.#vm.split(step.ipa, step.size, step.chunk);
        for (let done = 0; done < step.size; done += step.chunk) {
          const page = (step.ipa + done) / PAGE;
          this.#table.split(page, page + step.chunk / PAGE, 2);
        }
        break;
      case "retry":
        this.#retry(step.ipa);
        break;
      case "log":
        this.#log();
        break;
      case "unlog":
        if (this.#isLogging) this.#vm.disableLog(SLOT);
        this.#isLogging = false;
        break;
      case "ring":
        this.#vm.ringReset().remote();
        break;
      case "age":
        this.#vm.age(SLOT.base, GIB).remote();
        break;
    }
  }

  #access(vcpu: Vm, ipa: number, writes: boolean): void {
    const { level, leaf } = this.#table.lookup(ipa / PAGE);
    if (leaf !== undefined && (!writes || (leaf.flags & LeafFlag.write) !== 0)) return;
    const block = this.#isLogging ? PAGE : hostBlock(ipa);
    vcpu.fault(ipa, level, leaf === undefined ? "translation" : "permission");
    if (leaf !== undefined && spanBytes(level) === block) {
      vcpu.relax(ipa);
      this.#table.relax(ipa / PAGE, RWX);
      return;
    }
    const isWritable = writes || !this.#isLogging;
    const base = ipa - (ipa % block);
    vcpu.map(base, block, base + 64 * GIB, isWritable ? PROT.rwx : PROT.rx);
    const flags = isWritable ? RWX : RX;
    this.#table.map(base / PAGE, block / PAGE, (base + 64 * GIB) / PAGE, flags, true);
  }

  /** A permission fault that another vCPU resolved first: relax_perms returns -EAGAIN. */
  #retry(ipa: number): void {
    const { level, leaf } = this.#table.lookup(ipa / PAGE);
    if (leaf === undefined) return;
    this.#vcpus[0].fault(ipa, level, "permission").relax(ipa, PROT.rwx, { ret: -11 });
    this.#table.relax(ipa / PAGE, RWX);
  }

  #log(): void {
    if (this.#isLogging) return;
    this.#isLogging = true;
    this.#vm.enableLog(SLOT).wrprotect(SLOT.base, SLOT.size).remoteMemslot(SLOT);
    this.#table.wrprotect(SLOT.base / PAGE, (SLOT.base + SLOT.size) / PAGE);
  }
}

function hostBlock(ipa: number): number {
  if (ipa < THP) return GIB;
  return ipa < PLAIN ? 2 * MIB : PAGE;
}

function spanBytes(level: number): number {
  return [512 * GIB, GIB, 2 * MIB, PAGE][level] ?? Number.NaN;
}
