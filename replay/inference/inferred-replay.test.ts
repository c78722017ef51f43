import { describe, expect, it } from "vitest";

import { Diagnostics } from "../../ingest/diagnostics.ts";
import { boundsOf, classesOf, HVA, infer, StockTrace } from "../testing/stock-trace.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const PAGE = 4 * KIB;
/** 64 MiB of RAM at 1 GiB, where blocks fit; host address and guest address agree below 2 MiB. */
const RAM = { ipa: GIB, size: 64 * MIB };
/** The same, shifted by a page against the host: only pages can be mapped. */
const PAGES_ONLY = { ...RAM, hva: HVA + PAGE };

function withRam(): StockTrace {
  return new StockTrace().slot(RAM);
}

describe("maps", () => {
  it("a page or a block: one leaf goes either way, and with the page its table", () => {
    // The level-1 fault proves that there was no level-2 table: it goes with the block, and with the page
    // the level-3 table goes too.
    const trace = withRam()
      .fault(GIB, 1, "translation")
      .unmap(HVA, 2 * MIB);
    const result = infer(trace.rows);
    expect(boundsOf(result, "pgtable-5.10")).toEqual(["unmap IPA 2…3"]);
    // RANGE whatever was mapped; IPA for each freed table only.
    expect(boundsOf(result, "range-6.9")).toEqual(["unmap IPA 1…2", "unmap RANGE 1"]);
    expect(boundsOf(result, "range-6.6")).toEqual(["unmap RANGE 1"]);
  });

  it("a second fault at page level may have been answered by a block: one leaf and one table, or three and two", () => {
    const trace = withRam()
      .fault(GIB, 1, "translation")
      .fault(GIB + PAGE, 3, "translation")
      .fault(GIB + 2 * PAGE, 3, "translation")
      .unmap(HVA, 64 * MIB);
    const bounds = boundsOf(infer(trace.rows), "pgtable-5.10");
    expect(bounds).toContain("collapse VM 0…1");
    expect(bounds).toContain("unmap IPA 2…5");
  });

  it("where no block fits, everything is certain", () => {
    const trace = new StockTrace()
      .slot(PAGES_ONLY)
      .fault(GIB, 1, "translation")
      .fault(GIB + PAGE, 3, "translation")
      .unmap(HVA + PAGE, 64 * MIB);
    const result = infer(trace.rows);
    // Two leaves, the level-3 and the level-2 table; the root starts at level 1 with 40 bits.
    expect(boundsOf(result, "pgtable-5.10")).toEqual(["unmap IPA 4"]);
    expect(boundsOf(result, "range-6.9")).toEqual(["unmap IPA 2", "unmap RANGE 1"]);
    expect(boundsOf(result, "vmid-wide")).toEqual(["unmap VM 1"]);
  });

  it("under dirty logging only pages are mapped", () => {
    const trace = new StockTrace()
      .slot({ ...RAM, flags: 1 })
      .fault(GIB, 1, "translation")
      .unmap(HVA, 2 * MIB);
    expect(boundsOf(infer(trace.rows), "pgtable-5.10")).toEqual([
      "unmap IPA 3",
      "enable_log VM 0…1",
    ]);
  });

  it("outside every memslot nothing is mapped, nor by a store to a read-only one", () => {
    const store = Math.round(0x24 * 2 ** 26) + (1 << 6) + 0x07;
    const trace = new StockTrace()
      .slot({ ...RAM, flags: 2 })
      .fault(0x900_0000, 1, "translation")
      .add(10, { kind: "guest_fault", addr: GIB, arg0: store })
      .add(10, { kind: "kvm_entry" });
    expect(classesOf(infer(trace.rows))).toEqual({ outside: 2 });
  });

  it("a translation fault with LPA2's level -1 code is one", () => {
    const trace = withRam()
      .add(10, { kind: "kvm_entry" })
      .add(10, { kind: "guest_fault", addr: GIB, arg0: 0x2b })
      .add(10, { kind: "kvm_entry" });
    expect(classesOf(infer(trace.rows))).toEqual({ mapped: 1 });
  });
});

