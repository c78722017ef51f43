import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TraceError } from "../ingest/errors.ts";
import { UsageError, exitCodeOf } from "./errors.ts";
import { EXIT_CODE_MEANINGS, ExitCode, raiseExitCode } from "./exit-codes.ts";

let before: typeof process.exitCode;
beforeEach(() => {
  before = process.exitCode;
  process.exitCode = undefined;
});
afterEach(() => {
  process.exitCode = before;
});

describe("exit codes", () => {
  it("are those that scripts rely on, each with a meaning", () => {
    expect(Object.values(ExitCode)).toEqual([0, 1, 2, 3, 4, 130]);
    expect(EXIT_CODE_MEANINGS.map(([code]) => code)).toEqual(Object.values(ExitCode));
    expect(EXIT_CODE_MEANINGS.every(([, meaning]) => meaning !== "")).toBe(true);
  });

  it("keep the gravest of several causes", () => {
    raiseExitCode(ExitCode.DATA_LOSS);
    expect(process.exitCode).toBe(3);
    raiseExitCode(ExitCode.GATE_NOT_MET);
    raiseExitCode(ExitCode.DATA_LOSS);
    expect(process.exitCode).toBe(4);
  });

  it("tell wrong usage from failure", () => {
    expect(exitCodeOf(new UsageError("x"))).toBe(2);
    expect(exitCodeOf(new TraceError("BAD_OPTION", "x"))).toBe(2);
    expect(exitCodeOf(new TraceError("BAD_POLICY_FILE", "x"))).toBe(2);
    expect(exitCodeOf(new TraceError("UNREADABLE", "x"))).toBe(1);
    expect(exitCodeOf(new TraceError("UNWRITABLE", "x"))).toBe(1);
    expect(exitCodeOf(new Error("x"))).toBe(1);
    expect(exitCodeOf("x")).toBe(1);
  });
});
