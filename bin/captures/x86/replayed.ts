import { readHostFacts } from "../../../ingest/beside/read-host-facts.ts";
import { openTrace } from "../../../ingest/open-trace.ts";
import type { TraceReader } from "../../../ingest/reader.ts";
import { PATHS, type PathName } from "../../../replay/paths.ts";
import { parseKernelVersion } from "../../../replay/policies/kernel-version.ts";
import type { X86Policy } from "../../../replay/x86/policies/flags.ts";
import { presentFormOf, x86PolicyOfKernel } from "../../../replay/x86/policies/version-map.ts";
import { X86Replay, type X86ReplayResult } from "../../../replay/x86/replay.ts";

/** A flush that the policy issues, and the line of the operation that it belongs to. */
export interface PredictedFlush {
  readonly line: number;
  readonly path: PathName;
  /** Range that it is asked for; pages 0: none. */
  readonly gfn: number;
  readonly pages: number;
}

export interface ReplayedX86 {
  readonly reader: TraceReader;
  readonly policy: X86Policy;
  /** The recorded kernel's own. */
  readonly own: X86Policy;
  readonly hasPresentBit: boolean;
  readonly result: X86ReplayResult;
  readonly predicted: readonly PredictedFlush[];
}

/** Replays an x86 capture under one policy; default: the recorded kernel's own. */
export async function replayX86(
  trace: string,
  policy?: X86Policy,
  operationsOnly = false,
): Promise<ReplayedX86> {
  const { facts } = await readHostFacts(trace);
  const release = facts.kernelRelease?.value ?? "";
  const kernel = parseKernelVersion(release, facts.kernelVersionText?.value);
  const own = kernel === undefined ? undefined : x86PolicyOfKernel(kernel);
  if (kernel === undefined || own === undefined) {
    throw new Error(`${trace}: capture.json names no kernel with a TDP MMU`);
  }
  const presentForm = presentFormOf(kernel);
  const used = policy ?? own;
  const predicted: PredictedFlush[] = [];
  const reader = await openTrace(trace);
  const config = {
    policies: [used],
    compare: true,
    operationsOnly,
    presentForm,
    flushesProbed: undefined,
  };
  const replay = new X86Replay(config, reader.diagnostics, {
    settled(bracket): void {
      const { queue } = bracket.books[0]!;
      for (let i = 0; i < queue.length; i += 1) {
        if (queue.certainty[i] !== 0) continue;
        const path = PATHS[queue.path[i]!]!;
        const { line } = bracket;
        predicted.push({ line, path, gfn: queue.page[i]!, pages: queue.pages[i]! });
      }
    },
  });
  for await (const batch of reader.batches()) replay.consume(batch);
  const result = replay.finish();
  return { reader, policy: used, own, hasPresentBit: presentForm === "bit-11", result, predicted };
}
