import type { DiagnosticCode } from "../../diagnostics.ts";
import { inChunks } from "../../testing/read-text.ts";
import { ACCESS_KINDS } from "../access-batch.ts";
import type { AccessInfo } from "../access-format.ts";
import { type OpenAccessesOptions, openAccesses } from "../open-accesses.ts";
import type { RateTable } from "../statistics/rate-table.ts";

export interface ReadAccesses {
  /** `kind page×repeat`, with what is not 0 or NaN of thread, space and time in front. */
  readonly rows: readonly string[];
  readonly records: readonly number[];
  readonly counts: Readonly<Partial<Record<DiagnosticCode, number>>>;
  readonly info: AccessInfo;
}

/** Reads a sequence as if it came through standard input. */
export async function readAccesses(
  content: string | Uint8Array,
  options: OpenAccessesOptions = {},
  sizes: readonly number[] = [65536],
): Promise<ReadAccesses> {
  const opened = await open(content, options, sizes);
  if (opened.streamClass !== "sequence") throw new Error("these are statistics");
  const { reader } = opened;
  const rows: string[] = [];
  const records: number[] = [];
  for await (const batch of reader.batches()) {
    for (let i = 0; i < batch.length; i += 1) {
      const time = Number.isNaN(batch.tsNs[i]!) ? "" : `@${batch.tsNs[i]!} `;
      const thread = batch.thread[i] === 0 ? "" : `t${batch.thread[i]!} `;
      const space = batch.space[i] === 0 ? "" : `s${batch.space[i]!} `;
      const kind = ACCESS_KINDS[batch.kind[i]!]!;
      const page = batch.page[i]!.toString(16);
      rows.push(`${time}${thread}${space}${kind} ${page}×${batch.repeat[i]!}`);
      records.push(batch.record[i]!);
    }
  }
  const counts = Object.fromEntries(reader.diagnostics.counts());
  return { rows, records, counts, info: reader.info() };
}

export interface ReadRates {
  readonly table: RateTable;
  readonly counts: Readonly<Partial<Record<DiagnosticCode, number>>>;
  readonly info: AccessInfo;
}

/** Reads statistics as if they came through standard input. */
export async function readRates(
  content: string | Uint8Array,
  options: OpenAccessesOptions = {},
): Promise<ReadRates> {
  const opened = await open(content, options, [65536]);
  if (opened.streamClass !== "statistics") throw new Error("this is a sequence");
  const table = await opened.reader.read();
  const counts = Object.fromEntries(opened.reader.diagnostics.counts());
  return { table, counts, info: opened.reader.info() };
}

async function open(
  content: string | Uint8Array,
  options: OpenAccessesOptions,
  sizes: readonly number[],
): ReturnType<typeof openAccesses> {
  const bytes = typeof content === "string" ? Buffer.from(content, "latin1") : content;
  return openAccesses("-", { ...options, stdin: inChunks(bytes, sizes) });
}
