import { describe, expect, it } from "vitest";
import { phasesOf, toldPhases } from "../testing/phases-of.ts";
import { GIB, KIB, MIB, PROT, type Slot, TIB, Trace, type Vm } from "../testing/trace-builder.ts";

const PAGE = 4 * KIB;
const RAM: Slot = { base: GIB, size: 4 * MIB, id: 0 };
const EINTR = -4;
const MMIO = 6;

/** Every event of a vCPU that takes a fault and goes on. */
function fault(vcpu: Vm, ipa: number, prot: number = PROT.rwx, size: number = PAGE): void {
  vcpu
    .exit()
    .fault(ipa, 3, "translation")
    .map(ipa, size, TIB + ipa, prot)
    .entry();
}

function rewrite(vcpu: Vm, ipa: number): void {
  vcpu.exit().fault(ipa, 3, "permission").relax(ipa).entry();
}

/** A VM of 4 MiB on two blocks of 2 MiB, whose vCPU (thread 200) is in the guest. Takes 12 lines. */
function started(trace: Trace): { readonly main: Vm; readonly vcpu: Vm } {
  const main = trace.vm().create(RAM);
  const vcpu = main.on(200, 1);
  vcpu.entry();
  fault(vcpu, RAM.base, PROT.rwx, 2 * MIB);
  fault(vcpu, RAM.base + 2 * MIB, PROT.rwx, 2 * MIB);
  return { main, vcpu };
}

/** CLEAR_DIRTY_LOG of some pages of the memslot's first word, and its flush. Takes five lines. */
function clear(vm: Vm, bits: readonly number[], offset = 0): void {
  vm.maskWord(RAM, offset, bits).remoteMemslot(RAM);
}

function stop(vcpu: Vm): void {
  vcpu.exit().add({ kind: "userspace_exit", arg0: EINTR });
}

