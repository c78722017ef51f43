import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Argv } from "yargs";
import type { Command } from "./command.ts";
import { SHARED_OPTIONS, type SharedOption, withOptions } from "./options.ts";
import { run } from "./program.ts";

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- keys of a literal
const NAMES = Object.keys(SHARED_OPTIONS) as SharedOption[];

let seen: Record<string, unknown> | undefined;
let output = "";

/** Takes every shared option and traces, and keeps what it was given. */
const everything: Command = {
  command: "everything [trace..]",
  describe: "For tests",
  builder: (yargs: Argv<object>) => withOptions(yargs, ...NAMES),
  handler: (args: Record<string, unknown>) => {
    seen = args;
  },
};

beforeEach(() => {
  seen = undefined;
  output = "";
  const keep = (chunk: unknown): boolean => {
    output += String(chunk);
    return true;
  };
  vi.spyOn(process.stderr, "write").mockImplementation(keep);
  vi.spyOn(console, "log").mockImplementation((text: unknown) => void keep(text));
});
afterEach(() => vi.restoreAllMocks());

/** The arguments of the handler; an error as the text that the user sees. */
async function parse(...words: string[]): Promise<Record<string, unknown> | string> {
  const code = await run(["everything", ...words], [everything]);
  return code === 0 ? (seen ?? {}) : `${code}: ${output.split("\n")[0]}`;
}

describe("shared options", () => {
  it("are each in the help once, in a group, with one line and a default", async () => {
    await run(["everything", "--help"], [everything]);
    for (const name of NAMES) {
      const { describe: text, group, fallback } = SHARED_OPTIONS[name];
      expect(output.match(new RegExp(`^ +--${name} `, "gm")), name).toHaveLength(1);
      expect(text, name).toMatch(/^[A-Z][^\n]{10,}[^.]$/);
      expect(group, name).toMatch(/:$/);
      expect(fallback, name).not.toBe("");
    }
    expect(Math.max(...output.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it("are undefined where they are not given", async () => {
    const args = await parse();
    for (const name of NAMES) expect(args, name).not.toHaveProperty(name, expect.anything());
  });

  it("arrive checked and typed", async () => {
    const words =
      "--policy range-6.9,ideal --policy-file a.json --policy-file b.json --flag x=1 --flag y=a=b " +
      "--cpu tlbirange,fwb --page-size 16K --ipa-bits 48 --kernel 6.12.107+deb13-arm64 " +
      "--start fresh --input-format csv --probes kprobes.txt --instance kv --format arrow --out results --quiet a.txt - 123";
    expect(await parse(...words.split(" "))).toMatchObject({
      policy: ["range-6.9", "ideal"],
      "policy-file": ["a.json", "b.json"],
      flag: [
        { name: "x", value: "1" },
        { name: "y", value: "a=b" },
      ],
      cpu: ["tlbirange", "fwb"],
      "page-size": 16_384,
      "ipa-bits": 48,
      kernel: "6.12.107+deb13-arm64",
      start: "fresh",
      "input-format": "csv",
      probes: "kprobes.txt",
      instance: "kv",
      format: "arrow",
      out: "results",
      quiet: true,
      trace: ["a.txt", "-", "123"],
    });
  });

  it("do not swallow the traces that follow, and take --cpu none", async () => {
    expect(await parse("--flag", "x=1", "a.txt", "--cpu=none", "b.txt")).toMatchObject({
      flag: [{ name: "x", value: "1" }],
      cpu: [],
      trace: ["a.txt", "b.txt"],
    });
  });

  it("leave a lone dash where it is: stdin", async () => {
    expect(await parse("-")).toMatchObject({ trace: ["-"] });
    expect(await parse("-", "--quiet", "a", "-")).toMatchObject({ trace: ["-", "a", "-"] });
    expect(await parse("--policy-file", "-", "a")).toMatchObject({
      "policy-file": ["-"],
      trace: ["a"],
    });
  });

  it("take traces that begin with a dash behind --", async () => {
    expect(await parse("--quiet", "--", "-odd.txt", "-")).toMatchObject({
      trace: ["./-odd.txt", "-"],
    });
  });

  it.each([
    ["--page-size 5k", "--page-size: '5k' is not one of 4k, 16k, 64k"],
    ["--page-size 4k --page-size 16k", "--page-size: is given 2 times, not once"],
    ["--cpu none,fwb", "--cpu: names 'none' together with features"],
    ["--cpu fwb,ftb", "--cpu: 'ftb' is not one of tlbirange, fwb, ttl, lpa2, dic"],
    ["--cpu=", "--cpu: needs a value"],
    ["--ipa-bits 0x30", "--ipa-bits: '0x30' is not a whole number from 32 to 52"],
    ["--flag x", "--flag: 'x' is not of the form NAME=VALUE"],
    ["--flag x=1 --flag x=2", "--flag: sets 'x' twice"],
    ["--kernel latest", "--kernel: 'latest' is not a kernel version"],
    ["--out -", "--out: names a folder, not stdout"],
    ["--out", "--out needs a value"],
    ["--policy a,,b", "--policy: has an empty item in its list"],
    ["--start never", "--start: 'never' is not one of fresh, unknown, auto"],
    [
      "--input-format perf",
      "--input-format: 'perf' is not one of auto, trace-dat, ftrace-text, trace-cmd-report, perf-script, bpftrace, function-graph, arrow, csv",
    ],
    ["--pageSize 4k", "unknown option '--pageSize': did you mean '--page-size'?"],
    ["--polcy a", "unknown option '--polcy': did you mean '--policy'?"],
  ])("refuse %s", async (words, sentence) => {
    expect(await parse(...words.split(" "))).toBe(`2: tlbi-replay: ${sentence}`);
  });
});
