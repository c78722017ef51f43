import { describe, expect, it } from "vitest";
import { granuleOfVtcr, leafBytes, ttlOf, ttlToSize } from "./granules.ts";
import { decodeIpaOperand, decodeRangeOperand, vmidOfVttbr } from "./tlbi-operands.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const halves = (operand: bigint): readonly [number, number] => [
  Number(operand & 0xffff_ffffn),
  Number(operand >> 32n),
];

describe("operands that the captures hold", () => {
  // nvdrive's own words: i:A:0:6 is TTL 6 at the start of area A (0x100000000), and so on.
  it.each([
    [0x6000_0010_0000n, 0x1_0000_0000, 6],
    [0x10_0003n, 0x1_0000_3000, 0],
    [0x7000_0020_0002n, 0x2_0000_2000, 7],
    [0x5000_0030_0001n, 0x3_0000_1000, 5],
    // NS (bit 63) and IPA[51:48] (bits 39:36) are dropped.
    [0x8000_00f0_0010_0000n, 0x1_0000_0000, 0],
  ])("IPAS2 %s", (operand, addrBytes, ttl) => {
    expect(decodeIpaOperand(...halves(operand))).toEqual({ addrBytes, ttl });
  });

  it.each([
    // r:B:0:3:0 is NUM 3, SCALE 0; r:B:512:0:1 is NUM 0, SCALE 1.
    [0x4180_0020_0000n, 0x2_0000_0000, 32 * KIB, "4k"],
    [0x5000_0020_0200n, 0x2_0020_0000, 256 * KIB, "4k"],
    [0x4000_0010_0000n, 0x1_0000_0000, 8 * KIB, "4k"],
    // TG 2: BADDR in 16 KiB; SCALE 3, NUM 31: 32 << 16 granules.
    [0xbf80_0000_0001n, 16 * KIB, 2 ** 21 * 16 * KIB, "16k"],
    // TG 0 is read as 64 KiB.
    [0x0000_0000_0001n, 64 * KIB, 128 * KIB, "64k"],
  ])("RIPAS2 %s", (operand, startBytes, lenBytes, granule) => {
    expect(decodeRangeOperand(...halves(operand))).toEqual({
      startBytes,
      lenBytes,
      granule,
      ttlBytes: 0,
    });
  });

  it("RIPAS2's TTL (bits 38:37) is read, though KVM does not look at it", () => {
    expect(decodeRangeOperand(...halves(0x4000_0010_0000n | (2n << 37n))).ttlBytes).toBe(2 * MIB);
  });

  it("VTTBR: the guest's VMID is bits 63:48", () => {
    expect(vmidOfVttbr(halves(0x0002_0000_8002_0000n)[1])).toBe(2);
  });
});

describe("ttl_to_size", () => {
  it.each([
    [0b0100, 0],
    [0b0101, GIB],
    [0b0110, 2 * MIB],
    [0b0111, 4 * KIB],
    [0b1000, 0],
    [0b1001, 0],
    [0b1010, 32 * MIB],
    [0b1011, 16 * KIB],
    [0b1100, 0],
    [0b1101, 0],
    [0b1110, 512 * MIB],
    [0b1111, 64 * KIB],
    [0b0000, 0],
    [0b0001, 0],
    [0b0010, 0],
    [0b0011, 0],
  ])("TTL %s names %s bytes", (ttl, bytes) => {
    expect(ttlToSize(ttl)).toBe(bytes);
  });

  it("is the inverse of naming a leaf's level", () => {
    for (const granule of ["4k", "16k", "64k"] as const) {
      for (const level of [1, 2, 3])
        expect(ttlToSize(ttlOf(granule, level))).toBe(leafBytes(granule, level));
    }
  });

  it("reads VTCR_EL2.TG0", () => {
    expect(granuleOfVtcr(0x8002_3559)).toBe("4k");
    expect(granuleOfVtcr(1 << 14)).toBe("64k");
    expect(granuleOfVtcr(2 << 14)).toBe("16k");
    expect(granuleOfVtcr(3 << 14)).toBe("64k");
  });
});
