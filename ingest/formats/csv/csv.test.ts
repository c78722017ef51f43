import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { openTrace } from "../../open-trace.ts";
import { inChunks, readAll, readText, type Row } from "../../testing/read-text.ts";

const HEADER = "ts_ns,cpu,pid,event,pgt,mmu,kvm,addr,len,phys,prot,arg0,arg1,arg2,arg3";

/** A row without the columns that this test is not about. */
function ownColumns(row: Row): object {
  const common = new Set(["cpu", "pid", "line", "mmu", "kvm"]);
  return Object.fromEntries(Object.entries(row).filter(([name]) => !common.has(name)));
}

describe("event CSV", () => {
  it("fills every column from its own name", async () => {
    const { rows, counts, info } = await readText(
      `${HEADER}\n1000,3,42,map,0xfff00000c112bcc0,0xffff80008258d9c8,0xffff80008258d000,0x180000,4096,0x1028d3000,0x80000000000007,8,,,\n`,
    );
    expect(counts).toEqual({});
    expect(rows).toEqual([
      {
        kind: "map",
        cpu: 3,
        pid: 42,
        tsNs: 0,
        line: 2,
        pgt: "0xfff00000c112bcc0",
        mmu: "0xffff80008258d9c8",
        kvm: "0xffff80008258d000",
        addr: 0x180000,
        len: 4096,
        phys: 0x1028d3000,
        prot: 0x80000000000007n,
        arg0: 8,
      },
    ]);
    expect(info).toMatchObject({
      format: "csv",
      baseNs: 1000n,
      events: 1,
      eventsByName: new Map([["map", 1]]),
    });
  });

  it("takes functions, returns and the argument vocabulary", async () => {
    const { rows, counts } = await readText(
      "ts_s,event,mmu,ipa,size,pages,level,ret,mask,change,flags,npages,base_gfn,kvm,end,fn\n" +
        "1.5,kvm_pgtable_stage2_unmap,1,0x1000,0x2000,,,,,,,,,,,\n" +
        "1.500000001,kvm_pgtable_stage2_unmap,,,,,,0,,,,,,,,\n" +
        "1.6,kvm_pgtable_stage2_map_ret,,,,,,0xfffffff4,,,,,,,,\n" +
        "1.6,unmap_ret,,,,,,0,,,,,,,,\n" +
        "1.6,hw_vmid_range,1,0x1000,,7,,,,,,,,,,\n" +
        "1.6,__kvm_tlb_flush_vmid_ipa,1,0x1000,,,-1,,,,,,,,,\n" +
        "1.6,commit_region,,,,,,,,3,1,0x10,0x20,2,,\n" +
        "1.6,apply_range,1,0x1000,,,,,,,,,,,0x3000,kvm_pgtable_stage2_wrprotect\n",
    );
    expect(counts).toEqual({});
    expect(rows.map(ownColumns)).toEqual([
      { kind: "unmap", tsNs: 0, addr: 0x1000, len: 0x2000 },
      { kind: "unmap_ret", tsNs: 1, arg0: 0 },
      { kind: "map_ret", tsNs: 100_000_000, arg0: -12 },
      { kind: "unmap_ret", tsNs: 100_000_000, arg0: 0 },
      { kind: "hw_vmid_range", tsNs: 100_000_000, addr: 0x1000, len: 7 },
      { kind: "hw_vmid_ipa", tsNs: 100_000_000, addr: 0x1000, arg0: -1 },
      { kind: "commit_region", tsNs: 100_000_000, addr: 0x20, len: 0x10, arg0: 3, arg2: 1 },
      { kind: "apply_range", tsNs: 100_000_000, addr: 0x1000, len: 0x2000, arg0: 2 },
    ]);
  });

  it("keeps 64-bit times and pointers exact", async () => {
    const { rows, info } = await readText(
      "ts_ns,event,kvm\n1795182104551297123,remote,18446603338407989248\n1795182104551297124,remote,0xffff80008257d000\n",
    );
    expect(info.baseNs).toBe(1795182104551297123n);
    expect(rows.map(({ tsNs, kvm }) => [tsNs, kvm])).toEqual([
      [0, "0xffff80008257d000"],
      [1, "0xffff80008257d000"],
    ]);
  });

  it("accepts a byte order mark, CR LF, comments, blank lines and quotes", async () => {
    const text =
      '\u{feff}# made by hand\r\nts_ns,event\r\n\r\n# a comment\r\n1,"kvm_entry"\r\n2,kvm_exit\r\n';
    const { rows, counts } = await readText(Buffer.from(text, "utf8"));
    expect(counts).toEqual({ COMMENT_LINE: 2 });
    expect(rows.map(({ kind }) => kind)).toEqual(["kvm_entry", "kvm_exit"]);
  });

  it("keeps losses: rows of kind lost are counted", async () => {
    const { rows, counts, info } = await readText(
      "ts_ns,event,arg0\n1,lost,12\n2,lost,\n3,kvm_entry,\n",
    );
    expect(rows.map(({ kind, arg0 }) => [kind, arg0])).toEqual([
      ["lost", 12],
      ["lost", undefined],
      ["kvm_entry", undefined],
    ]);
    expect(counts).toEqual({ EVENTS_LOST: 13 });
    expect(info.events).toBe(1);
  });

  it("gives back any event that was written", async () => {
    const event = fc.record({
      kind: fc.constantFrom("unmap", "wrprotect", "tlb_range", "destroy_range"),
      pgt: fc.bigInt(1n, (1n << 64n) - 1n),
      addr: fc.integer({ min: 0, max: 2 ** 52 }),
      len: fc.integer({ min: 0, max: 2 ** 40 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        async (events, hex) => {
          const show = (n: bigint | number): string => (hex ? `0x${n.toString(16)}` : String(n));
          const lines = events.map(
            ({ kind, pgt, addr, len }, i) => `${i},${kind},${show(pgt)},${show(addr)},${show(len)}`,
          );
          const { rows } = await readText(`ts_ns,event,pgt,addr,len\n${lines.join("\n")}\n`, [13]);
          expect(
            rows.map(({ kind, pgt, addr, len }) => ({ kind, pgt: BigInt(pgt!), addr, len })),
          ).toEqual(events);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("a CSV that cannot be used", () => {
  it("is refused for its header", async () => {
    const cases: readonly (readonly [string, string])[] = [
      ["ts_ns,event,addr,addr\n1,remote,1,2\n", "twice"],
      ["ts_ns,ts_s,event\n1,1,remote\n", "both"],
    ];
    for (const [text, word] of cases) {
      const reader = await openTrace("-", { stdin: inChunks(Buffer.from(text), [100]) });
      await expect(readAll(reader)).rejects.toMatchObject({
        code: "WRONG_FORMAT",
        message: expect.stringContaining(word),
      });
    }
    await expect(readText("ts_ns;event\n1;remote\n")).rejects.toMatchObject({
      code: "WRONG_FORMAT",
      hint: expect.stringContaining("commas"),
    });
    await expect(readText("ts_ns,name\n1,remote\n")).rejects.toMatchObject({
      code: "WRONG_FORMAT",
    });
  });

  it("counts each bad row and goes on", async () => {
    const bad: readonly (readonly [string, string])[] = [
      ["x,unmap,1,0,4096", "UNPARSED_LINE the time is not a number"],
      ["1.5,unmap,1,0,4096", "UNPARSED_LINE the time is not a number"],
      ["1,unmap,1,0", "UNPARSED_LINE 4 cells where the header has 5"],
      ["1,unmap,1,zero,4096", "BAD_NUMBER unmap: `addr` is not a number that fits"],
      ["1,unmap,1,0x20000000000000,4096", "BAD_NUMBER unmap: `addr` is not a number that fits"],
      ["1,unmap,,0,4096", "MISSING_ARGUMENT unmap: no column gives pgt, mmu or kvm"],
      ["1,unmap,1,0,", "MISSING_ARGUMENT unmap: no column gives len"],
      [
        "1,no_such_event,1,0,4096",
        "UNSUPPORTED_EVENT event `no_such_event` is no kind and no known function",
      ],
    ];
    for (const [row, expected] of bad) {
      const { rows, examples } = await readText(
        `ts_ns,event,pgt,addr,len\n1,unmap,1,0,4096\n${row}\n1,unmap,1,0,8192\n`,
      );
      expect(
        examples.map((example) => example.slice(0, expected.length)),
        row,
      ).toEqual([expected]);
      expect(
        rows.map(({ kind }) => kind).filter((kind) => kind !== "other"),
        row,
      ).toEqual(["unmap", "unmap"]);
    }
  });

  it("notes columns that nobody knows, and those that an event does not have", async () => {
    const { counts, examples } = await readText(
      "ts_ns,event,kvm,colour,level\n1,remote,1,red,\n2,remote,1,red,3\n3,remote,1,,3\n",
    );
    expect(counts).toEqual({ UNKNOWN_ARGUMENT: 3 });
    expect(examples).toEqual([
      "UNKNOWN_ARGUMENT column `colour`",
      "UNKNOWN_ARGUMENT column `level` of remote",
    ]);
  });

  it("refuses two columns for one value", async () => {
    const { rows, examples } = await readText(
      "ts_ns,event,pgt,addr,ipa,len\n1,unmap,1,0,4096,4096\n",
    );
    expect(rows[0]!.kind).toBe("other");
    expect(examples[0]).toContain("columns `addr` and `ipa` both give addr");
  });

  it("does not lose the tail to a bad quote: what follows is declared lost", async () => {
    const good = "1,remote,1\n";
    const broken = await readText(`ts_ns,event,kvm\n${good}2,"remote"x,1\n${good.repeat(50)}`);
    expect(broken.rows).toHaveLength(1);
    expect(broken.counts).toEqual({ TRUNCATED: 1 });
    expect(broken.lines).toEqual([3]);

    const unclosed = await readText(`ts_ns,event,kvm\n${good}2,"remote,1\n${good.repeat(50)}`);
    expect(unclosed.rows).toHaveLength(1);
    expect(unclosed.counts).toEqual({ TRUNCATED: 1 });

    const swallowed = await readText(
      `ts_ns,event,kvm\n${good}2,"remote,1\n${good}${good}3,remote",1\n${good}`,
    );
    expect(swallowed.rows).toHaveLength(2);
    expect(swallowed.counts).toEqual({ UNPARSED_LINE: 4 });

    const endless = await readText(`ts_ns,event,kvm\n${good}2,"remote,1\n${good.repeat(20_000)}`);
    expect(endless.rows).toHaveLength(1);
    expect(endless.counts).toEqual({ TRUNCATED: 1 });
  });
});
