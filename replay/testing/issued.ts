import { Certainty, UNKNOWN_LEVEL } from "../policies/flush-queue.ts";
import type { CpuFeatures } from "../policies/features.ts";
import type { Policy } from "../policies/flags.ts";
import { PRIMITIVES, TLBI_TTL_UNKNOWN } from "../tlbi/primitives.ts";
import { alignedPage } from "../verify/alignment.ts";
import { BOTH, replayOf, type ReplayOptions } from "./replay-of.ts";
import type { Trace } from "./trace-builder.ts";

const MARKS: Readonly<Record<number, string>> = {
  [Certainty.certain]: "",
  [Certainty.ifRootIsHigher]: " if the root is higher",
  [Certainty.atMost]: " at most",
};

/**
 * Every call of one policy in order, in words: `IPA 0x40000 level 3`, `RANGE 0x40000+512`, `VM`. Pages
 * are page numbers; `no hint` is TLBI_TTL_UNKNOWN.
 */
export function issuedBy(
  trace: Trace,
  policy: string | Policy,
  features: CpuFeatures = BOTH,
  options: ReplayOptions = {},
): string[] {
  const calls: string[] = [];
  replayOf(trace, [policy], features, {
    ...options,
    listener: {
      settled(task): void {
        const queue = task.ledger.queues[0];
        if (queue === undefined) return;
        for (let run = 0; run < queue.length; run += 1) {
          const count = queue.count[run] ?? 0;
          const mark = MARKS[queue.certainty[run] ?? 0] ?? "";
          const isRun = queue.certainty[run] !== Certainty.atMost && (queue.stride[run] ?? 0) > 0;
          const times = isRun || count === 1 ? "" : ` × ${count}`;
          for (let call = 0; call < (isRun ? count : 1); call += 1) {
            const page = call === 0 ? queue.page[run] : alignedPage(queue, run, call);
            calls.push(
              words(
                queue.primitive[run] ?? 0,
                page ?? 0,
                queue.pages[run] ?? 0,
                queue.level[run] ?? 0,
              ) +
                times +
                mark,
            );
          }
        }
      },
    },
  });
  return calls;
}

function words(primitive: number, page: number, pages: number, level: number): string {
  const name = PRIMITIVES[primitive] ?? "?";
  const at = `0x${page.toString(16)}`;
  if (name === "RANGE") return `RANGE ${at}+${pages}`;
  if (name !== "IPA" && name !== "IPA_LOCAL") return name;
  if (level === TLBI_TTL_UNKNOWN) return `${name} ${at} no hint`;
  return `${name} ${at} level ${level === UNKNOWN_LEVEL ? "unknown" : level}`;
}
