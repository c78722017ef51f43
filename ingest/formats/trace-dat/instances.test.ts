import { describe, expect, it } from "vitest";

import { payloads } from "../../testing/dat-events.ts";
import { buildDat, cpuStat, type DatFileSpec } from "../../testing/dat-file.ts";
import { DatPage } from "../../testing/dat-page.ts";
import { readText } from "../../testing/read-text.ts";

const T0 = 1_000_000_000n;

function pageOf(payload: Uint8Array): Uint8Array {
  return new DatPage(T0).record(0, payload).build();
}

const SPEC: DatFileSpec = {
  cpus: [[pageOf(payloads.entry())]],
  instance: { name: "kv", pages: [pageOf(payloads.map(0x4000)), pageOf(payloads.mapRet(0))] },
};

describe("a trace.dat with several instances", () => {
  for (const isPacked of [false, true]) {
    it(`reads the one that is named, ${isPacked ? "" : "not "}packed`, async () => {
      const file = buildDat({ ...SPEC, isPacked });
      const top = await readText(file);
      expect(top.rows.map(({ kind }) => kind)).toEqual(["kvm_entry"]);
      expect(top.examples[0]).toMatch(/^OTHER_BUFFER `kv` with \d+ bytes/);
      const named = await readText(file, [4096], { instance: "kv" });
      expect(named.rows.map(({ kind }) => kind)).toEqual(["map", "map_ret"]);
      expect(named.info.layout).toContain("buffer kv");
      expect(named.counts).toEqual({ OTHER_BUFFER: 1 });
      expect(named.examples[0]).toMatch(/^OTHER_BUFFER the top buffer with \d+ bytes/);
    });
  }

  it("does not count another buffer's losses", async () => {
    const file = buildDat({ ...SPEC, statistics: [cpuStat(0, 5)] });
    expect((await readText(file)).counts).toMatchObject({ EVENTS_LOST: 4 });
    const named = await readText(file, [4096], { instance: "kv" });
    expect(named.counts).toEqual({ OTHER_BUFFER: 1 });
  });

  it("refuses a name that no instance has, and lists those there are", async () => {
    await expect(readText(buildDat(SPEC), [4096], { instance: "kvm" })).rejects.toMatchObject({
      code: "BAD_OPTION",
      message: "this trace.dat has no instance kvm",
      hint: "its instances are kv",
    });
    const plain = buildDat({ cpus: SPEC.cpus });
    await expect(readText(plain, [4096], { instance: "kv" })).rejects.toMatchObject({
      code: "BAD_OPTION",
      hint: "it has only the top buffer",
    });
  });

  it("refuses a name for a text, which has no instances", async () => {
    const text = "# tracer: nop\n#\n";
    await expect(readText(text, [4096], { instance: "kv" })).rejects.toMatchObject({
      code: "BAD_OPTION",
      message: "an instance is named (kv), but ftrace-text has none",
    });
  });
});