describe("phases of a migration that completes", () => {
  const trace = new Trace();
  const { main, vcpu } = started(trace);
  const migration = main.on(300, 0);
  migration.enableLog(RAM); // line 13
  const logLine = trace.rows.length;
  clear(migration, [0, 1, 2, 3]); // 14
  fault(vcpu, RAM.base); // breaks the block
  fault(vcpu, RAM.base + PAGE, PROT.rx); // a read
  rewrite(vcpu, RAM.base + PAGE);
  fault(vcpu, RAM.base + 2 * PAGE);
  const secondPass = trace.rows.length + 1;
  clear(migration, [0, 1, 2]);
  rewrite(vcpu, RAM.base);
  stop(vcpu);
  const stopLine = trace.rows.length;
  clear(migration, [0]);
  main.destroy();
  const gone = trace.rows.length - 1;
  const { vm, result } = phasesOf(trace);

  it("are run, two passes, blackout, after", () => {
    expect(toldPhases(vm)).toBe(
      `run 1..${logLine}, pass 1 ${logLine}..${secondPass}, pass 2 ${secondPass}..${stopLine}, ` +
        `blackout ${stopLine}..${gone}, after ${gone}..${gone + 1}`,
    );
    expect(vm.outcome).toBe("completed");
    expect(vm.logging).toMatchObject({
      mode: "initially-set",
      slots: 1,
      pages: 1024,
      endNs: undefined,
    });
    expect(vm.phases.map(({ start }) => start.confidence)).toEqual([
      "recorded",
      "recorded",
      "inferred",
      "recorded",
      "recorded",
    ]);
    expect(vm.stops).toEqual([
      {
        startNs: stopLine * 1000,
        endNs: undefined,
        vcpus: 1,
        kicked: 1,
        clears: 1,
        line: stopLine,
      },
    ]);
  });

  it("count dirty pages once after each write-protection", () => {
    expect(
      vm.passes.map(({ number, clearedPages, dirtiedPages, isInBlackout }) => [
        number,
        clearedPages,
        dirtiedPages,
        isInBlackout,
      ]),
    ).toEqual([
      [1, 4, 3, false],
      [2, 3, 1, false],
      [3, 1, 0, true],
    ]);
    expect(vm.phases[1]!.facts).toMatchObject({
      writeFaults: 3,
      dirtiedPages: 3,
      newlyDirtiedPages: 3,
      otherFaults: 1,
      blocksBroken: 1,
      clears: 1,
      clearedPages: 4,
      faults: 4,
    });
    expect(vm.phases[2]!.facts).toMatchObject({
      writeFaults: 1,
      dirtiedPages: 1,
      newlyDirtiedPages: 0,
    });
    expect(vm.workingSetPages).toBe(3);
    expect(vm.passCurves.map(({ pages }) => [...pages])).toEqual([[1, 2, 3], [1], []]);
    expect([...vm.dirtyCurve!.pages]).toEqual([1, 2, 3]);
  });

  it("know the block that broke and what is mapped in it", () => {
    expect(vm.blocks).toEqual([
      expect.objectContaining({
        page: RAM.base / PAGE,
        spanPages: 512,
        validLeaves: 3,
        uncertainLeaves: 0,
        dirtiedPages: 3,
        collapsedNs: undefined,
      }),
    ]);
    expect(vm.leavesBySpan).toEqual([{ spanPages: 512, count: 2 }]);
    expect(vm).toMatchObject({ vcpus: 1, memoryPages: 1024, readOnlyPages: 0, blocksLeft: 1 });
  });

  it("count the flushes of each policy where they belong, and lose none", () => {
    const told = vm.phases.map(({ name, facts }) => [
      name,
      facts.flushes
        .filter(({ primitive }) => primitive !== "CPU")
        .map(({ policy, path, primitive, calls }) => `${policy} ${path} ${calls} ${primitive}`),
    ]);
    expect(told).toEqual([
      ["run", []],
      [
        "pass",
        [
          "pgtable-6.2 split 1 IPA",
          "pgtable-6.2 relax 1 IPA",
          "pgtable-6.2 dirty_log 1 VM",
          "range-6.9 split 1 IPA",
          "range-6.9 relax 1 IPA_LOCAL",
          "range-6.9 dirty_log 1 RANGE",
        ],
      ],
      [
        "pass",
        [
          "pgtable-6.2 relax 1 IPA",
          "pgtable-6.2 dirty_log 1 VM",
          "range-6.9 relax 1 IPA_LOCAL",
          "range-6.9 dirty_log 1 RANGE",
        ],
      ],
      ["blackout", ["pgtable-6.2 dirty_log 1 VM", "range-6.9 dirty_log 1 RANGE"]],
      ["after", []],
    ]);
    const calls = result.flushes.reduce((sum, row) => sum + row.calls, 0);
    const inPhases = vm.phases.flatMap(({ facts }) => facts.flushes);
    expect(inPhases.reduce((sum, row) => sum + row.calls, 0)).toBe(calls);
  });

  it("say how long calls took", () => {
    // One event a microsecond: a call's return is the next line.
    expect(vm.phases[1]!.facts.holds.break_block).toMatchObject({
      count: 1,
      sumNs: 1000,
      lock: "unknown",
    });
    // From the mask word to the return: apply_range and wrprotect lie between.
    expect(vm.phases[1]!.facts.holds.clear).toMatchObject({
      count: 1,
      sumNs: 3000,
      lock: "exclusive",
      maxLine: 14,
    });
    expect(vm.phases[1]!.facts.faultNs).toBe(4 * 3000);
  });

  it("say what is not known", () => {
    expect(vm.unknown.map(({ quantity }) => quantity)).toEqual([
      "pages dirtied twice",
      "pages that the host wrote",
      "source downtime",
      "guest downtime",
    ]);
  });
});

