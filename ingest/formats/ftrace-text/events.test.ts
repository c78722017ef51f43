import { describe, expect, it } from "vitest";

import { eventLine, readText } from "../../testing/read-text.ts";

/** The one row of a trace that has one event line. */
async function rowOf(text: string): Promise<Record<string, unknown>> {
  const { rows, counts } = await readText(eventLine(text));
  expect(counts).toEqual({});
  expect(rows).toHaveLength(1);
  const { cpu, pid, tsNs, line, ...own } = rows[0]!;
  expect({ cpu, pid, tsNs, line }).toEqual({ cpu: 0, pid: 7, tsNs: 0, line: 1 });
  return own;
}

const PGT = "0xfff00000c112bcc0";
const MMU = "0xffff80008258d9c8";
const KVM = "0xffff80008258d000";

describe("probe lines", () => {
  it("fills a map", async () => {
    const text = `map: (kvm_pgtable_stage2_map+0x0/0x1a0) pgt=${PGT} mmu=${MMU} addr=0x180000 size=0x1000 phys=0x1028d3000 prot=0x80000000000004 flags=0x42bfefff`;
    expect(await rowOf(text)).toEqual({
      kind: "map",
      pgt: PGT,
      mmu: MMU,
      addr: 0x180000,
      len: 0x1000,
      phys: 0x1028d3000,
      prot: 0x80000000000004n,
      arg0: 0x42bfefff,
    });
  });

  it("goes by the function, whatever the event is called, with module and compiler suffixes", async () => {
    const symbols = [
      "kvm_pgtable_stage2_unmap+0x0/0x70",
      "kvm_pgtable_stage2_unmap.isra.0+0x8/0x70",
      "kvm_pgtable_stage2_unmap.constprop.0.part.1+0x0/0x70 [kvm]",
    ];
    for (const symbol of symbols) {
      const row = await rowOf(`my_own_name: (${symbol}) pgtable=${PGT} ipa=0x1000 bytes=8192`);
      expect(row, symbol).toEqual({ kind: "unmap", pgt: PGT, addr: 0x1000, len: 8192 });
    }
  });

  it("takes a stock tracepoint's name for a probe where a probe's location follows", async () => {
    const row = await rowOf(
      `kvm_unmap_hva_range: (kvm_unmap_gfn_range+0x0/0x50) kvm=${KVM} slot=0x1 start=0x180 end=0x181`,
    );
    expect(row).toEqual({ kind: "unmap_gfn", kvm: KVM, addr: 0x180, len: 1 });
  });

  it("reads returns with their value in any width", async () => {
    const location = "(stage2_apply_range+0xd8/0x110 <- kvm_pgtable_stage2_map)";
    for (const value of ["-12", "0xfffffff4", "4294967284", "0xfffffffffffffff4"]) {
      expect(await rowOf(`map_ret: ${location} ret=${value}`), value).toEqual({
        kind: "map_ret",
        arg0: -12,
      });
    }
    const inModule = "(vcpu_run+0x1/0x2 [kvm_host] <- kvm_pgtable_stage2_split [kvm])";
    expect(await rowOf(`x: ${inModule} ret=0`)).toEqual({ kind: "split_ret", arg0: 0 });
  });

  it("turns an end into a length and keeps an object of unknown type in both columns", async () => {
    const row = await rowOf(
      `apply_range: (stage2_apply_range+0x0/0xf0) obj=${KVM} addr=0x182000 end=0x183000 fn=kvm_pgtable_stage2_unmap+0x0/0x70 resched=1`,
    );
    expect(row).toEqual({
      kind: "apply_range",
      mmu: KVM,
      kvm: KVM,
      addr: 0x182000,
      len: 0x1000,
      arg0: 1,
    });
  });

  it("knows the applied functions", async () => {
    for (const [fn, index] of [
      ["kvm_pgtable_stage2_wrprotect+0x0/0x70", 2],
      ["kvm_pgtable_stage2_flush", 3],
      ["kvm_pgtable_stage2_unmapped+0x0/0x7", 0],
      ["0xffff800080000000", 0],
    ] as const) {
      const row = await rowOf(
        `a: (stage2_apply_range+0x0/0xf0) mmu=${MMU} addr=0x0 end=0x0 fn=${fn}`,
      );
      expect(row, fn).toEqual({ kind: "apply_range", mmu: MMU, addr: 0, len: 0, arg0: index });
    }
  });

  it("splits the dirty mask into halves", async () => {
    const row = await rowOf(
      `e: (kvm_arch_mmu_enable_log_dirty_pt_masked+0x0/0x60) kvm=${KVM} base_gfn=0xfffbe00 gfn_offset=0x40 mask=0x8000000000000001`,
    );
    expect(row).toEqual({
      kind: "enable_log_pt_masked",
      kvm: KVM,
      addr: 0xfffbe00,
      arg0: 0x40,
      arg1: 1,
      arg2: 0x80000000,
    });
  });

  it("reads a memslot change", async () => {
    const row = await rowOf(
      `commit_region: (kvm_arch_commit_memory_region+0x0/0x260) kvm=${KVM} change=3 old_flags=0x1 base_gfn=0xffffeff npages=0x100 hva=0xffff80f01000 flags=0x0 id=-1`,
    );
    expect(row).toEqual({
      kind: "commit_region",
      kvm: KVM,
      addr: 0xffffeff,
      len: 0x100,
      phys: 0xffff80f01000,
      arg0: 3,
      arg1: 1,
      arg2: 0,
      arg3: -1,
    });
  });

  it("reads levels as ints and sizes in pages as they are", async () => {
    const ipa = "(__kvm_tlb_flush_vmid_ipa+0x0/0xd8)";
    expect(await rowOf(`h: ${ipa} mmu=${MMU} ipa=0x0 level=2147483647`)).toMatchObject({
      kind: "hw_vmid_ipa",
      arg0: 2147483647,
    });
    expect(await rowOf(`h: ${ipa} mmu=${MMU} ipa=0x0 level=-1`)).toMatchObject({ arg0: -1 });
    expect(await rowOf(`h: ${ipa} mmu=${MMU} ipa=0x0 level=0xdead00000003`)).toMatchObject({
      arg0: 3,
    });
    const range = await rowOf(
      `h: (__kvm_tlb_flush_vmid_range+0x0/0x188) mmu=${MMU} start=0x180000 pages=519`,
    );
    expect(range).toEqual({ kind: "hw_vmid_range", mmu: MMU, addr: 0x180000, len: 519 });
  });

  it("reads a bool from a register with garbage above it", async () => {
    const row = await rowOf(
      `t: (kvm_pgtable_stage2_test_clear_young+0x0/0x9) pgt=${PGT} addr=0x0 size=0x1000 mkold=0xffff000000000100`,
    );
    expect(row).toMatchObject({ kind: "test_clear_young", arg0: 0 });
  });

  it("does not take a freed table page for a context", async () => {
    const row = await rowOf(
      "f: (kvm_pgtable_stage2_free_unlinked+0x0/0x110) mm_ops=0xffff800082051fc0 pgtable=0xfff0000002cbc000 level=2",
    );
    expect(row).toEqual({ kind: "free_unlinked" });
  });

  it("accepts negative and unsigned decimal pointers", async () => {
    expect(
      await rowOf("d: (kvm_pgtable_stage2_destroy+0x0/0x1) pgt=-140735301562368"),
    ).toMatchObject({ pgt: "0xffff80008257d000" });
    expect(
      await rowOf("d: (kvm_pgtable_stage2_destroy+0x0/0x1) pgt=18446603338407989248"),
    ).toMatchObject({ pgt: "0xffff80008257d000" });
  });

  it("leaves unused strings alone, blanks and imitations in quotes included", async () => {
    const row = await rowOf(
      `u: (kvm_pgtable_stage2_unmap+0x0/0x70) pgt=${PGT} hva="a size=0x1 b" slot=' ' addr=0x1000 size=0x2000`,
    );
    expect(row).toMatchObject({ kind: "unmap", addr: 0x1000, len: 0x2000 });
  });

  it("follows a probe whose arguments change within the trace", async () => {
    const unmap = "unmap: (kvm_pgtable_stage2_unmap+0x0/0x70)";
    const { rows, counts } = await readText(
      eventLine(`${unmap} pgt=${PGT} addr=0x1000 size=0x2000`) +
        eventLine(`${unmap} size=0x3000 addr=0x4000 pgt=${PGT}`) +
        eventLine(`${unmap} pgt=${PGT} addr=0x5000 size=0x6000`),
    );
    expect(counts).toEqual({});
    expect(rows.map(({ addr, len }) => [addr, len])).toEqual([
      [0x1000, 0x2000],
      [0x4000, 0x3000],
      [0x5000, 0x6000],
    ]);
  });

  it("tells apart two functions that were probed under one name", async () => {
    const { rows } = await readText(
      eventLine(`x: (kvm_pgtable_stage2_unmap+0x0/0x70) pgt=${PGT} addr=0x1000 size=0x2000`) +
        eventLine(`x: (kvm_pgtable_stage2_wrprotect+0x0/0x70) pgt=${PGT} addr=0x1000 size=0x2000`) +
        eventLine(`x: (kvm_pgtable_stage2_unmap+0x0/0x70) pgt=${PGT} addr=0x1000 size=0x2000`),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["unmap", "wrprotect", "unmap"]);
  });

  it("says which probes the replay does not use", async () => {
    const { rows, counts, examples } = await readText(
      eventLine("a: (some_function+0x0/0x9) x=1").repeat(3) +
        eventLine(`b: (kvm_pgtable_stage2_map+0x40/0x1a0) pgt=${PGT}`) +
        eventLine("c: (0xaaaabbbb)"),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["other", "other", "other", "other", "other"]);
    expect(counts).toEqual({ UNSUPPORTED_EVENT: 4 });
    expect(examples).toEqual([
      "UNSUPPORTED_EVENT probe of some_function, a function that the replay does not use",
      "UNSUPPORTED_EVENT probe in the middle of kvm_pgtable_stage2_map (offset 64): not its call",
    ]);
  });
});

