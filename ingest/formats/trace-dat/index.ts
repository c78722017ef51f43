import { NO_PROBE_NAMES, type ProbeNames } from "../../beside/probe-names.ts";
import type { TraceReader } from "../../reader.ts";
import { startsWith } from "../../source/compression.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import type { Sniff, TraceFormat } from "../format.ts";
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

  sniff(head: Uint8Array): Sniff {
    return isTraceDat(head)
      ? { applies: true, reason: "the first bytes of a trace.dat file" }
      : { applies: false, reason: "not the first bytes of a trace.dat file" };
  },

  read(source: ByteSource, names: ProbeNames = NO_PROBE_NAMES): TraceReader {
    const preamble = readPreamble(source.head, source.path);
    return new DatReader(source, preamble, packingOf(preamble.compression, source.path), names);
  },
};
