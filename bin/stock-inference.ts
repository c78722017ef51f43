import { readMemslots } from "../ingest/beside/memslots/read-memslots.ts";
import { TraceError } from "../ingest/errors.ts";
import type { TraceInfo, TraceReader } from "../ingest/reader.ts";
import { type InferenceResult, InferredReplay } from "../replay/inference/inferred-replay.ts";
import { StockWatch } from "../replay/inference/stock-watch.ts";
import type { ReplayConfig, ReplayResult } from "../replay/replay.ts";
import type { Log } from "./log.ts";

/** Inference from stock tracepoints beside a replay, given up where the trace has probes. */
export class StockInference {
  readonly #watch: StockWatch;
  readonly #namedSlots: boolean;
  readonly consume: StockWatch["consume"];

  constructor(watch: StockWatch, namedSlots: boolean) {
    this.#watch = watch;
    this.#namedSlots = namedSlots;
    this.consume = watch.consume.bind(watch);
  }

  /** What was inferred; undefined where the trace has probed operations, which is said if it matters. */
  finish(log: Log): InferenceResult | undefined {
    const result = this.#watch.finish();
    if (result === undefined && this.#namedSlots) {
      log.warn("--memslots is not used: the trace has stage-2 probes, or no stock events");
    }
    return result;
  }
}

/** @throws TraceError UNREADABLE, BAD_OPTION for a memslot table that cannot be used. */
export async function startInference(
  file: string,
  memslots: readonly string[] | undefined,
  config: ReplayConfig,
  reader: TraceReader,
  log: Log,
): Promise<StockInference> {
  const found = await readMemslots(file, memslots, 2 ** config.pageShift);
  for (const note of found?.notes ?? []) log.warn(note);
  const replay = new InferredReplay(config, reader.diagnostics, {
    memslots: found?.slots,
    memslotsOrigin: found?.origin,
    baseNs: () => reader.info().baseNs,
  });
  return new StockInference(new StockWatch(replay), memslots !== undefined);
}

/** Tracepoints that fire only where a guest runs guests of its own. */
const NESTED_EVENT = /^kvm_(nested_eret|inject_nested_exception|forward_sysreg_trap)$/;

/** With a nested guest, faults give addresses of two kinds, and shadow tables leave no stock event. */
export function refuseNested(path: string, info: TraceInfo): void {
  const name = [...info.eventsByName.keys()].find((event) => NESTED_EVENT.test(event));
  if (name === undefined) return;
  throw new TraceError(
    "NO_EVENTS",
    `a nested guest ran (${name}), and without probes its faults cannot be told from its host's`,
    path,
    "record kprobes on kvm_pgtable_stage2_map, _unmap, _wrprotect and _relax_perms with their returns",
  );
}

/** The result of a replay that found no operation, with the inferred bounds in their place. */
export function withInferred(result: ReplayResult, inferred: InferenceResult): ReplayResult {
  return {
    ...result,
    flushes: [...inferred.flushes, ...result.flushes.filter(isRecorded)],
    instructions: [...inferred.instructions, ...result.instructions.filter(isRecorded)],
    tableBytes: inferred.tableBytes,
  };
}

function isRecorded({ policy }: { readonly policy: string }): boolean {
  return policy === "recorded";
}
