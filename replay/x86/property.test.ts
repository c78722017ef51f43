/** Random operations of an obvious kernel: what each policy flushes, and that none ever flushes too little. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Diagnostics } from "../../ingest/diagnostics.ts";
import { Path } from "../paths.ts";
import { feedRows } from "../testing/rows.ts";
import { X86_POLICIES } from "./policies/registry.ts";
import { X86Replay } from "./replay.ts";
import { spanOf } from "./spte.ts";
import { X86Trace } from "./testing/x86-trace.ts";

type Kind = "leaf" | "table";

/** What an operation removed: tables, entries of which each held tables, and whether anything went at all. */
interface Effect {
  readonly name: "map" | "zap" | "delete";
  readonly tables: number;
  readonly zapsWithTables: number;
  readonly removed: boolean;
  readonly brokenHuge: boolean;
}

/** A page table as a map from `level:frame`; two regions of 2 MiB below one table of 1 GiB. */
class SlowKernel {
  readonly entries = new Map<string, Kind>();
  readonly effects: Effect[] = [];
  readonly trace: X86Trace = new X86Trace();

  map(gfn: number, level: number): void {
    this.trace.fault();
    let brokenHuge = false;
    for (const above of [3, 2]) {
      if (above <= level) break;
      const first = gfn - (gfn % spanOf(above));
      const had = this.entries.get(`${above}:${first}`);
      if (had === "table") continue;
      if (had === "leaf") {
        brokenHuge = true;
        this.trace.change(first, above, "leaf", "none");
      }
      this.trace.change(first, above, "none", "table");
      this.entries.set(`${above}:${first}`, "table");
    }
    const key = `${level}:${gfn}`;
    const had = this.entries.get(key);
    let tables = 0;
    if (had !== "leaf") {
      this.trace.change(gfn, level, had ?? "none", "leaf");
      if (had === "table") tables = 1 + this.#removeBelow(gfn, level);
      this.entries.set(key, "leaf");
    }
    const zapsWithTables = tables > 0 ? 1 : 0;
    this.effects.push({ name: "map", tables, zapsWithTables, removed: tables > 0, brokenHuge });
  }

  /** A notifier call for one region of 2 MiB: its entry goes, whatever it is. */
  zap(gfn: number): void {
    this.trace.notifier();
    this.#removeTop([`2:${gfn}`], "zap");
  }

  /** The memslot goes: every root's every entry. */
  delete(): void {
    this.trace.add({ kind: "flush_shadow_memslot" }).add({ kind: "zap_all_fast" });
    this.#removeTop(["3:0"], "delete");
  }

  #removeTop(keys: readonly string[], name: Effect["name"]): void {
    let tables = 0;
    let zapsWithTables = 0;
    let removed = false;
    for (const key of keys) {
      const had = this.entries.get(key);
      if (had === undefined) continue;
      const [level = 0, gfn = 0] = key.split(":").map(Number);
      this.trace.change(gfn, level, had, "none");
      this.entries.delete(key);
      removed = true;
      if (had !== "table") continue;
      zapsWithTables += 1;
      tables += 1 + this.#removeBelow(gfn, level);
    }
    this.effects.push({ name, tables, zapsWithTables, removed, brokenHuge: false });
  }

  /** Gives how many tables were below. */
  #removeBelow(gfn: number, level: number): number {
    let tables = 0;
    const below = [...this.entries].filter(([key]) => {
      const [at = 0, first = 0] = key.split(":").map(Number);
      return at === level - 1 && first >= gfn && first < gfn + spanOf(level);
    });
    for (const [key, kind] of below) {
      const [at = 0, first = 0] = key.split(":").map(Number);
      this.trace.change(first, at, kind, "none");
      this.entries.delete(key);
      if (kind === "table") tables += 1 + this.#removeBelow(first, at);
    }
    return tables;
  }
}

const operation = fc.oneof(
  fc.record({ do: fc.constant("map" as const), page: fc.nat({ max: 1023 }), huge: fc.boolean() }),
  fc.record({ do: fc.constant("zap" as const), page: fc.nat({ max: 1023 }), huge: fc.boolean() }),
  fc.record({ do: fc.constant("delete" as const), page: fc.constant(0), huge: fc.constant(false) }),
);

describe("random operations", () => {
  it("cost each policy what an obvious count says, and leave nothing unflushed", () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 30 }), (operations) => {
        const kernel = new SlowKernel();
        for (const { do: what, page, huge } of operations) {
          if (what === "map") kernel.map(huge ? page - (page % 512) : page, huge ? 2 : 1);
          else if (what === "zap") kernel.zap(page - (page % 512));
          else kernel.delete();
        }
        for (const { id, flags } of X86_POLICIES) {
          const expected = kernel.effects.map((effect) => {
            if (effect.name === "map") {
              const split = effect.brokenHuge && flags.faultSplit === "flush" ? 1 : 0;
              if (effect.tables === 0) return split;
              return split + (flags.removedTable === "each-table" ? effect.tables : 1);
            }
            const own = {
              "each-table": effect.tables,
              "each-zap": effect.zapsWithTables,
              caller: 0,
            }[flags.removedTable];
            const reloads = effect.name === "delete" && flags.slotZap === "none";
            return own + (effect.removed && !reloads ? 1 : 0);
          });
          const got = flushesByOperation(kernel.trace, id);
          expect(got.total, id).toBe(expected.reduce((sum, n) => sum + n, 0));
          expect(got.unsafe, id).toBe(0);
        }
      }),
    );
  });
});

/** Flushes of a policy, and operations that removed what was present and neither flush nor reload roots. */
function flushesByOperation(
  trace: X86Trace,
  id: string,
): { readonly total: number; readonly unsafe: number } {
  const policy = X86_POLICIES.find((one) => one.id === id)!;
  let total = 0;
  const flushed = new Set<number>();
  const replay = new X86Replay(
    {
      policies: [policy],
      compare: false,
      operationsOnly: false,
      presentForm: "bit-11",
      flushesProbed: undefined,
    },
    new Diagnostics("test"),
    {
      settled(bracket): void {
        const { queue } = bracket.books[0]!;
        total += queue.length;
        if (queue.length > 0) flushed.add(bracket.line);
      },
    },
  );
  feedRows(trace.rows, (batch) => {
    replay.consume(batch);
  });
  replay.finish();
  return { total, unsafe: unsafeOperations(trace, flushed, policy.flags.slotZap === "none") };
}

function unsafeOperations(
  { rows }: X86Trace,
  flushed: ReadonlySet<number>,
  reloads: boolean,
): number {
  let unsafe = 0;
  let line = 0;
  let path = -1;
  let mustFlush = false;
  const end = (): void => {
    if (mustFlush && !flushed.has(line) && !(path === Path.memslot && reloads)) unsafe += 1;
    mustFlush = false;
  };
  for (const [i, row] of rows.entries()) {
    if (row.kind === "spte_changed") {
      // A fault that splits in place leaves the same translations; anything else that goes is stale.
      const isPresent = (row.arg1 ?? 0) !== 0;
      if (isPresent && (path === Path.unmap || path === Path.memslot)) mustFlush = true;
      continue;
    }
    if (row.kind === "zap_all_fast" || row.kind === "unmap_gfn") continue;
    end();
    line = i + 1;
    path =
      row.kind === "unmap_hva"
        ? Path.unmap
        : row.kind === "flush_shadow_memslot"
          ? Path.memslot
          : Path.collapse;
  }
  end();
  return unsafe;
}
