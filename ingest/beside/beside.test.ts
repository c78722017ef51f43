import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { probedFunctionsOf } from "./probe-list.ts";
import { readHostFacts } from "./read-host-facts.ts";
import { resolveTracePath } from "./resolve-trace-path.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "beside-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const save = async (name: string, content: string): Promise<void> =>
  writeFile(join(directory, name), content);
const facts = async (): ReturnType<typeof readHostFacts> =>
  readHostFacts(join(directory, "trace.txt"));

const CAPTURE = {
  kernel: "6.12.107+deb13-arm64",
  uname: "Linux (none) 6.12.107+deb13-arm64 #1 SMP Debian 6.12.107-1 aarch64 GNU/Linux",
  page_size: 16384,
  mode: "VHE+NV2",
  features: {
    tlb_range: true,
    fwb: false,
    ttl: true,
    lpa2: false,
    detected: ["Instruction cache invalidation not required for I/D coherence"],
  },
  kprobes: [
    "p:kvm_s2/map kvm_pgtable_stage2_map pgt=%x0:x64",
    "ABSENT kvm_pgtable_stage2_split",
    "r64:kvm_s2/map_ret kvm_pgtable_stage2_map ret=$retval:s32",
  ],
};
const DMESG = [
  "[    0.000000] Linux version 6.1.0-56-arm64 (debian-kernel@lists.debian.org) #1 SMP Debian 6.1.192-2",
  "[    0.000000] CPU features: detected: Virtualization Host Extensions",
  "[    0.168210] CPU features: detected: ARMv8.4 Translation Table Level",
  "[    0.168637] CPU features: detected: Stage-2 Force Write-Back",
  "[    0.168651] CPU features: detected: TLB range maintenance instructions",
  "[    1.696061] kvm [1]: Hyp nVHE mode initialized successfully",
].join("\n");

describe("readHostFacts", () => {
  it("finds nothing beside standard input or in an empty directory", async () => {
    expect(await readHostFacts("-")).toEqual({
      facts: {},
      notes: [],
      contradictions: [],
    });
    expect(await facts()).toEqual({
      facts: {},
      notes: [],
      contradictions: [],
    });
  });

  it("reads capture.json", async () => {
    await save("capture.json", JSON.stringify(CAPTURE));
    const origin = "capture.json";
    expect(await facts()).toEqual({
      notes: [],
      contradictions: [],
      facts: {
        kernelRelease: { value: CAPTURE.kernel, origin },
        kernelVersionText: { value: CAPTURE.uname, origin },
        pageSizeBytes: { value: 16384, origin },
        hypMode: { value: "VHE", origin },
        cpuFeatures: { value: ["tlbirange", "ttl", "dic"], origin },
        probedFunctions: { value: ["kvm_pgtable_stage2_map"], origin },
      },
    });
  });

  it("reads the other files, each fact with its origin", async () => {
    await save("dmesg.kvm.txt", DMESG);
    await save(
      "uname.txt",
      "Linux host 6.1.0-56-arm64 #1 SMP Debian 6.1.192-2 aarch64 GNU/Linux\n",
    );
    await save(
      "kprobes.txt",
      "p:kvm_s2/unmap kvm:kvm_pgtable_stage2_unmap+0x0 pgt=%x0\nSKIPPED x\n",
    );
    const found = await facts();
    expect(found.notes).toEqual([]);
    expect(found.facts).toEqual({
      kernelRelease: { value: "6.1.0-56-arm64", origin: "dmesg.kvm.txt:1" },
      kernelVersionText: {
        value:
          "Linux version 6.1.0-56-arm64 (debian-kernel@lists.debian.org) #1 SMP Debian 6.1.192-2",
        origin: "dmesg.kvm.txt:1",
      },
      hypMode: { value: "nVHE", origin: "dmesg.kvm.txt:6" },
      cpuFeatures: { value: ["ttl", "fwb", "tlbirange"], origin: "dmesg.kvm.txt:2" },
      probedFunctions: { value: ["kvm_pgtable_stage2_unmap"], origin: "kprobes.txt" },
    });
  });

  it("lets capture.json win", async () => {
    await save("capture.json", JSON.stringify({ mode: "VHE" }));
    await save("dmesg.txt", DMESG);
    expect((await facts()).facts).toMatchObject({
      hypMode: { value: "VHE", origin: "capture.json" },
      kernelRelease: { origin: "dmesg.txt:1" },
    });
  });

  it("knows the modes by the kernel's own words", async () => {
    const cases = [
      ["VHE mode", "VHE"],
      ["Hyp mode", "nVHE"],
      ["Hyp nVHE mode", "nVHE"],
      ["Protected nVHE mode", "pKVM"],
      ["Protected hVHE mode", "pKVM"],
    ] as const;
    for (const [words, mode] of cases) {
      await save("dmesg.txt", `[    1.0] kvm [1]: ${words} initialized successfully`);
      expect((await facts()).facts.hypMode, words).toEqual({ value: mode, origin: "dmesg.txt:1" });
    }
  });

  it("notes what it cannot use and never fails", async () => {
    await mkdir(join(directory, "dmesg.dir.txt"));
    await save("uname.txt", "no such thing");
    for (const text of ["{", "[]", "null", '"x"']) {
      await save("capture.json", text);
      const found = await facts();
      expect(found.facts, text).toEqual({});
      expect(found.notes, text).toHaveLength(3);
    }
    await save(
      "capture.json",
      JSON.stringify({
        kernel: 5,
        page_size: 4097,
        mode: "odd",
        features: { fwb: 1 },
        kprobes: [1],
      }),
    );
    const found = await facts();
    expect(found.facts).toEqual({});
    expect(found.notes).toContain("capture.json: `page_size` has a value that cannot be used");
    expect(found.notes).toHaveLength(7);
  });

  it("does not call a feature absent because a file does not mention it", async () => {
    await save("dmesg.txt", "[    1.0] kvm [1]: VHE mode initialized successfully");
    expect((await facts()).facts.cpuFeatures).toBeUndefined();
    await save("capture.json", JSON.stringify({ features: { fwb: true } }));
    expect((await facts()).facts.cpuFeatures).toBeUndefined();
  });
});

