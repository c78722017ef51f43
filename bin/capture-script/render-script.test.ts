import { spawnSync } from "node:child_process";
import { array, assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { KERNEL_FUNCTIONS } from "../../ingest/vocabulary/functions.ts";
import { nameOfArgument } from "../../ingest/vocabulary/recorded-probes.ts";
import { TraceError } from "../../ingest/errors.ts";
import { notesOf } from "./plan-notes.ts";
import { coversNeeds, planProbes } from "./probe-plan.ts";
import { checkingScript, recordingScript } from "./render-script.ts";
import { commentLines, quoted } from "./shell-text.ts";
import { type Given, plan } from "./testing/scripts.ts";

/** Whether a shell takes the script; it runs nothing. */
function syntaxOf(script: string): string {
  const { status, stderr } = spawnSync("sh", ["-n"], { input: script, encoding: "utf8" });
  return status === 0 ? "" : stderr;
}

const RELEASES = [
  "5.8",
  "5.9",
  "5.10",
  "5.15",
  "6.1",
  "6.5",
  "6.6",
  "6.9",
  "6.12",
  "6.14",
  "6.18",
  "7.0",
  "7.2",
  "7.4",
  "9.0",
];

const needed = (kernel: string): readonly string[] =>
  planProbes(plan({ kernel })).flatMap(({ name, isNeeded }) => (isNeeded ? [name] : []));

const said = (given: Given): string => {
  const { assumptions, limits } = notesOf(plan(given));
  return [...assumptions, ...limits].join("\n");
};

describe("scripts", () => {
  for (const kernel of RELEASES) {
    it(`are made for ${kernel}, and are shell`, () => {
      for (const arch of ["arm64", "x86"]) {
        const made = plan({ kernel, arch });
        expect(syntaxOf(recordingScript(made, "1.2.3"))).toBe("");
        expect(syntaxOf(checkingScript(made, "1.2.3"))).toBe("");
      }
    });

    it(`of ${kernel} fetch by offset only what the reader can use`, () => {
      for (const { symbol, isReturn, forms } of planProbes(plan({ kernel }))) {
        const meaning = KERNEL_FUNCTIONS.get(symbol);
        if (isReturn || meaning === undefined || forms.byOffset === undefined) continue;
        const names = forms.byOffset.split(" ").map(nameOfArgument);
        expect(coversNeeds(meaning, names), `${symbol}: ${forms.byOffset}`).toBe(true);
        expect(forms.byOffset).not.toMatch(/[{}]/);
        expect(forms.byName ?? "").not.toMatch(/[{}]/);
      }
    });
  }

  it("are made with every option", () => {
    const made = plan({
      kernel: "7.2.13+deb14-arm64",
      nested: true,
      probes: "fprobe",
      mode: "vhe",
      tracepoints: "faults",
      clock: "boot",
      memory: "1G",
      overwrite: true,
      tgid: true,
      pid: "77",
    });
    const script = recordingScript(made, "1.2.3");
    expect(syntaxOf(script)).toBe("");
    expect(script).toContain("PID='77'");
    expect(script).toContain("MEMORY_KB='1048576'");
    expect(script).toContain("pgt=$arg1:x64 mmu=+40($arg1):x64 vmid=+0(+40($arg1)):x16");
    expect(script).not.toMatch(/%x\d/);
  });

  it("needs on each release what that release has", () => {
    const base = [
      "map",
      "unmap",
      "wrprotect",
      "relax_perms",
      "destroy",
      "hw_vmid_ipa",
      "hw_vmid",
      "map_ret",
    ];
    expect(needed("5.8")).toEqual([]);
    expect(needed("5.9")).toEqual(["hw_vmid_ipa", "hw_vmid"]);
    expect(needed("5.10").toSorted()).toEqual(base.toSorted());
    expect(needed("6.5").toSorted()).toEqual([...base, "split", "hw_vmid_ipa_nsh"].toSorted());
    expect(needed("6.6").toSorted()).toEqual(
      [...base, "split", "hw_vmid_ipa_nsh", "hw_vmid_range", "tlb_range"].toSorted(),
    );
  });
});

describe("notes", () => {
  it("tell what is assumed and what a recording cannot show", () => {
    expect(said({})).toBe("");
    expect(said({ kernel: "7.3" })).toMatch(/7\.3 is newer than 7\.2/);
    expect(said({ kernel: "5.14.0-503.el9.aarch64" })).toMatch(/parts of later releases/);
    expect(said({ kernel: "5.9" })).toMatch(/before 5\.10 .* cannot be rebuilt/);
    expect(said({ kernel: "5.8" })).toMatch(/hyp text/);
    expect(said({ mode: "nvhe" })).toMatch(/EL2, invisible/);
    expect(said({ mode: "pkvm" })).toMatch(/belongs to the hypervisor/);
    expect(said({ pid: "9" })).toMatch(/khugepaged/);
    expect(said({ overwrite: true })).toMatch(/oldest events go first/);
    expect(said({ kernel: "6.14", probes: "fprobe" })).toMatch(/does not count/);
    expect(said({ arch: "x86" })).toMatch(/does not replay x86/);
  });

  it("do not read structures of a distributor's own kernel by offset", () => {
    const unmap = planProbes(plan({ kernel: "5.14.0-503.el9.aarch64" }))[1]!;
    expect(unmap.forms.byOffset).toBe("pgt=%x0:x64 addr=%x1:x64 size=%x2:x64");
  });
});

describe("options", () => {
  const refused: readonly (readonly [Given, RegExp])[] = [
    [{ kernel: "six" }, /is not a kernel version/],
    [{ kernel: "6.12'; reboot; '" }, /is not a kernel version/],
    [{ kernel: "5.4" }, /nothing is known of kernels before 5\.8/],
    [{ kernel: "6.12", probes: "fprobe" }, /no fprobe events before 6\.14/],
    [{ kernel: "6.1", arch: "x86", probes: "fprobe" }, /no fprobe events before 6\.5/],
    [{ arch: "x86", nested: true }, /is about arm64/],
    [{ arch: "x86", mode: "vhe" }, /is about arm64/],
    [{ clock: "x86-tsc" }, /is of x86/],
    [{ kernel: "6.1", nested: true }, /no nested guests/],
    [{ seconds: "0" }, /whole number/],
    [{ memory: "much" }, /number of bytes/],
    [{ pid: "-1" }, /whole number/],
    [{ clock: "sundial" }, /not one of/],
  ];
  for (const [given, message] of refused) {
    it(`refuse ${JSON.stringify(given)}`, () => {
      expect(() => plan(given)).toThrow(TraceError);
      expect(() => plan(given)).toThrow(message);
    });
  }
});

describe("shell text", () => {
  it("quotes every text so that a shell gives it back", () => {
    const text = string({ unit: "binary-ascii" }).filter((one) => !one.includes("\0"));
    assert(
      property(array(text, { maxLength: 20 }), (texts) => {
        const words = texts.map((one) => `printf '%s\\0' ${quoted(one)}`).join("\n");
        const { stdout } = spawnSync("sh", ["-s"], { input: words, encoding: "utf8" });
        expect(stdout).toBe(texts.map((one) => `${one}\0`).join(""));
      }),
      { numRuns: 30 },
    );
  });

  it("keeps comments on lines of their own", () => {
    expect(commentLines(["a b\nreboot"])).toEqual(["# - a b reboot"]);
    const long = commentLines(["word ".repeat(60)]);
    expect(long.length).toBe(4);
    for (const line of long) expect(line).toMatch(/^# .{1,100}$/);
  });
});
