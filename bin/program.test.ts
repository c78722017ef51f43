import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");
const executable = path.join(root, "dist/bin/tlbi-replay.js");

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function tool(...words: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [executable, ...words], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", LC_ALL: "de_DE.UTF-8" },
  });
  return { code: status, out: stdout, err: stderr };
}

/** A built file as the text of a string literal. */
function url(file: string): string {
  return JSON.stringify(pathToFileURL(path.join(root, "dist", file)));
}

/** A program like the executable, with one command `do` whose handler is this code. */
function scripted(handler: string, argv: readonly string[] = ["do"]): string[] {
  return [
    "--input-type=module",
    "-e",
    `const { run, wantsDebug } = await import(${url("bin/program.js")});
     const { installLifecycle, onInterrupt } = await import(${url("bin/lifecycle.js")});
     const { raiseExitCode } = await import(${url("bin/exit-codes.js")});
     const { printResult } = await import(${url("bin/stdout.js")});
     const { TraceError } = await import(${url("ingest/errors.js")});
     const argv = ${JSON.stringify(argv)};
     const command = { command: "do", describe: "d", handler: async () => { ${handler} } };
     installLifecycle(wantsDebug(argv));
     process.exitCode = await run(argv, [command]);`,
  ];
}

function runScripted(handler: string, argv?: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, scripted(handler, argv), {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  return { code: status, out: stdout, err: stderr };
}

describe("the executable", () => {
  it("begins with a shebang", () => {
    expect(fs.readFileSync(executable, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it("prints versions", () => {
    const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
    const text = `tlbi-replay ${version} (result schema 1, node ${process.version})\n`;
    expect(tool("--version")).toEqual({ code: 0, out: text, err: "" });
  });

  it("prints help on stdout, at most 100 columns wide, in English, with the exit codes", () => {
    const { code, out, err } = tool("--help");
    expect([code, err]).toEqual([0, ""]);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    for (const line of ["Commands:", "Examples:", "  0    done", "  130  interrupted"]) {
      expect(out).toContain(line);
    }
  });

  it("prints help on stderr and fails where nothing is asked for", () => {
    const { code, out, err } = tool();
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("Commands:");
  });

  it.each([
    [["ecode"], "unknown command 'ecode': did you mean 'encode'?", ""],
    [["--quiet"], "no command is given", ""],
    [["encode"], "encode needs <addr> <size>", " encode"],
    [["encode", "0", "4K", "more"], "unexpected argument 'more'", " encode"],
    [
      ["--quite", "encode", "0", "4K"],
      "unknown option '--quite': did you mean '--quiet'?",
      " encode",
    ],
    [["encode", "0", "4K", "-"], "unexpected argument '-'", " encode"],
    [["encode", "0", "4K", "-x"], "unknown option '-x'", " encode"],
  ])("answers %j in one sentence, with a pointer to the help", (words, sentence, command) => {
    expect(tool(...words)).toEqual({
      code: 2,
      out: "",
      err: `tlbi-replay: ${sentence}\nTry 'tlbi-replay${command} --help'.\n`,
    });
  });
});

describe("the end of a run", () => {
  it("reports a TraceError with its place and its hint", () => {
    const error = 'throw new TraceError("UNREADABLE", "cannot be read", "a.txt", "look at it")';
    expect(runScripted(error)).toEqual({
      code: 1,
      out: "",
      err: "tlbi-replay: a.txt: cannot be read\n  hint: look at it\n",
    });
    expect(runScripted('throw new TraceError("BAD_POLICY_FILE", "x")').code).toBe(2);
  });

  it("shows the stack with --debug only", () => {
    const plain = runScripted('throw new Error("oops")');
    expect([plain.code, plain.err.split("\n")[0]]).toEqual([
      1,
      "tlbi-replay: internal error: oops",
    ]);
    expect(plain.err).not.toMatch(/^ +at /m);
    expect(runScripted('throw new Error("oops")', ["do", "--debug"]).err).toMatch(/^ +at /m);
  });

  it("reports an error outside of the command, too", () => {
    const { code, err } = runScripted(
      'await new Promise(() => setTimeout(() => { throw new Error("late"); }))',
    );
    expect([code, err.split("\n")[0]]).toEqual([1, "tlbi-replay: internal error: late"]);
  });

  it("passes on the code that the command raised, and all of its output", () => {
    const { code, out } = runScripted(
      'await printResult("x".repeat(5_000_000)); raiseExitCode(3); raiseExitCode(4);',
    );
    expect([code, out.length]).toEqual([4, 5_000_000]);
  });

  it("is quiet and 0 when the reader has seen enough", () => {
    const loop = 'for (;;) await printResult("line\\n".repeat(1000));';
    const { status, stdout, stderr } = spawnSync(
      "bash",
      ["-c", '"$@" | head -1; exit ${PIPESTATUS[0]}', "-", process.execPath, ...scripted(loop)],
      { encoding: "utf8" },
    );
    expect([status, stdout, stderr]).toEqual([0, "line\n", ""]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("on %s runs the cleanups and is 130", async (signal) => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "lifecycle-"));
    const file = JSON.stringify(path.join(dir, "temporary"));
    const child: ChildProcess = spawn(
      process.execPath,
      scripted(`
        const fs = await import("node:fs");
        fs.writeFileSync(${file}, "");
        onInterrupt(() => fs.rmSync(${file}));
        onInterrupt(() => { throw new Error("a cleanup that fails"); });
        console.log("ready");
        await new Promise((resolve) => setTimeout(resolve, 60_000));`),
    );
    if (child.stdout) await once(child.stdout, "data");
    expect(fs.readdirSync(dir)).toEqual(["temporary"]);
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([130, null]);
    expect(fs.readdirSync(dir)).toEqual([]);
    fs.rmdirSync(dir);
  });
});
