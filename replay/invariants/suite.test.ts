import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { readHostFacts } from "../../ingest/beside/read-host-facts.ts";
import { Diagnostics } from "../../ingest/diagnostics.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import { replayConfig, resolveConfiguration } from "../configuration.ts";
import { Replay } from "../replay.ts";
import { EventSurvey } from "../survey/event-survey.ts";
import { policyOf, replayOf } from "../testing/replay-of.ts";
import { type EventRow, feedRows } from "../testing/rows.ts";
import { GIB, KIB, MIB, Trace, type Vm } from "../testing/trace-builder.ts";
import { INVARIANTS } from "./registry.ts";
import { type InvariantFinding, InvariantSuite } from "./suite.ts";

const SLOT = { base: GIB, size: GIB, id: 0 };
const PAGE = 4 * KIB;

function vmWithSlot(): { trace: Trace; vm: Vm } {
  const trace = new Trace();
  return { trace, vm: trace.vm().create(SLOT) };
}

/** What the suite finds in a trace that a kernel like 6.12 recorded. */
function findings(trace: Trace): readonly InvariantFinding[] {
  const suite = new InvariantSuite(PAGE);
  const survey = new EventSurvey();
  feedRows(trace.rows, (batch) => {
    survey.consume(batch);
    suite.consume(batch);
  });
  replayOf(
    trace,
    [policyOf("range-6.9")],
    { tlbirange: true, fwb: true, ttl: true, lpa2: false, dic: false },
    {
      listener: suite,
      diagnostics: new Diagnostics("test"),
    },
  );
  return suite.finish(survey.byKind());
}

/** Violations by id: how many, and the lines of the first. */
function found(trace: Trace): Record<string, readonly [number, ...number[]]> {
  return Object.fromEntries(
    findings(trace)
      .filter(({ count }) => count > 0)
      .map(({ id, count, examples }) => [id, [count, ...examples.map(({ line }) => line)]]),
  );
}

const row = (rest: Partial<EventRow> & Pick<EventRow, "kind">): EventRow => ({
  pid: 100,
  cpu: 0,
  ...rest,
});

/** The least that every invariant needs to be judged: a map, an unmap and their invalidation. */
function judged(): { trace: Trace; vm: Vm } {
  const { trace, vm } = vmWithSlot();
  vm.entry().exit().fault(GIB, 3, "translation").map(GIB, PAGE, 0x1000).entry().exit();
  vm.begin("unmap", { addr: GIB, len: PAGE })
    .hwRange(GIB, PAGE)
    .add({ kind: "unmap_ret", arg0: 0 });
  return { trace, vm };
}