describe("stock tracepoints", () => {
  it("reads faults, with and without 0x", async () => {
    expect(
      await rowOf(
        "kvm_guest_fault: ipa 0xffffffe000, hsr 0x93d9804f, hxfar 0xc00ff000, pc 0x00000000400b70",
      ),
    ).toEqual({ kind: "guest_fault", addr: 0xffffffe000, arg0: 0x93d9804f });
    expect(
      await rowOf("kvm_guest_fault: ipa 0, hsr 0x82000085, hxfar 0x405ac0, pc 0x00000000405ac0"),
    ).toMatchObject({ addr: 0 });
    expect(await rowOf("kvm_access_fault: IPA: 1234")).toEqual({
      kind: "access_fault",
      addr: 0x1234,
    });
  });

  it("reads host ranges", async () => {
    expect(
      await rowOf(
        "kvm_unmap_hva_range: mmu notifier unmap range: 0x00ffffbd582000 -- 0x00ffffbd583000",
      ),
    ).toEqual({ kind: "unmap_hva", addr: 0xffffbd582000, len: 0x1000 });
    expect(
      await rowOf("kvm_age_hva: mmu notifier age hva: 0x00ffff9b800000 -- 0x00ffff9ba00000"),
    ).toEqual({ kind: "age_hva", addr: 0xffff9b800000, len: 0x200000 });
    expect(await rowOf("kvm_test_age_hva: mmu notifier test age hva: 0x00ffff9b800000")).toEqual({
      kind: "test_age_hva",
      addr: 0xffff9b800000,
    });
    expect(await rowOf("kvm_set_spte_hva: mmu notifier set pte hva: 0x00ffffbd582000")).toEqual({
      kind: "set_spte_hva",
      addr: 0xffffbd582000,
    });
  });

  it("reads exits to user space; an errno is negative", async () => {
    expect(await rowOf("kvm_userspace_exit: reason KVM_EXIT_MMIO (6)")).toEqual({
      kind: "userspace_exit",
      arg0: 6,
    });
    expect(await rowOf("kvm_userspace_exit: reason restart (4)")).toEqual({
      kind: "userspace_exit",
      arg0: -4,
    });
  });

  it("knows which events fire only while a vCPU is loaded", async () => {
    expect(
      await rowOf(
        "kvm_timer_save_state:    CTL: 0x000000 CVAL:              0x0 arch_timer_ctx_index: 1",
      ),
    ).toEqual({ kind: "vcpu_event" });
    expect(await rowOf("kvm_entry: PC: 0x0000000000405ac0")).toEqual({ kind: "kvm_entry" });
    expect(await rowOf("kvm_get_timer_map: VCPU: 0, dv: 1, dp: 0, ev: -1, ep: -1")).toEqual({
      kind: "other",
    });
    expect(await rowOf("kvm_timer_update_irq: VCPU: 0, IRQ 27, level 0")).toEqual({
      kind: "other",
    });
    expect(await rowOf("kvm_dirty_ring_exit: vcpu 3")).toEqual({ kind: "vcpu_event", arg0: 3 });
  });

  it("reads markers and stack traces", async () => {
    expect(await rowOf("tracing_mark_write: s2 op=unmap ipa=0")).toEqual({ kind: "marker" });
    const { rows, counts, info } = await readText(
      `${eventLine("<stack trace>")} => schedule\n => vfs_read\n=> ksys_read\n`,
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["other"]);
    expect(counts).toEqual({});
    expect(info.eventsByName).toEqual(new Map([["<stack trace>", 1]]));
  });

  it("finds the event that stands behind an event without text or line end", async () => {
    const inner = eventLine("kvm_entry: PC: 0x0", "1.000002", 9, 1);
    const { rows, info } = await readText(eventLine(`kvm_mmu_get_page: ${inner.trimEnd()}`));
    expect(rows.map(({ kind, pid, cpu, tsNs }) => [kind, pid, cpu, tsNs])).toEqual([
      ["other", 7, 0, 0],
      ["kvm_entry", 9, 1, 2000],
    ]);
    expect(info.events).toBe(2);
  });
});

