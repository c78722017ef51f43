import { expect, it } from "vitest";
import { createEventBatch } from "../events/columns.ts";
import { emptyBatch } from "../events/rows.ts";
import { MarkerText } from "./marker-text.ts";

/** addr, len, arg0, arg1, arg2 of a marker. */
function read(text: string): readonly number[] {
  const batch = createEventBatch(1);
  emptyBatch(batch, 1);
  const bytes = new TextEncoder().encode(`>${text}<`);
  new MarkerText().read(bytes, 1, bytes.length - 1, batch, 0);
  return [batch.addr[0]!, batch.len[0]!, batch.arg0[0]!, batch.arg1[0]!, batch.arg2[0]!];
}

const NOTHING = [Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN];

it("reads what the s2 driver announces: hexadecimal but for the VM and the count", () => {
  expect(read("s2drive vm=0 op=write ipa=102033000 stride=1000 n=542")).toEqual([
    0x1_0203_3000, 4096, 542, 1, 0,
  ]);
});

it("leaves the stride out where the driver does", () => {
  expect(read("s2drive vm=1 op=read ipa=101bba000 n=245")).toEqual([
    0x1_01bb_a000,
    Number.NaN,
    245,
    0,
    1,
  ]);
});

it("reads the accesses of the nested driver's inner guest, and which that is", () => {
  const { NaN: none } = Number;
  expect(read("nvdrive op=write area=A l2ipa=100200000 stride=1000 n=4")).toEqual([
    0x1_0020_0000,
    4096,
    4,
    3,
    none,
  ]);
  expect(read("nvdrive op=ctx i=1 vttbr=2000080020000 vtcr=80023559")).toEqual([
    none,
    none,
    none,
    5,
    1,
  ]);
  expect(read("nvdrive start slot0 ipa=80000000 size=200000")).toEqual([none, none, none, 6, none]);
});

it.each([
  "s2drive vm=3 op=mprotect-ro ipa=103c00000 size=200000",
  "s2drive vm=3 op=xtouch-dontneed ipa=1002409000 n=1025",
  "s2drive vm=3 op=write ipa=zz n=1",
  "s2drive vm=3 slot1 ipa=100000000 size=4000000",
])("takes from %j only whose VM it is", (text) => {
  expect(read(text)).toEqual([Number.NaN, Number.NaN, Number.NaN, 4, 3]);
});

it.each([
  "s2drive end ops=200",
  "s2drive",
  "nvdrive op=tlbi name=ipas2e1is operand=600000100000",
  "nvdrive end",
  "",
])("takes nothing from %j", (text) => {
  expect(read(text)).toEqual(NOTHING);
});
