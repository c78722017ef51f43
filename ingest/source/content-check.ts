import { TraceError } from "../errors.ts";
import { startsWith } from "./compression.ts";

const FTRACE_HEADER = [...Buffer.from("# tracer: ")] as const;
const PERF_DATA = [...Buffer.from("PERFILE2")] as const;

/**
 * Refuses content that is not text, by its first bytes.
 * @throws TraceError BINARY, or UNSUPPORTED_LAYOUT, naming what it is where that can be told.
 */
export function refuseBinary(head: Uint8Array, path: string): void {
  const file = path === "-" ? "FILE" : path;
  if (startsWith(head, PERF_DATA)) {
    throw new TraceError(
      "BINARY",
      "this is a perf.data file, which is not read",
      path,
      "print it on the machine that recorded it: perf script --ns --guest-code -F comm,pid,tid,cpu,time,event,trace > perf.script.txt, and save kprobe_events as kprobes.txt beside it",
    );
  }
  if (startsWith(head, [0xff, 0xfe]) || startsWith(head, [0xfe, 0xff])) {
    throw new TraceError(
      "BINARY",
      "this text is in UTF-16",
      path,
      `convert it on the way in: iconv -f UTF-16 -t UTF-8 ${file} | tlbi-replay analyze -`,
    );
  }
  const nul = head.indexOf(0);
  if (nul === -1) return;
  if (startsWith(head, FTRACE_HEADER)) {
    throw new TraceError(
      "UNSUPPORTED_LAYOUT",
      "this is a binary trace (trace option bin), which is not read: it holds only the numbers of the event types and no arguments",
      path,
      "save the kernel's own text: echo nobin > trace_options, then cat /sys/kernel/tracing/trace > trace.txt",
    );
  }
  throw new TraceError(
    "BINARY",
    `this is not a text file: there is a NUL byte at offset ${nul}`,
    path,
  );
}