describe("permission and access flag faults", () => {
  it("on a page that can be nothing else: relaxed, IPA up to 6.4 and IPA_LOCAL from 6.5 on", () => {
    const trace = new StockTrace()
      .slot(PAGES_ONLY)
      .fault(GIB, 1, "translation")
      .fault(GIB, 3, "permission");
    const result = infer(trace.rows);
    expect(boundsOf(result, "pgtable-6.2")).toEqual(["relax IPA 1"]);
    expect(boundsOf(result, "pgtable-6.5")).toEqual(["relax IPA_LOCAL 1"]);
  });

  it("on a page where a block fits: relaxed or collapsed", () => {
    const trace = withRam().fault(GIB, 1, "translation").fault(GIB, 3, "permission");
    expect(boundsOf(infer(trace.rows), "pgtable-5.10")).toEqual([
      "collapse VM 0…1",
      "relax IPA 0…1",
    ]);
  });

  it("a later fault tells which: at page level it was relaxed", () => {
    const trace = withRam()
      .fault(GIB, 1, "translation")
      .fault(GIB, 3, "permission")
      .fault(GIB + PAGE, 3, "permission");
    // The page of the second was never seen to be mapped: whatever it did is not certain.
    expect(boundsOf(infer(trace.rows), "pgtable-5.10")).toContain("relax IPA 1…2");
  });

  it("a later fault tells which: at block level it was collapsed", () => {
    const trace = withRam()
      .fault(GIB, 1, "translation")
      .fault(GIB + PAGE, 3, "translation")
      .fault(GIB, 2, "permission");
    expect(boundsOf(infer(trace.rows), "range-6.9")).toEqual([
      "collapse RANGE 1",
      "relax IPA_LOCAL 1",
    ]);
  });

  it("on a block: broken under dirty logging, relaxed without, both at most where that is not known", () => {
    const on = withRam()
      .fault(GIB, 1, "translation")
      .slot({ ...RAM, flags: 1 }, 1, 1, 3)
      .fault(GIB, 2, "permission");
    expect(boundsOf(infer(on.rows), "pgtable-5.10")).toContain("split IPA 1");
    const off = withRam().fault(GIB, 1, "translation").fault(GIB, 2, "permission");
    expect(boundsOf(infer(off.rows), "pgtable-5.10")).toEqual(["relax IPA 1"]);
    const unknown = new StockTrace().fault(GIB, 1, "translation").fault(GIB, 2, "permission");
    const memslots = [
      {
        vm: "a",
        slot: 0,
        ipaBytes: GIB,
        lenBytes: 64 * MIB,
        hvaBytes: HVA,
        backingBytes: undefined,
        isReadOnly: false,
        isLogged: undefined,
        pid: undefined,
        fromNs: undefined,
        toNs: undefined,
      },
    ];
    expect(boundsOf(infer(unknown.rows, { memslots }), "pgtable-5.10")).toEqual([
      "split IPA 0…1",
      "relax IPA 0…1",
    ]);
  });

  it("an access flag fault invalidates nothing", () => {
    const trace = withRam().fault(GIB, 1, "translation").fault(GIB, 2, "access");
    const result = infer(trace.rows);
    expect(result.flushes).toEqual([]);
    expect(classesOf(result)).toEqual({ mapped: 1, youngSet: 1 });
  });

  it("a page that no fault mapped was made by eager split, and that is said", () => {
    const trace = withRam()
      .fault(GIB, 1, "translation")
      .fault(GIB + 5 * PAGE, 3, "permission");
    const result = infer(trace.rows);
    expect(classesOf(result)).toMatchObject({ splitUnseen: 1 });
    expect(result.unbounded.map(({ path }) => path)).toContain("unmap");
  });
});