describe("times", () => {
  it("are exact for clocks whose nanoseconds no double holds", async () => {
    const { rows, info } = await readText(
      eventLine("a: b", "1795182104.551297") + eventLine("a: b", "1795182104.551304"),
    );
    expect(info.baseNs).toBe(1795182104551297000n);
    expect(rows.map(({ tsNs }) => tsNs)).toEqual([0, 7000]);
    expect([info.firstTsNs, info.lastTsNs]).toEqual([0, 7000]);
  });

  it("are ticks where the clock prints integers, and that is said", async () => {
    const { rows, info, counts } = await readText(
      eventLine("a: b", "8056921455023") + eventLine("a: b", "8056921460067"),
    );
    expect(info.baseNs).toBe(8056921455023n);
    expect(rows.map(({ tsNs }) => tsNs)).toEqual([0, 5044]);
    expect(info.layout).toContain("clock in ticks");
    expect(counts).toEqual({ ASSUMED: 1 });
  });

  it("may be equal, and are noted where they run backwards", async () => {
    const times = ["2.000000", "2.000000", "1.999999", "2.000000"];
    const { rows, counts, examples } = await readText(
      times.map((time) => eventLine("a: b", time)).join(""),
    );
    expect(rows.map(({ tsNs }) => tsNs)).toEqual([0, 0, -1000, 0]);
    expect(counts).toEqual({ TIME_BACKWARDS: 1 });
    expect(examples).toEqual(["TIME_BACKWARDS by 1000 ns"]);
  });
});
