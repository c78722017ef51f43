import type { TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import { startsWith } from "../../source/compression.ts";
import type { Sniff, TraceFormat } from "../format.ts";
import { ArrowEventReader } from "./reader.ts";

const FILE_MAGIC = [...Buffer.from("ARROW1\0\0")] as const;
const STREAM_MAGIC = [0xff, 0xff, 0xff, 0xff] as const;

/** Whether a content is an Arrow file or stream, ours or not. */
export function isArrowFile(head: Uint8Array): boolean {
  return startsWith(head, FILE_MAGIC) || startsWith(head, STREAM_MAGIC);
}

/** Event tables that `convert` has written: the fast path of a second run. */
export const arrowEvents: TraceFormat = {
  id: "arrow",

  sniff(head: Uint8Array): Sniff {
    return isArrowFile(head)
      ? { applies: true, reason: "the magic bytes of an Arrow file" }
      : { applies: false, reason: "no magic bytes of an Arrow file" };
  },

  read(source: ByteSource): TraceReader {
    return new ArrowEventReader(source);
  },
};