describe("retries and threads", () => {
  it("a fault whose thread unmaps its page meanwhile is retried, and does nothing", () => {
    const trace = new StockTrace().slot(PAGES_ONLY).fault(GIB, 1, "translation");
    trace.fault(GIB, 3, "permission", 10, () => trace.unmap(HVA + PAGE, PAGE, 10));
    const result = infer(trace.rows);
    expect(classesOf(result)).toEqual({ unmapped: 1, mapped: 1, retried: 1 });
    expect(boundsOf(result, "pgtable-5.10")).toEqual(["unmap IPA 3"]);
  });

  it("without kvm_entry nothing is retried for certain: a fault is what it may be", () => {
    const trace = new StockTrace()
      .slot(PAGES_ONLY)
      .add(10, { kind: "guest_fault", addr: GIB, arg0: (0b11 << 2) | 3 })
      .unmap(HVA + PAGE, PAGE, 10);
    const result = infer(trace.rows);
    expect(boundsOf(result, "pgtable-5.10")).toEqual(["unmap IPA 0…3", "relax IPA 0…1"]);
  });

  it("a fault that another thread's unmap may have upset is only possible", () => {
    const trace = new StockTrace().slot(PAGES_ONLY).fault(GIB, 1, "translation");
    trace.fault(GIB, 3, "permission", 10, () => trace.unmap(HVA + 2 * PAGE, PAGE, 1));
    expect(boundsOf(infer(trace.rows), "pgtable-5.10")).toEqual(["relax IPA 0…1"]);
  });

  it("two threads that fault on one page at once: one of them did it", () => {
    const trace = new StockTrace().slot(PAGES_ONLY).fault(GIB, 1, "translation");
    trace.fault(GIB, 3, "permission", 10, () => trace.fault(GIB, 3, "permission", 11));
    expect(boundsOf(infer(trace.rows), "pgtable-5.10")).toEqual(["relax IPA 0…2"]);
  });

  it("a repeated translation fault was not answered the first time: nothing is counted twice", () => {
    const trace = new StockTrace()
      .slot(PAGES_ONLY)
      .fault(GIB, 1, "translation")
      .fault(GIB, 1, "translation")
      .unmap(HVA + PAGE, PAGE);
    const result = infer(trace.rows);
    expect(classesOf(result)).toMatchObject({ mapped: 2, surprise: 1 });
    expect(boundsOf(result, "pgtable-5.10")).toEqual(["unmap IPA 3"]);
  });
});

describe("unmaps", () => {
  it("outside every memslot: nothing", () => {
    const trace = withRam().unmap(HVA - GIB, MIB);
    expect(infer(trace.rows).flushes).toEqual([]);
  });

  it("of two memslots that one notification covers, each for itself", () => {
    const trace = withRam()
      .slot({ id: 1, ipa: 4 * GIB, size: 2 * MIB, hva: HVA + 64 * MIB })
      .unmap(HVA + 62 * MIB, 4 * MIB);
    expect(boundsOf(infer(trace.rows), "range-6.9")).toEqual(["unmap RANGE 2"]);
  });

  it("with two VMs in a process, one of two equal notifications is the VM's", () => {
    const trace = withRam().slot({ ...RAM, hva: HVA + GIB }, 2);
    trace.unmap(HVA, PAGE).unmap(HVA, PAGE);
    expect(boundsOf(infer(trace.rows), "range-6.9")).toEqual(["unmap RANGE 1…2"]);
  });

  it("two VMs with a memslot on the same host addresses: each at most", () => {
    const trace = withRam().slot(RAM, 2).unmap(HVA, PAGE);
    expect(boundsOf(infer(trace.rows), "range-6.9")).toEqual(["unmap RANGE 0…2"]);
  });

  it("a fault that may be of either VM rules nothing out in any", () => {
    const trace = withRam()
      .slot({ ...RAM, hva: HVA + GIB + PAGE }, 2)
      .fault(GIB, 1, "translation")
      .unmap(HVA, 64 * MIB);
    // One leaf or one page with its two tables, if it was this VM's.
    expect(boundsOf(infer(trace.rows), "pgtable-5.10")).toEqual(["unmap IPA 0…3"]);
  });
});