describe("probedFunctionsOf", () => {
  it("takes entries of kernel functions only", () => {
    const lines = [
      "p:g/a func_a x=%x0",
      "p func_b",
      "f:g/c func_c $arg*",
      "r:g/d func_d",
      "r64:g/e func_e",
      "f:g/f func_f%return",
      "p:g/h func_a",
      "p:uprobes/i /bin/sh:0x1234",
      "p:g/j kvm:func_j+4 x=%di",
      "# comment",
      "",
    ];
    expect(probedFunctionsOf(lines)).toEqual(["func_a", "func_b", "func_c", "func_j"]);
  });
});

describe("resolveTracePath", () => {
  it("leaves files, absent paths and standard input alone", async () => {
    await save("trace.txt", "x");
    expect(await resolveTracePath("-")).toBe("-");
    expect(await resolveTracePath(join(directory, "trace.txt"))).toBe(join(directory, "trace.txt"));
    expect(await resolveTracePath(join(directory, "absent"))).toBe(join(directory, "absent"));
  });

  it("finds the one trace of a directory", async () => {
    await save("trace.csv.gz", "x");
    await save("trace.latency.txt", "x");
    expect(await resolveTracePath(directory)).toBe(join(directory, "trace.csv.gz"));
  });

  it("takes the trace.dat of a directory without another trace", async () => {
    await save("recorded.dat", "x");
    expect(await resolveTracePath(directory)).toBe(join(directory, "recorded.dat"));
    await save("second.dat.gz", "x");
    await expect(resolveTracePath(directory)).rejects.toMatchObject({
      message: expect.stringContaining("recorded.dat and second.dat.gz"),
    });
    await save("trace.txt", "x");
    expect(await resolveTracePath(directory)).toBe(join(directory, "trace.txt"));
  });

  it("takes the trace.dat where the text beside it has no event", async () => {
    await save("recorded.dat", "x");
    await save(
      "trace.txt",
      "# tracer: nop\n#\n# entries-in-buffer/entries-written: 0/0   #P:2\n#\n",
    );
    expect(await resolveTracePath(directory)).toBe(join(directory, "recorded.dat"));
    await save("trace.txt", "");
    expect(await resolveTracePath(directory)).toBe(join(directory, "recorded.dat"));
    await save("trace.txt", "# tracer: nop\n a-1 [000] 1.0: x: y\n");
    expect(await resolveTracePath(directory)).toBe(join(directory, "trace.txt"));
  });

  it("finds a packed trace", async () => {
    for (const name of ["trace.txt.zst", "trace.txt.xz", "trace.csv.lz4", "recorded.dat.xz"]) {
      await save(name, "x");
      expect(await resolveTracePath(directory)).toBe(join(directory, name));
      await rm(join(directory, name));
    }
  });

  it("refuses a directory with none or several", async () => {
    await expect(resolveTracePath(directory)).rejects.toMatchObject({
      code: "UNREADABLE",
      message: expect.stringContaining("none"),
    });
    await save("trace.txt", "x");
    await save("trace.txt.gz", "x");
    await expect(resolveTracePath(directory)).rejects.toMatchObject({
      message: expect.stringContaining("trace.txt and trace.txt.gz"),
    });
  });
});
