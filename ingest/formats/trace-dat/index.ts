import { NO_PROBE_NAMES } from "../../beside/probe-names.ts";
import type { TraceReader } from "../../reader.ts";
import { startsWith } from "../../source/compression.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import type { ReadOptions, Sniff, TraceFormat } from "../format.ts";
import { readPreamble, TRACE_DAT_MAGIC } from "./preamble.ts";
import { DatReader } from "./reader.ts";
import { packingOf } from "./unpack.ts";

/** Whether a content begins as a trace.dat file does. */
export function isTraceDat(head: Uint8Array): boolean {
  return startsWith(head, TRACE_DAT_MAGIC);
}

/** The files of trace-cmd, versions 6 and 7: the kernel's ring-buffer pages with their description. */
export const traceDat: TraceFormat = {
  id: "trace-dat",
  usesProbeNames: () => "all",
  hasInstances: true,

  sniff(head: Uint8Array): Sniff {
    return isTraceDat(head)
      ? { applies: true, reason: "the first bytes of a trace.dat file" }
      : { applies: false, reason: "not the first bytes of a trace.dat file" };
  },

  read(source: ByteSource, { names = NO_PROBE_NAMES, instance }: ReadOptions = {}): TraceReader {
    const preamble = readPreamble(source.head, source.path);
    const packing = packingOf(preamble.compression, source.path);
    return new DatReader(source, preamble, packing, names, instance);
  },
};