function cancelled(
  stopsBefore: boolean,
): ReturnType<typeof phasesOf> & { readonly lines: Record<string, number> } {
  const trace = new Trace();
  const { main, vcpu } = started(trace);
  const migration = main.on(300, 0);
  migration.enableLog(RAM);
  const log = trace.rows.length;
  clear(migration, [0, 1]);
  fault(vcpu, RAM.base);
  fault(vcpu, RAM.base + PAGE);
  fault(vcpu, RAM.base + 3 * MIB);
  let stopped = 0;
  let resumed = 0;
  if (stopsBefore) {
    stop(vcpu);
    stopped = trace.rows.length;
    clear(migration, [0]);
    vcpu.entry();
    resumed = trace.rows.length;
  }
  main.disableLog(RAM);
  const off = trace.rows.length;
  fault(vcpu, RAM.base, PROT.rwx, 2 * MIB);
  const collapsed = trace.rows.length - 1;
  fault(vcpu, RAM.base + 4 * MIB, PROT.rwx);
  return {
    ...phasesOf(trace),
    lines: { log, stopped, resumed, off, collapsed, last: trace.rows.length },
  };
}

describe("phases of a migration that is cancelled", () => {
  it("end roll-back at the last collapse", () => {
    const { vm, lines } = cancelled(false);
    expect(toldPhases(vm)).toBe(
      `run 1..${lines["log"]}, pass 1 ${lines["log"]}..${lines["off"]}, ` +
        `rollback ${lines["off"]}..${lines["collapsed"]}, run ${lines["collapsed"]}..${lines["last"]}`,
    );
    expect(vm.outcome).toBe("rolled-back");
    expect(vm.collapses).toEqual([
      expect.objectContaining({
        page: RAM.base / PAGE,
        leaves: 2,
        tables: 1,
        holdNs: 1000,
        pid: 200,
        isInRollback: true,
      }),
    ]);
    expect(vm).toMatchObject({ blocksTotal: 2, blocksLeft: 1, collapsesTotal: 1 });
    const rollback = vm.phases[2]!.facts;
    expect(rollback.collapses).toBe(1);
    expect(rollback.holds.collapse).toMatchObject({ count: 1, maxNs: 1000 });
    expect(rollback.flushes.filter(({ primitive }) => primitive !== "CPU")).toEqual([
      expect.objectContaining({
        policy: "pgtable-6.2",
        path: "collapse",
        primitive: "VM",
        calls: 1,
      }),
      expect.objectContaining({
        policy: "range-6.9",
        path: "collapse",
        primitive: "RANGE",
        calls: 1,
      }),
    ]);
    expect(vm.phases[3]!.facts).toMatchObject({ otherFaults: 1, collapses: 0 });
  });

  it("tell a switch-over that failed", () => {
    const { vm, lines } = cancelled(true);
    expect(toldPhases(vm)).toBe(
      `run 1..${lines["log"]}, pass 1 ${lines["log"]}..${lines["stopped"]}, ` +
        `blackout ${lines["stopped"]}..${lines["resumed"]}, pass 2 ${lines["resumed"]}..${lines["off"]}, ` +
        `rollback ${lines["off"]}..${lines["collapsed"]}, run ${lines["collapsed"]}..${lines["last"]}`,
    );
    expect(vm.passes.map(({ isInBlackout }) => isInBlackout)).toEqual([false, true]);
    expect(vm.stops).toHaveLength(1);
  });
});

/** Names of the phases of a VM that stops, goes on, and is not logged any more. */
function story(reason: number, resumeNs: number, offNs: number): string {
  const trace = new Trace();
  const { main, vcpu } = started(trace);
  main.enableLog(RAM);
  clear(main, [0]);
  vcpu.exit().add({ kind: "userspace_exit", arg0: reason });
  const stopNs = trace.rows.length * 1000;
  clear(main, [0]);
  vcpu.add({ kind: "kvm_entry", tsNs: stopNs + resumeNs });
  main.add({ kind: "marker", tsNs: stopNs + offNs - 1 });
  const { pointers } = main;
  const off = {
    addr: RAM.base / PAGE,
    len: RAM.size / PAGE,
    arg0: 3,
    arg1: 1,
    arg2: 0,
    arg3: 0,
  };
  main.add({ kind: "commit_region", kvm: pointers.kvm, ...off, tsNs: stopNs + offNs });
  return phasesOf(trace)
    .vm.phases.map(({ name }) => name)
    .join(" ");
}

