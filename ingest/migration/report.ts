/**
 * What a virtual machine monitor says of a migration of its own. Every value is converted once, where it is
 * read, into the unit that its name here carries; `field` keeps the name it had.
 */
export interface MigrationReport {
  readonly format: ReportFormat;
  readonly vmm: "qemu" | "libvirt" | "cloud-hypervisor";
  /** As the text says it; undefined where it does not. */
  readonly version: string | undefined;
  readonly outcome: "completed" | "cancelled" | "failed" | "active" | "unknown";
  readonly values: Readonly<Partial<Record<ReportedField, ReportedValue>>>;
  /**
   * What a dirty rate counts: pages whose sampled content changed, unique pages of the bitmap, or pushes to the
   * dirty rings. Three quantities that must not be mixed; undefined where the text gives no rate or does not say.
   */
  readonly dirtyRateKind: "sampled-content" | "unique-pages" | "ring-pushes" | undefined;
  /** In order, where the text has one line a pass. */
  readonly passes: readonly ReportedPass[];
  /** Parts of the source's downtime, in order, where the text splits it. */
  readonly downtimeParts: readonly { readonly name: string; readonly ms: number }[];
  readonly vcpuDirtyRates: readonly { readonly vcpu: number; readonly bytesPerS: number }[];
  /** Clears of the dirty log that the VMM traced. */
  readonly clears: readonly {
    readonly slot: number;
    readonly firstPage: number;
    readonly pages: number;
    readonly tsNs: number | undefined;
  }[];
  /** Fields that are not known, or hold no number where one is due: named, never guessed at. */
  readonly unknownFields: readonly string[];
  /** Values that cannot all be true, in sentences. */
  readonly contradictions: readonly string[];
  /** What a reader of these values has to know. */
  readonly notes: readonly string[];
}

export type ReportFormat =
  | "qmp"
  | "info-migrate"
  | "domjobinfo"
  | "domstats"
  | "cloud-hypervisor-log"
  | "qemu-trace";

export interface ReportedValue {
  readonly value: number;
  /** Name in the text. */
  readonly field: string;
  /**
   * `measured`; `placeholder`: what the VMM shows before it knows (expected downtime that equals the limit,
   * rates of 0 after the end): not to be compared with anything.
   */
  readonly kind: "measured" | "placeholder";
}

/** Bytes, milliseconds, bytes a second, shares of 1: the name says which. MB/s and Mbit/s are converted. */
export const REPORTED_FIELDS = [
  "totalMs",
  "setupMs",
  /** Source vCPUs stopped until the source declares the migration done (QEMU's `downtime`). */
  "downtimeMs",
  /** The same less the time of the network (libvirt). */
  "downtimeWithoutNetworkMs",
  "expectedDowntimeMs",
  "downtimeLimitMs",
  "ramTotalBytes",
  "ramTransferredBytes",
  "ramRemainingBytes",
  "precopyBytes",
  /** Sent while the source was stopped. */
  "downtimeBytes",
  "postcopyBytes",
  "bandwidthBytesPerS",
  "maxBandwidthBytesPerS",
  "dirtyRateBytesPerS",
  "dirtyRatePagesPerS",
  "pageBytes",
  "passes",
  "zeroPages",
  "normalPages",
  "throttleShare",
  "dirtyLimitThrottleMs",
  "dirtyLimitRingFullMs",
  "postcopyBlocktimeMs",
  /** Time over which the dirty rate was taken. */
  "dirtyRatePeriodMs",
  "sampledPagesPerGiB",
  "timeoutMs",
] as const;
export type ReportedField = (typeof REPORTED_FIELDS)[number];

/** One pass as the VMM saw it; undefined where its line does not say. */
export interface ReportedPass {
  readonly number: number;
  readonly bytes: number | undefined;
  /** Pages that were dirty when it began. */
  readonly dirtyPages: number | undefined;
  readonly startMs: number | undefined;
  readonly durationMs: number | undefined;
  readonly bandwidthBytesPerS: number | undefined;
  readonly estimatedDowntimeMs: number | undefined;
}
