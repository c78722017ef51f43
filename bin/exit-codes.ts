/** Exit codes of every command. Scripts rely on them: one cause each, documented in `--help`. */
export const ExitCode = {
  /** Done, and the numbers are exact. */
  DONE: 0,
  /** Failed: no result, or not a complete one. */
  FAILED: 1,
  /** Wrong command line or policy file: nothing was read. */
  USAGE: 2,
  /** Done, but the trace lost data or some traces failed: the numbers are bounds. */
  DATA_LOSS: 3,
  /** Done, but what `--require` or `verify` asks for does not hold. */
  GATE_NOT_MET: 4,
  /** Stopped by SIGINT or SIGTERM. */
  INTERRUPTED: 130,
} as const;
export type ExitCodeValue = (typeof ExitCode)[keyof typeof ExitCode];

/** For `--help`, in numerical order. */
export const EXIT_CODE_MEANINGS: readonly (readonly [ExitCodeValue, string])[] = [
  [ExitCode.DONE, "done"],
  [ExitCode.FAILED, "failed"],
  [ExitCode.USAGE, "wrong usage"],
  [ExitCode.DATA_LOSS, "done, but with data loss or some traces failed: results are bounds"],
  [ExitCode.GATE_NOT_MET, "done, but a gate (--require, verify) is not met"],
  [ExitCode.INTERRUPTED, "interrupted"],
];

/**
 * What a command calls when it ends with something other than 0. Of several causes the one with the
 * higher code is kept. It does not end the process, so that output can drain.
 */
export function raiseExitCode(code: ExitCodeValue): void {
  process.exitCode = Math.max(Number(process.exitCode ?? 0), code);
}
