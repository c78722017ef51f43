import type { Release } from "../../ingest/vocabulary/kernel-release.ts";
import type { RecordedArch } from "../../ingest/vocabulary/recorded-probes.ts";
import type { TracepointSet } from "../../ingest/vocabulary/recorded-tracepoints.ts";

export const ARCHES = ["arm64", "x86"] as const;
export const PROBE_KINDS = ["kprobe", "fprobe"] as const;
export type ProbeKind = (typeof PROBE_KINDS)[number];
export const HYP_MODE_NAMES = ["auto", "vhe", "nvhe", "pkvm"] as const;
/**
 * Trace clocks. `mono` is the default: it is CLOCK_MONOTONIC, which QEMU's own logs, `perf -k mono` and
 * dmesg (nearly) count in, it is common to all CPUs and is what the captures were recorded with.
 */
export const CLOCKS = ["mono", "mono_raw", "boot", "tai", "global", "local", "x86-tsc"] as const;

/** What a recording script is made for; values are checked. */
export interface CapturePlan {
  /** As the user wrote it. */
  readonly kernel: string;
  readonly release: Release;
  readonly arch: RecordedArch;
  readonly probes: ProbeKind;
  readonly mode: (typeof HYP_MODE_NAMES)[number];
  readonly isNested: boolean;
  readonly tracepoints: TracepointSet;
  readonly clock: (typeof CLOCKS)[number];
  /** Length of the recording that the buffers are sized for, and the default of `seconds`. */
  readonly seconds: number;
  /** Of all CPUs together. */
  readonly eventsPerSecond: number;
  /** CPUs that the events spread over; the fewer, the larger the buffer of each must be. */
  readonly busyCpus: number;
  /** Most memory that all buffers together may take, in bytes; undefined: a quarter of what is free. */
  readonly memoryBytes: number | undefined;
  /** Keep the newest events and not the oldest. */
  readonly isOverwriting: boolean;
  readonly recordsTgid: boolean;
  /** Only this process, its threads and children; undefined: everything. */
  readonly pid: number | undefined;
}

/**
 * Bytes that an event takes in the ring buffer: the most that a capture's own statistics show (43.2 on
 * arm64, 59.8 on x86), and 5 % for the ends of pages.
 */
export const BYTES_PER_EVENT: Readonly<Record<RecordedArch, number>> = { arm64: 46, x86: 63 };

/** What has to be said of a plan before it is used. */
export interface PlanNotes {
  /** What the script takes for granted about a kernel that nobody looked at. */
  readonly assumptions: readonly string[];
  /** What such a recording cannot show. */
  readonly limits: readonly string[];
}
