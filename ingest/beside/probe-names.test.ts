import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTrace } from "../open-trace.ts";
import { readAll } from "../testing/read-text.ts";
import { readProbeNames } from "./probe-names.ts";

const UNMAP = "p:g/probe kvm_pgtable_stage2_unmap pgt=%x0\n";
const WRPROTECT = "p:g/probe kvm_pgtable_stage2_wrprotect pgt=%x0\n";
const REPORT =
  "cpus=1\n            vcpu-600   [001]    34.478548: probe:                (ffff80008009f688) pgt=0x1 addr=0x0 size=0x1000\n";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "names-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

/** A directory with a report and these files beside it. */
async function besides(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(directory, name));
  for (const [file, text] of Object.entries({ "report.txt": REPORT, ...files })) {
    await writeFile(join(folder, file), text);
  }
  return join(folder, "report.txt");
}

async function kindOf(path: string, probes?: string): Promise<readonly string[]> {
  const options = probes === undefined ? {} : { probes };
  const { rows, info } = await readAll(await openTrace(path, options));
  return [rows[0]?.kind ?? "lost", info.layout.replace(/^.*functions of probes by /, "")];
}

describe("functions of probes", () => {
  it("are found in the list that stands beside the trace, whatever it is called", async () => {
    for (const name of ["kprobes.txt", "kprobe_events", "dynamic_events"]) {
      expect(await kindOf(await besides("list", { [name]: UNMAP }))).toEqual(["unmap", name]);
    }
    const json = JSON.stringify({ kprobes: [WRPROTECT] });
    expect(await kindOf(await besides("json", { "capture.json": json }))).toEqual([
      "wrprotect",
      "capture.json",
    ]);
  });

  it("are found by address in the kernel's symbols", async () => {
    const symbols = "ffff80008009f688 T kvm_pgtable_stage2_unmap\n";
    const path = await besides("symbols", { "kallsyms.txt": symbols });
    expect(await kindOf(path)).toEqual(["unmap", "kallsyms.txt"]);
  });

  it("are taken from the list that the user names before any other", async () => {
    const path = await besides("named", { "kprobes.txt": UNMAP, "mine.txt": WRPROTECT });
    const mine = join(path, "..", "mine.txt");
    expect(await kindOf(path, mine)).toEqual(["wrprotect", "mine.txt"]);
  });

  it("are not found where nothing defines a probe, which is not an error yet", async () => {
    const path = await besides("none", { "kprobes.txt": "ABSENT f\n", "capture.json": "{" });
    const { origin, notes } = await readProbeNames(path);
    expect([origin, notes]).toEqual([undefined, []]);
    expect(await readProbeNames("-")).toMatchObject({ origin: undefined });
  });
});