describe("each invariant fires where it is broken", () => {
  it("none, in the least trace that all can be judged in", () => {
    const { trace } = judged();
    expect(found(trace)).toEqual({});
    expect(findings(trace).filter(({ notJudgedFor }) => notJudgedFor.length > 0)).toEqual([]);
  });

  it("TIME_BACKWARDS_ON_CPU, but not where another CPU is behind", () => {
    const trace = new Trace();
    trace.rows.push(
      row({ kind: "other", pid: 1, cpu: 0, tsNs: 5000 }),
      row({ kind: "other", pid: 2, cpu: 1, tsNs: 4000 }),
      row({ kind: "other", pid: 1, cpu: 0, tsNs: 4999 }),
    );
    expect(found(trace)).toEqual({ TIME_BACKWARDS_ON_CPU: [1, 3] });
  });

  it("THREAD_ON_TWO_CPUS, but not the idle threads", () => {
    const trace = new Trace();
    trace.rows.push(
      row({ kind: "other", pid: 7, cpu: 0, tsNs: 1000 }),
      row({ kind: "other", pid: 7, cpu: 1, tsNs: 1000 }),
      row({ kind: "other", pid: 0, cpu: 0, tsNs: 2000 }),
      row({ kind: "other", pid: 0, cpu: 1, tsNs: 2000 }),
      row({ kind: "other", pid: 7, cpu: 0, tsNs: 2001 }),
    );
    expect(found(trace)).toEqual({ THREAD_ON_TWO_CPUS: [1, 2] });
  });

  it("VCPU_MOVED_IN_GUEST, but not over a loss", () => {
    const { trace, vm } = vmWithSlot();
    vm.entry().exit().entry();
    vm.on(100, 1).exit();
    vm.entry();
    trace.lost();
    vm.on(100, 1).exit();
    expect(found(trace)).toEqual({ VCPU_MOVED_IN_GUEST: [1, 5] });
  });

  it("CALL_WITHOUT_RETURN, in the middle and at the end", () => {
    const { trace, vm } = vmWithSlot();
    vm.map(GIB, PAGE, 0x1000);
    vm.begin("map", { addr: GIB + PAGE, len: PAGE, phys: 0x3000, prot: 7 });
    vm.map(GIB + 2 * PAGE, PAGE, 0x5000);
    vm.on(101, 1).begin("map", { addr: GIB + 3 * PAGE, len: PAGE, phys: 0x7000, prot: 7 });
    expect(found(trace)).toEqual({ CALL_WITHOUT_RETURN: [2, 4, 7] });
  });

  it("not where a call's returns are not recorded at all", () => {
    const { trace, vm } = vmWithSlot();
    vm.begin("unmap", { addr: GIB, len: PAGE }).begin("unmap", { addr: 2 * GIB, len: PAGE });
    vm.map(GIB, PAGE, 0x1000);
    expect(found(trace)).not.toHaveProperty("CALL_WITHOUT_RETURN");
  });

  it("RETURN_WITHOUT_CALL, but not where the call may be lost", () => {
    const { trace, vm } = vmWithSlot();
    vm.map(GIB, PAGE, 0x1000).add({ kind: "unmap_ret", arg0: 0 });
    vm.begin("map", { addr: GIB + PAGE, len: PAGE, phys: 0x3000, prot: 7 });
    vm.add({ kind: "relax_perms_ret", arg0: 0 }).add({ kind: "map_ret", arg0: 0 });
    expect(found(trace)).toEqual({ RETURN_WITHOUT_CALL: [2, 4, 6] });
  });

  it("FAULT_WITHOUT_MAP: the guest goes on to another page", () => {
    const { trace, vm } = vmWithSlot();
    vm.map(GIB, PAGE, 0x1000).exit();
    vm.fault(GIB + PAGE, 3, "translation")
      .entry()
      .exit();
    vm.fault(GIB + 2 * PAGE, 3, "translation")
      .entry()
      .exit();
    vm.fault(GIB + 3 * PAGE, 3, "translation")
      .map(GIB + 3 * PAGE, PAGE, 0x9000)
      .entry();
    expect(found(trace)).toEqual({ FAULT_WITHOUT_MAP: [2, 5, 8] });
  });

  it("no fault that is repeated, answered by userspace, MMIO, or crossed by an unmap", () => {
    const { trace, vm } = vmWithSlot();
    vm.map(GIB, PAGE, 0x1000).exit();
    vm.fault(GIB + PAGE, 3, "translation")
      .entry()
      .exit();
    vm.fault(GIB + PAGE, 3, "translation")
      .map(GIB + PAGE, PAGE, 0x3000)
      .entry()
      .exit();
    vm.fault(GIB + 2 * PAGE, 3, "translation")
      .add({ kind: "userspace_exit" })
      .entry()
      .exit();
    vm.fault(8 * MIB, 3, "translation")
      .entry()
      .exit();
    vm.fault(GIB + 3 * PAGE, 3, "translation").entry();
    vm.on(200, 1).unmapPiece(GIB + 3 * PAGE, PAGE);
    vm.exit()
      .fault(GIB + 4 * PAGE, 3, "translation")
      .map(GIB + 4 * PAGE, PAGE, 0x5000)
      .entry();
    expect(found(trace)).not.toHaveProperty("FAULT_WITHOUT_MAP");
  });

  it("PRIMITIVE_WITHOUT_CAUSE, but not by a thread that the trace meets in the middle", () => {
    const { trace, vm } = judged();
    const before = trace.rows.length;
    vm.hwIpa(GIB, 3);
    vm.on(300, 1).hwIpa(GIB, 3);
    vm.on(300, 1).entry().hwVm();
    expect(found(trace)).toEqual({ PRIMITIVE_WITHOUT_CAUSE: [2, before + 1, before + 4] });
  });

  it("REQUEST_WITHOUT_PRIMITIVE", () => {
    const { trace, vm } = judged();
    vm.remoteMemslot(SLOT).hwRange(SLOT.base, SLOT.size).entry().exit();
    vm.remoteMemslot(SLOT).entry();
    expect(found(trace)).toEqual({ REQUEST_WITHOUT_PRIMITIVE: [1, trace.rows.length - 1] });
  });

  it("CHANGE_WITHOUT_FLUSH: a block is broken and no invalidation was recorded", () => {
    const { trace, vm } = judged();
    vm.map(GIB + 2 * MIB, 2 * MIB, 1024 * GIB + 2 * MIB);
    const line = trace.rows.length + 1;
    vm.map(GIB + 2 * MIB, PAGE, 0x7000);
    expect(found(trace)).toEqual({ CHANGE_WITHOUT_FLUSH: [1, line] });
  });

  it("no change without a flush where the primitives are not recorded: not judged", () => {
    const { trace, vm } = vmWithSlot();
    vm.map(GIB, 2 * MIB, 1024 * GIB).map(GIB, PAGE, 0x7000);
    const change = findings(trace).find(({ id }) => id === "CHANGE_WITHOUT_FLUSH");
    expect(change?.count).toBe(0);
    expect(change?.notJudgedFor).toContain("hw_vmid");
  });

  it("UNMAP_OF_NOTHING, where the table is known", () => {
    const { trace, vm } = vmWithSlot();
    vm.map(GIB, PAGE, 0x1000).unmapPiece(GIB + 4 * PAGE, PAGE);
    expect(found(trace)).toEqual({ UNMAP_OF_NOTHING: [1, 4] });
    const later = new Trace();
    later
      .vm()
      .map(GIB, PAGE, 0x1000)
      .unmapPiece(GIB + 4 * PAGE, PAGE);
    expect(found(later)).toEqual({});
  });

  it("MISALIGNED_ARGUMENTS: an odd address, an odd size, no size", () => {
    const { trace, vm } = vmWithSlot();
    vm.map(GIB + 8, PAGE, 0x1000).map(GIB, PAGE + 8, 0x3000);
    vm.begin("unmap", { addr: GIB, len: 0 });
    expect(found(trace)).toMatchObject({ MISALIGNED_ARGUMENTS: [3, 2, 4, 6] });
  });
});

