import type { DiagnosticCode } from "../diagnostics.ts";
import { EVENT_KINDS, type EventKindName } from "../events/kinds.ts";
import { openTrace, type OpenTraceOptions } from "../open-trace.ts";
import type { TraceInfo, TraceReader } from "../reader.ts";

/** One row as an object, for expectations; absent numbers are left out, pointers are texts. */
export interface Row {
  readonly kind: EventKindName;
  readonly cpu: number;
  readonly pid: number;
  readonly tsNs: number;
  readonly line: number;
  readonly pgt?: string;
  readonly mmu?: string;
  readonly kvm?: string;
  readonly addr?: number;
  readonly len?: number;
  readonly phys?: number;
  readonly prot?: bigint;
  readonly arg0?: number;
  readonly arg1?: number;
  readonly arg2?: number;
  readonly arg3?: number;
}

/** All that a reader gives, once it has been read to its end. */
export interface ReadTrace {
  readonly rows: readonly Row[];
  readonly info: TraceInfo;
  readonly counts: Readonly<Partial<Record<DiagnosticCode, number>>>;
  readonly hasDataLoss: boolean;
  readonly examples: readonly string[];
  readonly lines: readonly number[];
  readonly byteOffsets: readonly number[];
}

/** Reads a whole trace into objects; for tests. */
export async function readAll(reader: TraceReader): Promise<ReadTrace> {
  const rows: Row[] = [];
  const { pointers, diagnostics } = reader;
  for await (const batch of reader.batches()) {
    for (let i = 0; i < batch.length; i += 1) {
      const number = (name: "addr" | "len" | "phys" | "arg0" | "arg1" | "arg2" | "arg3"): object =>
        Number.isNaN(batch[name][i]!) ? {} : { [name]: batch[name][i]! };
      const pointer = (name: "pgt" | "mmu" | "kvm"): object =>
        batch[name][i] === 0 ? {} : { [name]: pointers.text(batch[name][i]!) };
      const prot = (BigInt(batch.protHigh[i]!) << 32n) | BigInt(batch.prot[i]!);
      rows.push({
        kind: EVENT_KINDS[batch.kind[i]!]!,
        cpu: batch.cpu[i]!,
        pid: batch.pid[i]!,
        tsNs: batch.tsNs[i]!,
        line: batch.line[i]!,
        ...pointer("pgt"),
        ...pointer("mmu"),
        ...pointer("kvm"),
        ...number("addr"),
        ...number("len"),
        ...number("phys"),
        ...(prot === 0n ? {} : { prot }),
        ...number("arg0"),
        ...number("arg1"),
        ...number("arg2"),
        ...number("arg3"),
      });
    }
  }
  const { examples } = diagnostics;
  return {
    rows,
    info: reader.info(),
    counts: Object.fromEntries(diagnostics.counts()),
    hasDataLoss: diagnostics.hasDataLoss,
    examples: examples.map(({ code, detail }) => `${code} ${detail}`),
    lines: examples.map(({ line }) => line),
    byteOffsets: examples.map(({ byteOffset }) => byteOffset),
  };
}

/** Cuts bytes into chunks of the given sizes, the sizes being used again and again. */
export async function* inChunks(
  bytes: Uint8Array,
  sizes: readonly number[],
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length]!;
    yield await Promise.resolve(bytes.slice(at, at + size));
    at += size;
  }
}

/** Reads a text (or bytes) as if it came through standard input. */
export async function readText(
  text: string | Uint8Array,
  sizes: readonly number[] = [65536],
  options: OpenTraceOptions = {},
): Promise<ReadTrace> {
  const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
  return readAll(await openTrace("-", { ...options, stdin: inChunks(bytes, sizes) }));
}

/** A line in the kernel's default layout: `comm-pid [cpu] flags time: text`. */
export function eventLine(
  text: string,
  time = "1.000000",
  pid = 7,
  cpu = 0,
  comm = "vcpu",
): string {
  const pidColumn = String(pid).padEnd(7);
  return `${comm.padStart(16)}-${pidColumn} [${String(cpu).padStart(3, "0")}] d....  ${time}: ${text}\n`;
}
