import { reportError } from "./errors.ts";
import { ExitCode } from "./exit-codes.ts";

/** How a run ends before its time: signals, a closed pipe, a fault. Installed once, by the executable. */

const cleanups = new Set<() => void>();

/** Runs `cleanup` (synchronous, short) if the run is cut short; call what it returns once it is not needed any more. */
export function onInterrupt(cleanup: () => void): () => void {
  cleanups.add(cleanup);
  return () => {
    cleanups.delete(cleanup);
  };
}

let gracefulStop: (() => void) | undefined;

/**
 * The first signal calls `stop` instead of ending the run, which has work in hand that it will finish; a
 * second one ends it. Gives what takes that back.
 */
export function onStopRequest(stop: () => void): () => void {
  gracefulStop = stop;
  return () => {
    gracefulStop = undefined;
  };
}

/** Runs and forgets the registered cleanups, the latest first; one that fails does not stop the others. */
export function runCleanups(): void {
  const latestFirst = [...cleanups].toReversed();
  cleanups.clear();
  for (const cleanup of latestFirst) {
    try {
      cleanup();
    } catch {
      // The run is ending already; what made it end is what is reported.
    }
  }
}

export function installLifecycle(debug: boolean): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (gracefulStop !== undefined) {
        const stop = gracefulStop;
        gracefulStop = undefined;
        stop();
        return;
      }
      runCleanups();
      process.stderr.write(`tlbi-replay: interrupted by ${signal}\n`);
      process.exit(ExitCode.INTERRUPTED);
    });
  }
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    runCleanups();
    // Whoever reads has what it wants: `tlbi-replay … | head -1`.
    if (error.code === "EPIPE") process.exit(ExitCode.DONE);
    process.exit(reportError(error, { debug }));
  });
  // Nobody is left to tell.
  process.stderr.on("error", () => {});
  process.on("uncaughtException", (error) => {
    runCleanups();
    process.exit(reportError(error, { debug }));
  });
}