describe("what is counted and kept", () => {
  it("five examples, all counted; times as in the trace", () => {
    const { trace, vm } = vmWithSlot();
    vm.map(GIB, PAGE, 0x1000);
    for (let i = 0; i < 20; i += 1) vm.add({ kind: "unmap_ret", arg0: 0 });
    const finding = findings(trace).find(({ id }) => id === "RETURN_WITHOUT_CALL");
    expect(finding?.count).toBe(20);
    expect(finding?.examples).toHaveLength(5);
    expect(finding?.examples[0]).toMatchObject({ line: 4, tsNs: 4000 });
  });

  it("what a loss makes unknown", () => {
    const { trace, vm } = vmWithSlot();
    vm.map(GIB, PAGE, 0x1000);
    trace.vm(200, 1).create(SLOT).map(GIB, PAGE, 0x2000);
    trace.lost();
    const suite = new InvariantSuite(PAGE);
    replayOf(trace, ["range-6.9"], undefined, {
      listener: suite,
      diagnostics: new Diagnostics(""),
    });
    expect(suite.losses).toBe(1);
    expect(suite.tablesForgotten).toBe(2);
    expect(suite.forgotten).toEqual([{ line: trace.rows.length, tables: 2 }]);
  });

  it("ids are unique", () => {
    expect(new Set(INVARIANTS.map(({ id }) => id)).size).toBe(INVARIANTS.length);
  });
});

/** Kernels do ask for unmaps of what is not mapped: that one is a property of the captures. */
const UNMAPS_OF_NOTHING: Readonly<Record<string, number>> = {
  "mms-4M-612": 66,
  "nv-tiny-72": 1,
  "s2-huge-61": 78,
  "s2-huge-612": 58,
  "s2-huge-612-n1": 58,
  "s2-huge-eager-612": 60,
  "tiny-61": 6,
  "tiny-612": 6,
  "tiny-612-16k": 4,
  "tiny-612-lpa2off": 6,
  "tiny-612-nvhe": 6,
  "tiny-612-perf": 6,
  "tiny-72": 6,
};

describe("the captures keep all others", () => {
  const root = join(import.meta.dirname, "../../fixtures/captures");
  it.each(readdirSync(root))("%s", async (name) => {
    const path = join(root, name, "trace.txt.gz");
    const { facts } = await readHostFacts(path);
    const configuration = resolveConfiguration(
      {
        kernel: undefined,
        cpu: undefined,
        pageSizeBytes: undefined,
        ipaBits: undefined,
        start: undefined,
        operationsOnly: false,
      },
      facts,
    );
    const suite = new InvariantSuite(2 ** configuration.pageShift);
    const survey = new EventSurvey();
    const reader = await openTrace(path);
    const config = replayConfig(configuration, [configuration.recordedPolicy!], true);
    const replay = new Replay(config, reader.pointers, reader.diagnostics, suite);
    for await (const batch of reader.batches()) {
      survey.consume(batch);
      suite.consume(batch);
      replay.consume(batch);
    }
    replay.finish();
    const counts = suite
      .finish(survey.byKind())
      .filter(({ count }) => count > 0)
      .map(({ id, count }) => [id, count]);
    const unmaps = UNMAPS_OF_NOTHING[name];
    expect(counts).toEqual(unmaps === undefined ? [] : [["UNMAP_OF_NOTHING", unmaps]]);
  });
});