describe("what is no phase", () => {
  it("a stop after which clearing goes on is throttling", () => {
    const trace = new Trace();
    const { main, vcpu } = started(trace);
    main.enableLog(RAM);
    clear(main, [0]);
    for (let i = 0; i < 3; i += 1) {
      stop(vcpu);
      vcpu.entry();
      clear(main, [0]);
    }
    const { vm } = phasesOf(trace);
    expect(vm.phases.map(({ name, pass }) => [name, pass])).toEqual([
      ["run", undefined],
      ["pass", 1],
      ["pass", 2],
      ["pass", 3],
      ["pass", 4],
    ]);
    expect(vm.stops).toHaveLength(3);
    expect(vm.outcome).toBe("logging");
  });

  it("an exit to emulate a device is no stop, nor one vCPU of two", () => {
    const trace = new Trace();
    const { main, vcpu } = started(trace);
    const other = main.on(201, 0);
    other.entry();
    fault(other, RAM.base + PAGE, PROT.rwx, 2 * MIB);
    main.enableLog(RAM);
    clear(main, [0]);
    vcpu.exit().add({ kind: "userspace_exit", arg0: MMIO });
    stop(other);
    const bothOut = phasesOf(trace).vm;
    expect(bothOut.phases.at(-1)!.name).toBe("blackout");
    vcpu.entry();
    clear(main, [1]);
    expect(phasesOf(trace).vm.phases.map(({ name }) => name)).not.toContain("blackout");
  });

  it("a stop long before logging ends, nor a short one that only seems to be one", () => {
    // Switch-over that failed; the same told by a text without errnos; 5 ms; and 3 s before the end.
    expect(story(EINTR, 20e6, 30e6)).toBe("run pass blackout pass run");
    expect(story(MMIO, 20e6, 30e6)).toBe("run pass blackout pass run");
    expect(story(EINTR, 5e6, 30e6)).toBe("run pass blackout pass run");
    expect(story(MMIO, 5e6, 30e6)).toBe("run pass pass run");
    expect(story(EINTR, 20e6, 3e9)).toBe("run pass pass run");
  });

  it("logging of a small memslot, a display's, is no migration", () => {
    const trace = new Trace();
    const { main, vcpu } = started(trace);
    const display: Slot = { base: 3 * GIB, size: 64 * KIB, id: 1 };
    main.create(display).enableLog(display);
    fault(vcpu, display.base);
    const { vm } = phasesOf(trace);
    expect(toldPhases(vm)).toBe(`run 1..${trace.rows.length}`);
    expect(vm.logging).toBeUndefined();
    expect(vm.unknown.map(({ quantity }) => quantity)).toContain("dirty pages");
  });
});

describe("memslots without an id", () => {
  it("are told apart by their place", () => {
    const trace = new Trace();
    const main = trace.vm();
    for (const [addr, flags, change] of [
      [262_144, 0, 0],
      [786_432, 0, 0],
      [262_144, 1, 3],
      [786_432, 1, 3],
      [262_144, 0, 3],
    ] as const) {
      main.add({
        kind: "commit_region",
        kvm: main.pointers.kvm,
        addr,
        len: 1024,
        arg0: change,
        arg1: 0,
        arg2: flags,
      });
    }
    const { vm } = phasesOf(trace);
    expect(vm).toMatchObject({ memoryPages: 2048, outcome: "logging" });
    expect(vm.logging).toMatchObject({ slots: 2, pages: 2048 });
  });
});

