import type { Placing } from "../replay/accesses/page-placing.ts";
import type { OptionSpec } from "./options.ts";
import {
  type DamonIntervals,
  parseDamonIntervals,
  parseStream,
  parseStreamMap,
  STREAM_ADDRESSES,
  STREAM_TIMES,
  type StreamChoice,
  type StreamTime,
} from "./stream-values.ts";
import { choice } from "./values.ts";

/** Heading of the modelled TLB in the help. */
export const TLB = "Modelled TLB:";

export interface StreamValues {
  stream: StreamChoice | undefined;
  "stream-map": Placing | undefined;
  "stream-time": StreamTime | undefined;
  "stream-address": (typeof STREAM_ADDRESSES)[number] | undefined;
  "stream-damon": DamonIntervals | undefined;
}

/** Options that say what the guests access. */
export const STREAM_SPECS: {
  readonly [Name in keyof StreamValues]: OptionSpec<NonNullable<StreamValues[Name]>>;
} = {
  stream: {
    group: TLB,
    describe:
      "Accesses of the guests: generated, proven by the trace itself (a lower bound), or [FORMAT:]FILE recorded elsewhere",
    fallback: "generated",
    coerce: parseStream,
  },
  "stream-map": {
    group: TLB,
    describe:
      "IPAs of a file's addresses: packed onto what the trace maps, identity, an offset (0x40000000), or VA=IPA",
    fallback: "packed; identity where the file holds IPAs",
    coerce: parseStreamMap,
  },
  "stream-time": {
    group: TLB,
    describe:
      "When a file's sequence is played: at the pace of visitsPerUs, or by the trace's clock",
    fallback: "pace",
    coerce: (raw) => choice("stream-time", raw, STREAM_TIMES),
  },
  "stream-address": {
    group: TLB,
    describe: "Which address of perf's samples counts: va, ipa (phys_addr recorded in the guest)",
    fallback: "va",
    coerce: (raw) => choice("stream-address", raw, STREAM_ADDRESSES),
  },
  "stream-damon": {
    group: TLB,
    describe: "DAMON's sampling and aggregation intervals in µs, which its trace does not tell",
    fallback: "5000,100000",
    coerce: parseDamonIntervals,
  },
};
