import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Diagnostics } from "../../ingest/diagnostics.ts";
import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import type { TraceInputs } from "../migration/inputs.ts";
import { POLICIES } from "../policies/registry.ts";
import { Replay, type ReplayResult } from "../replay.ts";
import type { FlushRow } from "../results.ts";
import { phaseConfig } from "../testing/phases-of.ts";
import { createPhaseRecorder } from "./create.ts";
import { traceInputs } from "./phase-inputs.ts";

const CAPTURES = fileURLToPath(new URL("../../fixtures/captures/", import.meta.url));
/** Captures with pages of 4 KiB and the kernel's own text. */
const NAMES = readdirSync(CAPTURES).filter((name) => !/16k|perf|nv-/.test(name));
const K = EventKind;

interface Told {
  readonly inputs: TraceInputs;
  readonly result: ReplayResult;
  /** Of the same trace, without a recorder. */
  readonly alone: ReplayResult;
  /** Events by kind, over all VMs. */
  readonly events: ReadonlyMap<number, number>;
}

async function tellOf(name: string): Promise<Told> {
  const reader = await openTrace(`${CAPTURES}${name}/trace.txt.gz`);
  const config = phaseConfig(POLICIES.map(({ id }) => id));
  const recorder = createPhaseRecorder(config, { kernel: undefined });
  const replay = new Replay(config, reader.pointers, reader.diagnostics, undefined, recorder);
  const plain = new Replay(config, reader.pointers, new Diagnostics("alone"));
  const events = new Map<number, number>();
  const count = (batch: EventBatch): void => {
    for (let row = 0; row < batch.length; row += 1) {
      const kind = batch.kind[row]!;
      events.set(kind, (events.get(kind) ?? 0) + 1);
    }
  };
  for await (const batch of reader.batches()) {
    count(batch);
    replay.consume(batch);
    plain.consume(batch);
  }
  const result = replay.finish();
  return { inputs: traceInputs(recorder, 0n), result, alone: plain.finish(), events };
}

/** Calls by policy, path and primitive. */
function sums(rows: readonly FlushRow[]): Record<string, readonly [number, number, number]> {
  const by = new Map<string, readonly [number, number, number]>();
  for (const row of rows) {
    const key = `${row.policy} ${row.path} ${row.primitive}`;
    const [calls, tlbi, unknown] = by.get(key) ?? [0, 0, 0];
    by.set(key, [calls + row.calls, tlbi + row.tlbi, unknown + row.unknown_calls]);
  }
  return Object.fromEntries([...by].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function predicted(rows: readonly FlushRow[]): readonly FlushRow[] {
  return rows.filter(({ policy }) => policy !== "recorded");
}

describe.each(NAMES)("%s", (name) => {
  it("the phases of all VMs hold every call of every policy, once, and every operation", async () => {
    const { inputs, result, events } = await tellOf(name);
    const phases = inputs.vms.flatMap((vm) => vm.phases);
    expect(sums(predicted(phases.flatMap(({ facts }) => facts.flushes)))).toEqual(
      sums(predicted(result.flushes)),
    );
    const total = (of: (facts: (typeof phases)[number]["facts"]) => number): number =>
      phases.reduce((sum, { facts }) => sum + of(facts), 0);
    const { counts } = result;
    expect(total(({ collapses }) => collapses)).toBe(counts.collapse);
    expect(total(({ blocksBroken }) => blocksBroken)).toBe(counts.blockBroken);
    expect(total(({ unmaps }) => unmaps)).toBe(counts.unmap);
    expect(total(({ writeFaults, otherFaults }) => writeFaults + otherFaults)).toBeLessThanOrEqual(
      counts.map + counts.relax,
    );
    const words = inputs.vms.flatMap(({ passes }) => passes.flatMap(({ clears }) => clears));
    expect(words.reduce((sum, one) => sum + one.words, 0)).toBe(
      events.get(K.enable_log_pt_masked) ?? 0,
    );
  });

  it("phases follow each other from the VM's first event to the trace's last", async () => {
    const { inputs } = await tellOf(name);
    for (const { phases } of inputs.vms) {
      expect(phases.at(-1)!.endNs).toBe(inputs.lastNs);
      for (const [at, phase] of phases.entries()) {
        expect(phase.endNs).toBeGreaterThanOrEqual(phase.startNs);
        if (at > 0) expect(phase.startNs).toBe(phases[at - 1]!.endNs);
      }
    }
  });

  it("a recorder changes nothing in the replay that it follows", async () => {
    const { result, alone } = await tellOf(name);
    expect(result).toEqual(alone);
  });
});
