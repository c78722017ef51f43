import { readHostFacts } from "../../ingest/beside/read-host-facts.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import type { TraceReader } from "../../ingest/reader.ts";
import {
  type Configuration,
  replayConfig,
  resolveConfiguration,
} from "../../replay/configuration.ts";
import { InstructionStream, type PredictedInstruction } from "../../replay/instruction-stream.ts";
import { nestedConfig } from "../../replay/nested/configure-nested.ts";
import { NestedReplay } from "../../replay/nested/nested-replay.ts";
import type { NestedResult } from "../../replay/nested/nested-result.ts";
import type { CpuFeatures } from "../../replay/policies/features.ts";
import type { Policy } from "../../replay/policies/flags.ts";
import { callOf, Replay, type ReplayConfig, type ReplayResult } from "../../replay/replay.ts";

/** An unmap that the recorded kernel was asked for. */
export interface UnmapCall {
  /** First use of a table in the trace numbers it: pointers differ between machines. */
  readonly table: number;
  readonly addr: number;
  readonly len: number;
  readonly line: number;
}

export interface ReplayedCapture {
  readonly configuration: Configuration;
  readonly reader: TraceReader;
  readonly result: ReplayResult;
  /** Predicted instructions by CPU, in order, as executedByCpu writes them. */
  readonly predictedByCpu: ReadonlyMap<number, readonly string[]>;
  /** Predicted calls and instructions by the line of their operation. */
  readonly byLine: ReadonlyMap<number, ReadonlyMap<string, number>>;
  readonly unmaps: readonly UnmapCall[];
  /** Predicted instructions by hardware VMID, counted with their operands; of captures that record VMIDs. */
  readonly byVmid: ReadonlyMap<string, number>;
  /** Shadow tables; undefined where the capture has no guest hypervisor. */
  readonly nested: NestedResult | undefined;
}

/** Another policy and CPU to predict with; default: the recorded kernel's own. */
export interface Prediction {
  readonly policy: Policy;
  readonly features: CpuFeatures;
}

/** Replays a capture, keeping each predicted instruction. */
export async function replayCapture(
  trace: string,
  prediction: Prediction | undefined,
  operationsOnly = false,
): Promise<ReplayedCapture> {
  const { facts } = await readHostFacts(trace);
  const configuration = resolveConfiguration(
    {
      kernel: undefined,
      cpu: undefined,
      pageSizeBytes: undefined,
      ipaBits: undefined,
      start: undefined,
      operationsOnly,
    },
    facts,
  );
  const own = configuration.recordedPolicy;
  if (own === undefined) throw new Error(`${trace}: capture.json does not name the kernel`);
  const target = prediction ?? { policy: own, features: configuration.recordedFeatures };
  const config: ReplayConfig = {
    ...replayConfig(configuration, [target.policy], true),
    policies: [target],
  };
  const predicted: PredictedInstruction[] = [];
  const byLine = new Map<number, Map<string, number>>();
  const call = callOf(configuration.pageShift, target.policy, target.features);
  const stream = new InstructionStream(0, call, (one) => {
    predicted.push(one);
    const { instruction, line } = one;
    const counts = byLine.get(line) ?? new Map<string, number>();
    counts.set(instruction, (counts.get(instruction) ?? 0) + 1);
    byLine.set(line, counts);
  });
  const reader = await openTrace(trace);
  const replay = new Replay(config, reader.pointers, reader.diagnostics, stream);
  const nested = new NestedReplay(
    nestedConfig(configuration, [], undefined),
    reader.pointers,
    reader.diagnostics,
  );
  const vmidOf = new Map<number, number>();
  const unmaps: UnmapCall[] = [];
  const tables = new Map<number, number>();
  for await (const batch of reader.batches()) {
    nested.consume(batch);
    replay.consume(batch);
    for (let row = 0; row < batch.length; row += 1) {
      const pgt = batch.pgt[row]!;
      if (pgt !== 0 && !tables.has(pgt)) tables.set(pgt, tables.size);
      if (VMID_KINDS.has(batch.kind[row]!) && batch.arg3[row]! >= 0) {
        vmidOf.set(batch.mmu[row]!, batch.arg3[row]!);
      }
      if (batch.kind[row] !== EventKind.unmap) continue;
      unmaps.push({
        table: tables.get(pgt) ?? -1,
        addr: batch.addr[row]!,
        len: batch.len[row]!,
        line: batch.line[row]!,
      });
    }
  }
  const result = replay.finish();
  return {
    configuration,
    reader,
    result,
    predictedByCpu: byCpu(predicted),
    byLine,
    unmaps,
    byVmid: countsByVmid(predicted, vmidOf),
    nested: nested.finish(),
  };
}

/** Events that name the hardware VMID of their context. */
const VMID_KINDS: ReadonlySet<number> = new Set([
  EventKind.map,
  EventKind.unmap,
  EventKind.hw_vmid_ipa,
  EventKind.hw_vmid_range,
  EventKind.wp_range,
]);

/** `2 ripas2e1is 538000100000`: by hardware VMID, instruction and operand. */
function countsByVmid(
  predicted: readonly PredictedInstruction[],
  vmidOf: ReadonlyMap<number, number>,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { mmu, instruction, operand } of predicted) {
    const key = `${vmidOf.get(mmu) ?? "?"} ${instruction} ${operand.toString(16)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/**
 * By CPU in the order of the operations: a request is settled when its thread goes on, which may be
 * after another thread's operation on the same CPU.
 */
function byCpu(predicted: readonly PredictedInstruction[]): ReadonlyMap<number, readonly string[]> {
  const lists = new Map<number, string[]>();
  for (const { cpu, instruction, operand } of [...predicted].sort((a, b) => a.line - b.line)) {
    const list = lists.get(cpu) ?? [];
    list.push(`${instruction} ${operand.toString(16)}`);
    lists.set(cpu, list);
  }
  return lists;
}

/** Instructions by name, without those of a vCPU switch, which no policy changes. */
export function instructionsOf(replayed: ReplayedCapture): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const list of replayed.predictedByCpu.values()) {
    for (const text of list) {
      const name = text.slice(0, text.indexOf(" "));
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}
