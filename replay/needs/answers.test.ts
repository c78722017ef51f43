import { describe, expect, it } from "vitest";

import { savedProbesOf } from "../../ingest/beside/saved-probes.ts";
import type { EventKindName } from "../../ingest/events/kinds.ts";
import { type AnswerInput, type AnswerStatus, answersOf } from "./answers.ts";

type Counts = Partial<Record<EventKindName, number>>;
const WHOLE: Counts = {
  map: 5,
  map_ret: 5,
  unmap: 2,
  unmap_ret: 2,
  relax_perms: 1,
  relax_perms_ret: 1,
  wrprotect: 1,
  wrprotect_ret: 1,
  commit_region: 1,
  destroy: 1,
  enable_log_pt_masked: 1,
  remote_memslot: 1,
  flush_shadow_memslot: 1,
  guest_fault: 5,
  hw_vmid_ipa: 3,
};

function input(events: Counts, rest: Partial<AnswerInput> = {}): AnswerInput {
  return {
    sight: {
      eventsByKind: new Map(Object.entries(events) as [EventKindName, number][]),
      list: undefined,
      kernel: undefined,
      hypMode: undefined,
    },
    isX86: false,
    losses: [],
    unknownTables: 0,
    assumed: [],
    primitivesRecorded: true,
    calls: { certain: 3, unknown: 0 },
    undecided: 0,
    ...rest,
  };
}

const statusOf = (given: AnswerInput, name: string): AnswerStatus | undefined =>
  answersOf(given).find(({ answer }) => answer === name)?.status;
const reasonsOf = (given: AnswerInput, name: string): string =>
  answersOf(given)
    .find(({ answer }) => answer === name)!
    .because.join("\n");

describe("answersOf", () => {
  it("yes without a reason where all is there", () => {
    const given = input(WHOLE);
    for (const name of ["predict", "verify", "instructions", "dirty-log", "memslots", "teardown"]) {
      expect([name, statusOf(given, name), reasonsOf(given, name)]).toEqual([name, "yes", ""]);
    }
  });

  it("what an option can state makes a yes an assumption", () => {
    const given = input(WHOLE, { assumed: ["the CPU is assumed (--cpu)"] });
    expect(statusOf(given, "predict")).toBe("assumed");
    expect(statusOf(given, "memslots")).toBe("yes");
  });

  it.each<[string, Partial<AnswerInput>]>([
    ["losses", { losses: ["5 × lost"] }],
    ["tables from before the trace", { unknownTables: 2 }],
    ["calls that may have been issued", { calls: { certain: 3, unknown: 1 } }],
  ])("%s make bounds", (_, rest) => {
    const given = input(WHOLE, rest);
    expect(statusOf(given, "predict")).toBe("bounds");
    expect(reasonsOf(given, "predict")).not.toBe("");
  });

  it("undecided calls make a comparison bounds, and no prediction", () => {
    const given = input(WHOLE, { undecided: 4 });
    expect(statusOf(given, "verify")).toBe("bounds");
    expect(statusOf(given, "predict")).toBe("yes");
  });

  it("no return of map: failed maps count", () => {
    const { map_ret: _, ...rest } = WHOLE;
    expect(statusOf(input(rest), "predict")).toBe("bounds");
    expect(reasonsOf(input(rest), "predict")).toMatch(/the return of kvm_pgtable_stage2_map/);
  });

  it("no unmap and no list: it may have been called", () => {
    const { unmap: _, unmap_ret: __, ...rest } = WHOLE;
    expect(statusOf(input(rest), "predict")).toBe("bounds");
    expect(reasonsOf(input(rest), "predict")).toMatch(/no event of kvm_pgtable_stage2_unmap: if/);
    const list = savedProbesOf(["p:unmap kvm_pgtable_stage2_unmap"]);
    const probed = input(rest);
    const sight = { ...probed.sight, list };
    expect(reasonsOf({ ...probed, sight }, "predict")).not.toMatch(/stage2_unmap/);
  });

  it("nothing to compare with, nothing to replay, nothing of this kind", () => {
    expect(statusOf(input(WHOLE, { primitivesRecorded: false }), "verify")).toBe("no");
    expect(statusOf(input({ guest_fault: 3 }), "predict")).toBe("no");
    expect(statusOf(input({ guest_fault: 3 }), "refills")).toBe("bounds");
    const { wrprotect: _, enable_log_pt_masked: __, wrprotect_ret: ___, ...rest } = WHOLE;
    expect(statusOf(input(rest), "dirty-log")).toBe("no");
    expect(reasonsOf(input(rest), "dirty-log")).toMatch(/never called, or not probed/);
  });

  it("x86: no to all, whatever it holds", () => {
    const statuses = answersOf(input(WHOLE, { isX86: true })).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set(["no"]));
  });
});
