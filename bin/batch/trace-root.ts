import { realpath } from "node:fs/promises";
import path from "node:path";
import { TraceError } from "../../ingest/errors.ts";

/**
 * The file behind an item's trace, only if it is in the root: neither `..` nor an absolute path nor a
 * symbolic link leads out of it, whoever wrote the manifest.
 * @throws TraceError OUTSIDE_ROOT, UNREADABLE.
 */
export async function traceInRoot(root: string, trace: string): Promise<string> {
  const lexical = path.resolve(root, trace);
  if (!isInside(path.resolve(root), lexical)) throw outside(trace);
  let realRoot: string;
  let real: string;
  try {
    realRoot = await realpath(root);
    real = await realpath(lexical);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new TraceError("UNREADABLE", `the trace cannot be read (${code})`, trace);
  }
  if (!isInside(realRoot, real)) throw outside(trace);
  return lexical;
}

export function isInside(root: string, file: string): boolean {
  const relative = path.relative(root, file);
  return relative !== "" && !path.isAbsolute(relative) && relative.split(path.sep)[0] !== "..";
}

function outside(trace: string): TraceError {
  return new TraceError(
    "OUTSIDE_ROOT",
    "this trace is not in the root folder of the batch",
    trace,
    "--root DIR names the folder that all traces are in",
  );
}
