import type { TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import type { Sniff, TraceFormat } from "../format.ts";
import { SECONDS_COLUMN } from "./header.ts";
import { CsvReader, requireCsv } from "./reader.ts";

const BYTE_ORDER_MARK = /^\u{feff}/u;

/** Event tables, for those who have events of another origin. */
export const csv: TraceFormat = {
  id: "csv",

  sniff(head: Uint8Array): Sniff {
    const text = Buffer.from(head).toString("utf8").replace(BYTE_ORDER_MARK, "");
    const header = text.split(/\r?\n/).find((line) => line.trim() !== "" && !line.startsWith("#"));
    if (header === undefined) return { applies: false, reason: "no header line" };
    const names = new Set(header.split(",").map((name) => name.trim().replaceAll('"', "")));
    const hasTime = names.has("ts_ns") || names.has(SECONDS_COLUMN);
    if (hasTime && names.has("event")) {
      return { applies: true, reason: "a header line with a time and an event column" };
    }
    const separated = /[;\t]/.test(header) && /\bts_n?s\b/.test(header);
    return separated
      ? { applies: false, reason: "its columns are not separated by commas" }
      : { applies: false, reason: "no header line with ts_ns (or ts_s) and event" };
  },

  read(source: ByteSource): TraceReader {
    const { applies, reason } = csv.sniff(source.head);
    requireCsv(source, reason, applies);
    return new CsvReader(source);
  },
};
