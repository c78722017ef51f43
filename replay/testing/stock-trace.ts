import type { MemslotFact } from "../../ingest/beside/memslots/memslot.ts";
import { Diagnostics } from "../../ingest/diagnostics.ts";
import { type InferenceResult, InferredReplay } from "../inference/inferred-replay.ts";
import type { ReplayConfig } from "../replay.ts";
import { ALL_IDS, BOTH, policyOf } from "./replay-of.ts";
import { type EventRow, feedRows } from "./rows.ts";
import { FAULT_KIND, type FaultKind } from "./units.ts";

/** Host address at which `STOCK_SLOT` and the stories of these tests begin. */
export const HVA = 0x7f00_0000_0000;

export interface StockSlot {
  readonly id?: number;
  readonly ipa: number;
  readonly size: number;
  readonly hva?: number;
  readonly flags?: number;
}

/** A trace of stock tracepoints, written as a story. Addresses and sizes in bytes. */
export class StockTrace {
  readonly rows: EventRow[] = [];
  readonly #pageBytes: number;

  constructor(pageBytes = 4096) {
    this.#pageBytes = pageBytes;
  }

  add(pid: number, row: Omit<EventRow, "pid" | "cpu">): this {
    this.rows.push({ ...row, pid, cpu: 0 });
    return this;
  }

  /** A memslot as a commit_region probe shows it; `change`: 0 create, 2 move, 3 flags. */
  slot({ id = 0, ipa, size, hva = HVA, flags = 0 }: StockSlot, kvm = 1, pid = 1, change = 0): this {
    const page = this.#pageBytes;
    const columns = { addr: ipa / page, len: size / page, phys: hva };
    return this.add(pid, {
      kind: "commit_region",
      kvm,
      ...columns,
      arg0: change,
      arg1: 0,
      arg2: flags,
      arg3: id,
    });
  }

  /** A memslot is deleted: the probe does not say which. */
  deleted(kvm = 1, pid = 1): this {
    const zeros = { addr: 0, len: 0, phys: 0, arg1: 0, arg2: 0, arg3: 0 };
    return this.add(pid, { kind: "commit_region", kvm, ...zeros, arg0: 1 });
  }

  /** A vCPU enters the guest, faults and enters it again. */
  fault(ipa: number, level: number, kind: FaultKind, pid = 10, meanwhile?: () => void): this {
    this.add(pid, { kind: "kvm_entry" });
    this.add(pid, { kind: "guest_fault", addr: ipa, arg0: (FAULT_KIND[kind] << 2) | level });
    meanwhile?.();
    return this.add(pid, { kind: "kvm_entry" });
  }

  unmap(hva: number, size: number, pid = 1): this {
    return this.add(pid, { kind: "unmap_hva", addr: hva, len: size });
  }
}

export interface InferOptions extends Partial<Omit<ReplayConfig, "policies">> {
  readonly policies?: readonly string[];
  readonly memslots?: readonly MemslotFact[];
  readonly diagnostics?: Diagnostics;
}

/** What the rows imply; default: under every policy, on a CPU with TLBIRANGE and FWB, 40 bits of IPA. */
export function infer(rows: readonly EventRow[], options: InferOptions = {}): InferenceResult {
  const { policies = ALL_IDS, memslots, diagnostics, ...rest } = options;
  const config: ReplayConfig = {
    pageShift: 12,
    policies: policies.map((id) => ({ policy: policyOf(id), features: BOTH })),
    reference: undefined,
    compare: false,
    requestMode: "detect",
    primitivesProbed: undefined,
    start: "auto",
    ipaBits: 40,
    hasTwoExecuteBits: false,
    ...rest,
  };
  const replay = new InferredReplay(config, diagnostics ?? new Diagnostics("test"), {
    memslots,
    baseNs: () => 0n,
  });
  feedRows(rows, (batch) => replay.consume(batch), 1);
  return replay.finish();
}

/** `[least, most]` calls of a policy by path and primitive: `unmap IPA 1…3`; in table order. */
export function boundsOf(result: InferenceResult, policy: string): readonly string[] {
  return result.flushes
    .filter((row) => row.policy === policy)
    .map(({ path, primitive, calls, unknown_calls }) => {
      const most = calls + unknown_calls;
      return `${path} ${primitive} ${calls === most ? calls : `${calls}…${most}`}`;
    });
}

/** Classes with their counts. */
export function classesOf(result: InferenceResult): Readonly<Record<string, number>> {
  return Object.fromEntries(result.classes.map(({ name, count }) => [name, count]));
}