describe("a migration with thousands of passes", () => {
  it("has its last passes in one phase, and says so; none is lost", () => {
    const trace = new Trace();
    const { main, vcpu } = started(trace);
    main.enableLog(RAM);
    const passes = 1500;
    for (let pass = 0; pass < passes; pass += 1) {
      clear(main, [0]);
      rewrite(vcpu, RAM.base);
      if (pass % 3 === 0) {
        stop(vcpu);
        clear(main, [1]);
        vcpu.entry();
      }
    }
    const { vm, result } = phasesOf(trace);
    expect(vm.passes).toHaveLength(passes + 500);
    expect(vm.phases.length).toBeLessThan(600);
    expect(
      vm.unknown.some(({ because }) => because.includes("more passes than are told apart")),
    ).toBe(true);
    const calls = vm.phases
      .flatMap(({ facts }) => facts.flushes)
      .reduce((sum, row) => sum + row.calls, 0);
    expect(calls).toBe(result.flushes.reduce((sum, row) => sum + row.calls, 0));
    expect(vm.phases.reduce((sum, { facts }) => sum + facts.clears, 0)).toBe(passes + 500);
  });
});

describe("a trace that shows less", () => {
  it("begins in the middle of the migration: logging is inferred from the first clear, and its end from a block", () => {
    const trace = new Trace();
    const vm = trace.vm();
    const vcpu = vm.on(200, 1);
    vcpu.entry();
    clear(vm, [0, 1]);
    fault(vcpu, RAM.base);
    fault(vcpu, RAM.base, PROT.rwx, 2 * MIB);
    const { vm: told } = phasesOf(trace);
    expect(told.logging!.start).toMatchObject({ confidence: "inferred", line: 2 });
    expect(told.logging!.end).toMatchObject({ confidence: "inferred" });
    expect(told.phases.map(({ name }) => name)).toContain("rollback");
    const quantities = told.unknown.map(({ quantity }) => quantity);
    expect(quantities).toContain("memory size");
    expect(quantities).toContain("start of logging");
  });

  it("without kvm_userspace_exit infers the blackout from what does not follow", () => {
    const trace = new Trace();
    const { main, vcpu } = started(trace);
    main.enableLog(RAM);
    clear(main, [0]);
    rewrite(vcpu, RAM.base);
    vcpu.exit();
    const exit = trace.rows.length;
    clear(main, [0]);
    main.destroy();
    const { vm, inputs } = phasesOf(trace);
    const blackout = vm.phases.find(({ name }) => name === "blackout")!;
    expect(blackout.startNs).toBe(exit * 1000);
    expect(blackout.start.confidence).toBe("inferred");
    expect(blackout.facts.clears).toBe(1);
    expect(inputs.unknown.map(({ quantity }) => quantity)).toEqual(["start of the blackout"]);
  });

  it("without kvm_entry tells no stop, and no fault time", () => {
    const trace = new Trace();
    const main = trace.vm().create(RAM).enableLog(RAM);
    clear(main, [0]);
    main.on(200, 1).map(RAM.base, PAGE, TIB);
    main.destroy();
    const { vm, inputs } = phasesOf(trace);
    expect(vm.outcome).toBe("logging");
    expect(vm.phases.every(({ facts }) => Number.isNaN(facts.faultNs))).toBe(true);
    expect(inputs.unknown[0]!.quantity).toContain("blackout");
    // Its memslot is new, and pages were mapped in it: one was dirtied.
    expect(vm.workingSetPages).toBe(1);
  });

  it("without returns has no holds", () => {
    const trace = new Trace(12, { returns: false });
    const main = trace.vm().create(RAM);
    main
      .on(200, 1)
      .map(RAM.base, PAGE, TIB)
      .map(RAM.base + PAGE, PAGE, TIB)
      .entry();
    const { vm } = phasesOf(trace);
    expect(vm.phases[0]!.facts.holds).toEqual({});
    expect(vm.phases[0]!.facts.otherFaults).toBe(2);
  });

  it("with lost events says that everything is a lower bound", () => {
    const trace = new Trace();
    const { main, vcpu } = started(trace);
    main.enableLog(RAM);
    clear(main, [0]);
    trace.lost();
    fault(vcpu, RAM.base);
    const { inputs } = phasesOf(trace);
    expect(inputs.unknown[0]).toMatchObject({ quantity: "everything" });
  });

  it("is empty", () => {
    const trace = new Trace();
    trace.lost();
    expect(() => phasesOf(trace)).toThrow("the trace shows no VM");
  });
});

