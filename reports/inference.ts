import type { InferenceResult } from "../replay/inference/inferred-replay.ts";
import { formatCount, visible } from "./terminal.ts";

/** What summary.json says of inferred rows. */
export interface InferenceEntry {
  /** Where the memslots come from. */
  readonly memslots: string;
  readonly vms: number;
  readonly events: readonly {
    readonly class: string;
    readonly count: number;
    readonly confidence: string;
    readonly means: string;
    readonly assumes: string;
  }[];
  /** Paths of which the trace shows too little for an upper bound: their rows hold only what it shows. */
  readonly unbounded: readonly { readonly path: string; readonly why: string }[];
}

export function inferenceEntry(result: InferenceResult): InferenceEntry {
  return {
    memslots: result.slotsFrom,
    vms: result.vms,
    events: result.classes.map(({ name, count, confidence, means, assumes }) => ({
      class: name,
      count,
      confidence,
      means,
      assumes,
    })),
    unbounded: result.unbounded.map(({ path, why }) => ({ path, why })),
  };
}

/** Stands before the tables of inferred rows. */
export function formatInference({ memslots, vms, events, unbounded }: InferenceEntry): string {
  const width = Math.max(...events.map(({ count }) => formatCount(count).length), 1);
  const lines = [
    "INFERRED FROM STOCK TRACEPOINTS: BOUNDS, NOT COUNTS",
    "The trace has no stage-2 probes. `calls` are certain under the assumptions below, `unknown calls` how many",
    "more there may have been.",
    `Memslots: ${memslots}${vms > 0 ? ` (VMs: ${vms})` : ""}${memslots === NOWHERE ? HOW_TO_GET_ONE : ""}`,
    "",
    "Inferred",
    ...events.map(
      ({ count, confidence, means, assumes }) =>
        `  ${formatCount(count).padStart(width)} × ${confidence}: ${means}; assumed: ${assumes}`,
    ),
    "",
    "Not bounded (a trace without probes does not show it)",
    ...unbounded.map(({ path, why }) => `  ${path}: unbounded: ${why}`),
    "",
  ];
  return `${lines.map((line) => visible(line)).join("\n")}\n`;
}

const NOWHERE = "nowhere";
const HOW_TO_GET_ONE =
  "; give them with --memslots FILE: QEMU's monitor prints them (info ramblock, info mtree -f)";
