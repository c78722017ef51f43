import { TraceError } from "../errors.ts";
import { startsWith } from "./compression.ts";

const FTRACE_HEADER = [...Buffer.from("# tracer: ")] as const;
const NEWLINE = 10;
const HASH = 35;
const TRACE_DAT = [0x17, 0x08, 0x44] as const;
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
  if (startsWith(head, TRACE_DAT)) {
    throw new TraceError(
      "BINARY",
      "this is a trace.dat file",
      path,
      "leave the format to its content",
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
  if (nul === -1 || isDamagedText(head)) return;
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

/**
 * Whether NUL bytes stand in few lines only, comments not counted: then a text was damaged, and its other
 * lines can be read. In binary content nearly every "line" has one.
 */
function isDamagedText(head: Uint8Array): boolean {
  let lines = 0;
  let damaged = 0;
  for (let from = 0; from < head.length; ) {
    const newline = head.indexOf(NEWLINE, from);
    const end = newline < 0 ? head.length : newline;
    if (head[from] !== HASH) {
      lines += 1;
      const nul = head.indexOf(0, from);
      if (nul >= from && nul < end) damaged += 1;
    }
    from = end + 1;
  }
  return damaged * 4 <= lines;
}