describe("memslots", () => {
  it("a moved memslot is unmapped where it was", () => {
    const trace = withRam().slot({ ...RAM, ipa: 4 * GIB }, 1, 1, 2);
    expect(boundsOf(infer(trace.rows), "range-6.9")).toEqual(["memslot RANGE 1"]);
  });

  it("a deleted one is known when it is made again, or when none is left", () => {
    const two = withRam().slot({ id: 1, ipa: 4 * GIB, size: 2 * MIB, hva: HVA + GIB });
    const again = two.deleted().slot({ id: 1, ipa: 4 * GIB, size: 2 * MIB, hva: HVA + GIB });
    expect(boundsOf(infer(again.rows), "range-6.9")).toEqual(["memslot RANGE 1"]);
    const only = withRam().deleted();
    expect(boundsOf(infer(only.rows), "range-6.9")).toEqual(["memslot RANGE 1"]);
  });

  it("while it is not known, any may be the one", () => {
    const trace = withRam().slot({ id: 1, ipa: 4 * GIB, size: 2 * MIB, hva: HVA + GIB });
    trace.deleted().unmap(HVA, PAGE);
    expect(boundsOf(infer(trace.rows), "range-6.9")).toEqual([
      "unmap RANGE 0…1",
      "memslot RANGE 0…2",
    ]);
  });

  it("without any, faults are at most what they may have done, and unmaps are said to be unbounded", () => {
    const trace = new StockTrace().fault(GIB, 3, "translation").unmap(HVA, PAGE);
    const result = infer(trace.rows);
    expect(boundsOf(result, "pgtable-5.10")).toEqual(["collapse VM 0…1"]);
    expect(result.unbounded.find(({ path }) => path === "unmap")?.why).toMatch(/--memslots/);
  });
});

describe("other events", () => {
  it("ageing and ring resets flush at most once each", () => {
    const trace = withRam()
      .add(1, { kind: "age_hva", addr: HVA, len: PAGE })
      .add(1, { kind: "age_hva", addr: HVA - GIB, len: PAGE })
      .add(1, { kind: "test_age_hva", addr: HVA })
      .add(1, { kind: "dirty_ring_reset" });
    expect(boundsOf(infer(trace.rows), "range-6.9")).toEqual(["dirty_ring VM 0…1", "age VM 0…1"]);
  });

  it("a set PTE is at most a leaf replaced, and maps the page where its table is there", () => {
    const trace = new StockTrace()
      .slot(PAGES_ONLY)
      .fault(GIB, 1, "translation")
      .add(1, { kind: "set_spte_hva", addr: HVA + 2 * PAGE })
      .unmap(HVA + PAGE, 64 * MIB);
    expect(boundsOf(infer(trace.rows), "pgtable-5.10")).toEqual(["unmap IPA 3…4", "remap IPA 0…1"]);
  });

  it("after lost events anything may be mapped", () => {
    const trace = new StockTrace().slot(PAGES_ONLY).fault(GIB, 1, "translation");
    trace.add(0, { kind: "lost" }).unmap(HVA + PAGE, 2 * PAGE);
    // Two pages, or a block; and the tables of levels 3 and 2.
    expect(boundsOf(infer(trace.rows), "pgtable-5.10")).toEqual(["unmap IPA 0…4"]);
  });

  it("after a line that could not be read, too", () => {
    const trace = new StockTrace().slot(PAGES_ONLY).fault(GIB, 1, "translation");
    const diagnostics = new Diagnostics("test");
    diagnostics.add("UNPARSED_LINE", "?", 4);
    trace.add(5, { kind: "marker" }).unmap(HVA + PAGE, 2 * PAGE);
    expect(boundsOf(infer(trace.rows, { diagnostics }), "pgtable-5.10")).toEqual(["unmap IPA 0…4"]);
  });
});
