import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { readMemslots, readMemslotText } from "./read-memslots.ts";

const read = (text: string) => readMemslotText(text, "slots", 4096);

describe("a memslot table as CSV", () => {
  it("takes bytes or pages, decimal or hexadecimal, under the names of KVM's own structures", () => {
    const bytes = read("ipa,bytes,hva\n0x40000000,0x8000000,0x7f0000000000\n");
    const pages = read("gfn,npages,userspace_addr\n262144,32768,139637976727552\n# a comment\n\n");
    expect(bytes.slots).toEqual(pages.slots);
    expect(bytes.slots[0]).toEqual({
      vm: "vm",
      slot: undefined,
      ipaBytes: 0x4000_0000,
      lenBytes: 0x800_0000,
      hvaBytes: 0x7f00_0000_0000,
      backingBytes: undefined,
      isReadOnly: false,
      isLogged: undefined,
      pid: undefined,
      fromNs: undefined,
      toNs: undefined,
    });
  });

  it("reads what may be said besides, exactly", () => {
    const text =
      "vm,slot,as_id,ipa,size,hva,backing,flags,pid,from_s,to_s\n" +
      "b,3,0,0,2MiB,0x1000000,1G,3,77,12.000000001,13\n";
    expect(read(text).slots[0]).toMatchObject({
      vm: "b",
      slot: 3,
      lenBytes: 2 ** 21,
      backingBytes: 2 ** 30,
      isReadOnly: true,
      isLogged: true,
      pid: 77,
      fromNs: 12_000_000_001n,
      toNs: 13_000_000_000n,
    });
  });

  it("with a byte order mark, CRLF and quotes", () => {
    const text = '\uFEFF"ipa","bytes"\r\n"0x0","4K"\r\n';
    expect(read(text).slots).toMatchObject([{ ipaBytes: 0, lenBytes: 4096, hvaBytes: undefined }]);
  });

  it.each([
    ["ipa,bytes,colour\n0,4096,red\n", /'colour' is no column/],
    ["ipa,gpa,bytes\n0,0,4096\n", /two columns say the same/],
    ["hva,bytes\n0,4096\n", /needs the columns/],
    ["ipa,bytes\n0,\n", /without its guest address or its size/],
    ["ipa,bytes\n0,12\n", /no multiple of the page size/],
    ["ipa,bytes\n1e9,4096\n", /'1e9' is not a number/],
    ["ipa,bytes,as_id\n0,4096,1\n", /one address space/],
    ["ipa,bytes,to_s\n0,4096,soon\n", /not a time/],
    ["ipa,bytes\n0,4096,7\n", /./],
  ])("refuses %j as a whole: no memslot is left out", (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it("names the line", () => {
    expect(() => read("ipa,bytes\n0,4096\n4096,x\n")).toThrow(
      expect.objectContaining({ where: "slots:3" }),
    );
  });
});

/** As QEMU 8.2 prints it for `-M virt -m 128` with a flash; addresses are made up. */
const RAMBLOCK = `(qemu) info ramblock
              Block Name    PSize              Offset               Used              Total                HVA  RO
           mach-virt.ram    2 MiB  0x0000000000000000 0x0000000008000000 0x0000000008000000 0x00007f1c38000000  rw
             virt.flash0    4 KiB  0x0000000008000000 0x0000000004000000 0x0000000004000000 0x00007f1c30000000  rw
    /rom@etc/acpi/tables    4 KiB  0x0000000010000000 0x0000000000020000 0x0000000000200000 0x00007f1c2fe00000  ro
`;
const FLAT = `(qemu) info mtree -f
FlatView #0
 AS "I/O", root: io
 Root memory region: io
  0000000000000000-000000000000ffff (prio 0, i/o): io

FlatView #1
 AS "gpex-root", root: bus master container
 Root memory region: (none)
  0000000040000000-0000000047ffffff (prio 0, ram): other.ram

FlatView #2
 AS "memory", root: system
 AS "cpu-memory-0", root: system
 Root memory region: system
  0000000000000000-0000000003ffffff (prio 0, romd): virt.flash0 KVM
  0000000009000000-0000000009000fff (prio 0, i/o): pl011
  0000000040000000-0000000043ffffff (prio 0, ram): mach-virt.ram KVM
  0000000100000000-0000000103ffffff (prio 0, ram): mach-virt.ram @0000000004000000 KVM
`;

describe("a memslot table from QEMU's monitor", () => {
  it("joins where the guest has RAM with where the host has it", () => {
    const { slots, notes } = read(RAMBLOCK + FLAT);
    expect(notes).toEqual([]);
    expect(slots).toMatchObject([
      { ipaBytes: 0, lenBytes: 0x400_0000, hvaBytes: 0x7f1c_3000_0000, isReadOnly: true },
      {
        ipaBytes: 0x4000_0000,
        lenBytes: 0x400_0000,
        hvaBytes: 0x7f1c_3800_0000,
        backingBytes: 2 ** 21,
        isReadOnly: false,
        isLogged: undefined,
      },
      { ipaBytes: 0x1_0000_0000, hvaBytes: 0x7f1c_3c00_0000 },
    ]);
  });

  it("follows the aliases of a tree", () => {
    const tree = `address-space: memory
  0000000000000000-ffffffffffffffff (prio 0, i/o): system
    0000000040000000-0000000043ffffff (prio 0, ram): alias ram-low @mach-virt.ram 0000000004000000-0000000007ffffff
    0000000050000000-0000000050000fff (prio 0, ram): gone [disabled]
`;
    expect(read(RAMBLOCK + tree).slots).toMatchObject([
      { ipaBytes: 0x4000_0000, lenBytes: 0x400_0000, hvaBytes: 0x7f1c_3c00_0000 },
    ]);
  });

  it("says where a host address is missing", () => {
    const old = RAMBLOCK.replace(/ 0x00007f1c38000000 {2}rw/, "");
    const { slots, notes } = read(old + FLAT.replace(/virt\.flash0/, "pflash"));
    expect(slots.map(({ hvaBytes }) => hvaBytes)).toEqual([undefined, undefined, undefined]);
    expect(notes[0]).toMatch(/does not name pflash/);
    expect(notes[1]).toMatch(/QEMU before 8\.1/);
  });

  it("refuses one without the guest's addresses", () => {
    expect(() => read(RAMBLOCK)).toThrow(/info mtree -f/);
  });
});

describe("finding the table", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "memslots-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("takes the one beside the trace, unless others are named; two of QEMU's are two VMs", async () => {
    const trace = path.join(folder, "trace.txt");
    expect(await readMemslots(trace, undefined, 4096)).toBeUndefined();
    writeFileSync(path.join(folder, "memslots.csv"), "ipa,bytes\n0,4096\n");
    expect(await readMemslots(trace, undefined, 4096)).toMatchObject({
      origin: "memslots.csv",
      slots: [{ lenBytes: 4096 }],
    });
    const monitor = path.join(folder, "a.txt");
    writeFileSync(monitor, RAMBLOCK + FLAT);
    const two = await readMemslots(trace, [monitor, monitor], 4096);
    expect(new Set(two?.slots.map(({ vm }) => vm))).toEqual(new Set(["qemu 0", "qemu 1"]));
  });

  it("refuses a named one that is not there, or empty", async () => {
    await expect(readMemslots("-", [path.join(folder, "no")], 4096)).rejects.toThrow(
      /cannot be read/,
    );
    writeFileSync(path.join(folder, "e.csv"), "ipa,bytes\n");
    await expect(readMemslots("-", [path.join(folder, "e.csv")], 4096)).rejects.toThrow(
      /holds no memslot/,
    );
  });
});
