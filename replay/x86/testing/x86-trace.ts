import { Diagnostics } from "../../../ingest/diagnostics.ts";
import { type EventRow, feedRows } from "../../testing/rows.ts";
import type { FlushRow } from "../../results.ts";
import type { X86Policy } from "../policies/flags.ts";
import { X86Replay, type X86ReplayResult } from "../replay.ts";

/** An entry as a kernel of 5.13 or later writes it. */
export type Spte = "none" | "leaf" | "read-only" | "table";

const LOW: Readonly<Record<Spte, number>> = {
  none: 0,
  leaf: 0x0000_08e7,
  "read-only": 0x0000_08e5,
  table: 0x0000_0827,
};
const LARGE = 0x80;
const KVM = 7;

/** A recorded x86 trace, written as a story. Frames in pages; one VM on one thread. */
export class X86Trace {
  readonly rows: EventRow[] = [];
  #tsNs = 0;

  add(row: Omit<EventRow, "pid" | "cpu"> & { readonly pid?: number; readonly cpu?: number }): this {
    this.#tsNs += 1000;
    this.rows.push({ pid: 100, cpu: 0, tsNs: this.#tsNs, kvm: KVM, ...row });
    return this;
  }

  change(gfn: number, level: number, from: Spte, to: Spte): this {
    return this.add({
      kind: "spte_changed",
      addr: gfn,
      arg0: level,
      arg1: lowOf(from, level),
      arg2: 0,
      prot: lowOf(to, level),
      arg3: 0,
    });
  }

  fault(): this {
    return this.add({ kind: "page_fault", kvm: 0 });
  }

  notifier(): this {
    this.add({ kind: "unmap_hva", kvm: 0, addr: 0x7f00_0000, len: 0x20_0000 });
    return this.add({ kind: "unmap_gfn", addr: 0, len: 512 });
  }

  /** Logging of the slot goes on or off. */
  logging(isOn: boolean): this {
    return this.add({
      kind: "commit_region",
      addr: 0,
      len: 262_144,
      arg0: 3,
      arg1: isOn ? 0 : 1,
      arg2: isOn ? 1 : 0,
    });
  }

  /** A named flush names its range. */
  flush(gfn?: number, pages?: number): this {
    if (gfn !== undefined) this.add({ kind: "remote_range", addr: gfn, len: pages! });
    return this.add({ kind: "remote" });
  }

  /** An entry at `level`, all of it mapped by 4 KiB pages, goes: as 5.10 tells it, from the outside in. */
  removeFull(gfn: number, level: number, to: Spte, withLeaves = false): this {
    this.change(gfn, level, "table", to);
    this.#removeBelow(gfn, level, withLeaves);
    return this;
  }

  #removeBelow(gfn: number, level: number, withLeaves: boolean): void {
    if (level === 2 && !withLeaves) return;
    const span = 512 ** (level - 2);
    for (let i = 0; i < 512; i += 1) {
      const below = gfn + i * span;
      this.change(below, level - 1, level === 2 ? "leaf" : "table", "none");
      if (level > 2) this.#removeBelow(below, level - 1, withLeaves);
    }
  }
}

function lowOf(spte: Spte, level: number): number {
  const low = LOW[spte];
  // Only a leaf above level 1 has the bit of a huge page.
  return spte === "none" || spte === "table" ? low : level === 1 ? low & ~LARGE : low | LARGE;
}

export function replayOf(
  trace: X86Trace,
  policies: readonly X86Policy[],
  options: { readonly operationsOnly?: boolean } = {},
): X86ReplayResult {
  const replay = new X86Replay(
    {
      policies,
      compare: true,
      operationsOnly: options.operationsOnly ?? false,
      presentForm: "bit-11",
      flushesProbed: undefined,
    },
    new Diagnostics("test"),
  );
  feedRows(trace.rows, (batch) => {
    replay.consume(batch);
  });
  return replay.finish();
}

/** Certain flushes of one policy. */
export function flushesOf(trace: X86Trace, policy: X86Policy): number {
  return replayOf(trace, [policy]).fits[0]!.calls.VM.predicted;
}

/** `path: calls` of one policy's rows. */
export function pathsOf(trace: X86Trace, policy: X86Policy): readonly string[] {
  const { flushes } = replayOf(trace, [policy]);
  const rows: readonly FlushRow[] = flushes.filter((row) => row.policy === policy.id);
  return rows.map(({ path, primitive, calls, unknown_calls }) =>
    [`${path} ${primitive} ${calls}`, unknown_calls > 0 ? `≤${unknown_calls}` : ""].join("").trim(),
  );
}
