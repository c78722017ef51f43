import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { MemslotFact } from "../../ingest/beside/memslots/memslot.ts";
import type { PathName } from "../paths.ts";
import { PATHS } from "../paths.ts";
import type { FlushRow } from "../results.ts";
import { anyStep, RandomGuest, SLOT, type Step } from "../testing/random-guest.ts";
import { ALL_IDS, replayOf } from "../testing/replay-of.ts";
import type { EventRow } from "../testing/rows.ts";
import { HVA, infer } from "../testing/stock-trace.ts";
import { GIB } from "../testing/trace-builder.ts";
import type { InferenceResult } from "./inferred-replay.ts";

const PAGE = 4096;
const THP = 2 * GIB;

/**
 * A guest on a host that answers it as the kernel does, with a page table of its own (SlowTable). What its
 * whole trace gives under each policy has to lie within what its stock tracepoints imply. Left out are
 * what the assumptions exclude: eager split, failed calls, 1 GiB blocks in a memslot not said to have them.
 */
const steps: fc.Arbitrary<readonly Step[]> = fc
  .array(
    anyStep.filter((step) => {
      if (step.step === "split" || step.step === "retry") return false;
      return !("ipa" in step) || step.ipa >= THP;
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map(withoutStrayClears);

/** A log is cleared only while there is one. */
function withoutStrayClears(list: readonly Step[]): readonly Step[] {
  let isLogging = false;
  return list.filter(({ step }) => {
    if (step === "log" || step === "unlog") isLogging = step === "log";
    return step !== "clear" || isLogging;
  });
}

describe("bounds from stock tracepoints hold what the whole trace gives", () => {
  it("with memslots from commit_region probes", () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (list, isOneThread) => {
        const guest = new RandomGuest(list);
        expectWithin(guest, infer(stockOf(guest, isOneThread)));
      }),
      { numRuns: 150 },
    );
  });

  it("with a memslot table that does not say what was logged", () => {
    fc.assert(
      fc.property(steps, fc.boolean(), fc.boolean(), (list, isOneThread, isFresh) => {
        const guest = new RandomGuest(list);
        const start = isFresh ? "fresh" : "unknown";
        const rows = stockOf(guest, isOneThread);
        expectWithin(guest, infer(rows, { memslots: [TABLE], start }));
      }),
      { numRuns: 150 },
    );
  });

  it("without kvm_entry, where nothing shows when a fault is answered", () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (list, isOneThread) => {
        const guest = new RandomGuest(list);
        expectWithin(guest, infer(stockOf(guest, isOneThread, false)));
      }),
      { numRuns: 80 },
    );
  });

  it("with a second VM that its faults may be of", () => {
    fc.assert(
      fc.property(steps, (list) => {
        const guest = new RandomGuest(list);
        const other: EventRow = {
          kind: "commit_region",
          pid: 100,
          cpu: 0,
          kvm: 99,
          addr: SLOT.base / PAGE,
          len: SLOT.size / PAGE,
          phys: HVA + 1024 * GIB,
          arg0: 0,
          arg1: 0,
          arg2: 0,
          arg3: 0,
        };
        expectWithin(guest, infer([other, ...stockOf(guest, false)]));
      }),
      { numRuns: 80 },
    );
  });
});

const TABLE: MemslotFact = {
  vm: "a",
  slot: 0,
  ipaBytes: SLOT.base,
  lenBytes: SLOT.size,
  hvaBytes: HVA,
  backingBytes: undefined,
  isReadOnly: false,
  isLogged: undefined,
  pid: undefined,
  fromNs: undefined,
  toNs: undefined,
};

/** What stock tracepoints and commit_region would have shown of the same; `isOneThread`: one vCPU. */
function stockOf(guest: RandomGuest, isOneThread: boolean, hasEntries = true): readonly EventRow[] {
  const rows: EventRow[] = [];
  const pidOf = (pid: number): number => (isOneThread && pid !== 100 ? 101 : pid);
  for (const row of guest.trace.rows) {
    const base = { pid: pidOf(row.pid), cpu: row.cpu };
    const hva = (row.addr ?? 0) * PAGE - SLOT.base + HVA;
    const range = { addr: hva, len: (row.len ?? 0) * PAGE };
    if (row.kind === "commit_region") rows.push({ ...row, phys: HVA });
    else if (row.kind === "unmap_gfn") rows.push({ ...base, kind: "unmap_hva", ...range });
    else if (row.kind === "age_gfn") rows.push({ ...base, kind: "age_hva", ...range });
    else if (row.kind === "dirty_ring_reset" || row.kind === "userspace_exit") rows.push(row);
    else if (row.kind === "guest_fault") {
      if (hasEntries) rows.push({ ...base, kind: "kvm_entry" });
      rows.push({ ...row, ...base });
    } else if (row.kind === "map_ret" || row.kind === "relax_perms_ret") {
      if (hasEntries) rows.push({ ...base, kind: "kvm_entry" });
    }
  }
  return rows;
}

function expectWithin(guest: RandomGuest, inferred: InferenceResult): void {
  const truth = replayOf(guest.trace, ALL_IDS).flushes;
  const unbounded = new Set<PathName>(inferred.unbounded.map(({ path }) => path));
  for (const policy of ALL_IDS) {
    for (const path of PATHS) {
      for (const primitive of ["VM", "IPA", "IPA_LOCAL", "RANGE"] as const) {
        const isCell = (row: FlushRow): boolean =>
          row.policy === policy && row.path === path && row.primitive === primitive;
        const bounds = inferred.flushes.find(isCell);
        const calls = truth.find(isCell)?.calls ?? 0;
        const least = bounds?.calls ?? 0;
        const most = least + (bounds?.unknown_calls ?? 0);
        const cell = `${policy} ${path} ${primitive}`;
        expect(calls, `${cell}: at least`).toBeGreaterThanOrEqual(least);
        if (!unbounded.has(path)) expect(calls, `${cell}: at most`).toBeLessThanOrEqual(most);
      }
    }
  }
}
