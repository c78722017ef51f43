import { describe, expect, it } from "vitest";
import { type ContextKey, ShadowContexts } from "./shadow-contexts.ts";

const key = (vmid: bigint, baddr: bigint, isStage2On = true, vtcr = 0x8002_3559n): ContextKey => ({
  vttbr: (vmid << 48n) | baddr,
  vtcr,
  isStage2On,
});

describe("which context a vCPU gets", () => {
  it("two for each vCPU", () => {
    expect(new ShadowContexts(3).count).toBe(6);
  });

  it("the same for the same VTTBR and VTCR; CnP does not matter", () => {
    const contexts = new ShadowContexts(1);
    expect(contexts.take(key(1n, 0x1000n))?.index).toBe(0);
    contexts.put(0);
    expect(contexts.take(key(1n, 0x1001n))?.index).toBe(0);
  });

  it("another for another table, VTCR or VMID: several may have one VMID", () => {
    const contexts = new ShadowContexts(2);
    const keys = [
      key(1n, 0x1000n),
      key(1n, 0x2000n),
      key(1n, 0x1000n, true, 0x1n),
      key(2n, 0x1000n),
    ];
    expect(keys.map((one) => contexts.take(one)?.index)).toEqual([0, 1, 2, 3]);
    expect(contexts.ofVmid(1n)).toEqual([0, 1, 2]);
    expect(contexts.valid()).toEqual([0, 1, 2, 3]);
  });

  it("without stage 2 only the VMID counts", () => {
    const contexts = new ShadowContexts(2);
    expect(contexts.take(key(1n, 0x1000n, false))?.index).toBe(0);
    expect(contexts.take(key(1n, 0x7000n, false, 0n))?.index).toBe(0);
    expect(contexts.take(key(1n, 0x1000n, true))?.index).toBe(1);
    expect(contexts.take(key(2n, 0x1000n, false))?.index).toBe(2);
  });

  it("goes round: the next that nobody uses, and what it held is to be unmapped", () => {
    const contexts = new ShadowContexts(2);
    for (const vmid of [1n, 2n, 3n, 4n]) {
      const found = contexts.take(key(vmid, 0n))!;
      expect(found.isRecycled).toBe(false);
      if (vmid !== 1n) contexts.put(found.index);
    }
    // 0 is in use: the search begins there, and goes on to 1.
    expect(contexts.take(key(5n, 0n))).toEqual({
      index: 1,
      isRecycled: true,
      isUnmapPending: true,
    });
    expect(contexts.take(key(6n, 0n))?.index).toBe(2);
    expect(contexts.ofVmid(2n)).toEqual([]);
  });

  it("the unmap stays pending until it was done, whoever comes", () => {
    const contexts = new ShadowContexts(1);
    contexts.put(contexts.take(key(1n, 0n))!.index);
    contexts.put(contexts.take(key(2n, 0n))!.index);
    contexts.put(contexts.take(key(3n, 0n))!.index);
    expect(contexts.take(key(3n, 0n))?.isUnmapPending).toBe(true);
    contexts.unmapped(0);
    expect(contexts.take(key(3n, 0n))).toEqual({
      index: 0,
      isRecycled: false,
      isUnmapPending: false,
    });
  });

  it("none where all are in use", () => {
    const contexts = new ShadowContexts(1);
    contexts.take(key(1n, 0n));
    contexts.take(key(2n, 0n));
    expect(contexts.take(key(3n, 0n))).toBeUndefined();
  });
});
