import type { EventKindName } from "../../ingest/events/kinds.ts";
import type { TraceInfo } from "../../ingest/reader.ts";

/**
 * What a format cannot carry of the events of a ring buffer, as data: two event tables of one buffer are
 * equal in everything else. Lines are those of each file and are never compared; rows of kind `lost` are
 * counted and not compared, because each format tells of losses at other places.
 */
export interface FormatLimit {
  /** Which formats have it: tested against `format (layout)`. */
  readonly applies: RegExp;
  readonly limit:
    | { readonly type: "time step"; readonly stepNs: number }
    | { readonly type: "time from first event"; readonly stepNs: number }
    | { readonly type: "times of its own" }
    | { readonly type: "names and times only" }
    | {
        readonly type: "columns";
        readonly kind: EventKindName;
        readonly columns: readonly string[];
      };
  /** For whoever reads the outcome. */
  readonly sentence: string;
}

const MICROSECOND = 1000;
/** Printed by the tracing library, and not field by field. */
const LIBRARY_TEXT = /\b(?:trace-cmd-report \((?!.*\(-R\))|perf-script)/;

export const FORMAT_LIMITS: readonly FormatLimit[] = [
  {
    applies: /\bftrace-text \((?!latency|raw option|hex option)/,
    limit: { type: "time step", stepNs: MICROSECOND },
    sentence: "the kernel's text rounds times to microseconds",
  },
  {
    applies: /\bftrace-text \((?:raw|hex) option/,
    limit: { type: "names and times only" },
    sentence: "the raw and hex options print no field that could be named, so events mean nothing",
  },
  {
    applies: /\bftrace-text \(latency/,
    limit: { type: "time from first event", stepNs: MICROSECOND },
    sentence: "the latency format counts microseconds from the start of the buffer",
  },
  {
    applies: /\btrace-cmd-report \(.*times in microseconds/,
    limit: { type: "time step", stepNs: MICROSECOND },
    sentence: "trace-cmd report (without -t) rounds times to microseconds",
  },
  {
    applies: /\bperf-script\b/,
    limit: { type: "times of its own" },
    sentence: "perf takes the time of an event itself, in a buffer of its own",
  },
  {
    applies: LIBRARY_TEXT,
    limit: { type: "columns", kind: "userspace_exit", columns: ["arg0"] },
    sentence: "the tracing library prints the reason of kvm_userspace_exit where there is an errno",
  },
  {
    applies: /\bperf-script\b/,
    limit: {
      type: "columns",
      kind: "commit_region",
      columns: ["addr", "len", "phys", "arg1", "arg2", "arg3"],
    },
    sentence: "perf has old bytes where a probe of commit_region follows a NULL pointer",
  },
];

/** The limits of a trace, by its format; those of an event table are those of the trace it was made from. */
export function limitsOf({ format, layout }: TraceInfo): readonly FormatLimit[] {
  const name = `${format} (${layout})`;
  return FORMAT_LIMITS.filter(({ applies }) => applies.test(name));
}