describe("passes", () => {
  it("are told apart by chunks as the first clear shows them: 64 pages, of QEMU's clear-bitmap-shift of 6", () => {
    const trace = new Trace();
    const { main } = started(trace);
    main.enableLog(RAM);
    const all = Array.from({ length: 64 }, (_, bit) => bit);
    for (let word = 0; word < 3; word += 1) clear(main, all, word * 64);
    clear(main, [5], 64);
    clear(main, [5], 128);
    clear(main, [5], 0);
    clear(main, [5], 0);
    const { vm } = phasesOf(trace);
    expect(vm.passes.map(({ clears }) => clears.length)).toEqual([3, 3, 1]);
  });

  it("are not more than the memslots: each has its own chunk", () => {
    const trace = new Trace();
    const second: Slot = { base: 3 * GIB, size: 4 * MIB, id: 1 };
    const main = trace.vm().create(RAM, second).enableLog(RAM).enableLog(second);
    for (let pass = 0; pass < 2; pass += 1) {
      clear(main, [pass]);
      main.maskWord(second, 64, [pass]).remoteMemslot(second);
    }
    const { vm } = phasesOf(trace);
    expect(vm.passes.map(({ clears }) => clears.length)).toEqual([2, 2]);
    expect(vm.logging).toMatchObject({ slots: 2, pages: 2048, clearSpanPages: 64 });
  });

  it("may be given by the chunk", () => {
    const trace = new Trace();
    const main = trace.vm().create(RAM).enableLog(RAM);
    clear(main, [0], 0);
    clear(main, [0], 64);
    expect(phasesOf(trace).vm.passes).toHaveLength(2);
    expect(phasesOf(trace, undefined, { clearChunkPages: 64 }).vm.passes).toHaveLength(1);
  });
});

describe("phases as given", () => {
  const trace = new Trace();
  const { main, vcpu } = started(trace);
  main.enableLog(RAM);
  clear(main, [0]);
  rewrite(vcpu, RAM.base);
  const last = trace.rows.length;

  it("decide alone, with run between them", () => {
    const { vm } = phasesOf(trace, undefined, {
      given: () => [
        { name: "pass", pass: 1, startNs: 10_000, endNs: 14_000 },
        { name: "blackout", pass: undefined, startNs: 16_000, endNs: 18_000 },
      ],
    });
    expect(toldPhases(vm)).toBe(
      `run 1..10, pass 1 10..14, run 14..16, blackout 16..18, run 18..${last}`,
    );
    expect(vm.phases[3]!.start.confidence).toBe("given");
    expect(vm.unknown.some(({ because }) => because.startsWith("as given"))).toBe(true);
  });

  it("may begin before the trace, and are missed behind its end", () => {
    const { vm } = phasesOf(trace, undefined, {
      given: () => [
        { name: "pass", pass: 3, startNs: -50, endNs: 9000 },
        { name: "blackout", pass: undefined, startNs: 9e9, endNs: 10e9 },
      ],
    });
    expect(toldPhases(vm)).toBe(`run 1..1, pass 3 1..9, run 9..${last}`);
    expect(vm.unknown.map(({ because }) => because)).toContain(
      "1 of those given lie behind the end of the trace",
    );
  });

  it.each([
    [[{ name: "pass", pass: 1, startNs: 5, endNs: 5 }], "ends before it begins"],
    [[{ name: "pass", pass: 1, startNs: -5, endNs: -1 }], "ends before the trace begins"],
    [[{ name: "run", pass: undefined, startNs: Number.NaN, endNs: 5 }], "has no start or no end"],
    [
      [
        { name: "pass", pass: 1, startNs: 0, endNs: 9 },
        { name: "blackout", pass: undefined, startNs: 8, endNs: 12 },
      ],
      "begins inside phase 1",
    ],
  ] as const)("are refused where they cannot be: %#", (given, message) => {
    expect(() => phasesOf(trace, undefined, { given: () => given })).toThrow(message);
  });
});
