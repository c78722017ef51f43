import { PATHS } from "../paths.ts";
import type { ReplayResult } from "../replay.ts";
import type { FlushRow, InstructionRow } from "../results.ts";
import { INSTRUCTIONS, PRIMITIVES } from "../tlbi/primitives.ts";
import type { NestedFlushes, NestedResult } from "./nested-result.ts";

/**
 * A replay's rows with, for each nested policy, the calls on its own shadow tables.
 * @param asked ids of the run's policies, in the order of reports.
 */
export function withNestedFlushes(
  result: ReplayResult,
  nested: NestedResult,
  asked: readonly string[],
): ReplayResult {
  const byPolicy = new Map(nested.flushes.map((one) => [one.policy, one]));
  const policies = [...asked, "recorded"];
  return {
    ...result,
    flushes: policies.flatMap((id) => flushesOf(id, result.flushes, byPolicy.get(id))),
    instructions: policies.flatMap((id) =>
      instructionsOf(id, result.instructions, byPolicy.get(id)),
    ),
  };
}

function flushesOf(
  policy: string,
  rows: readonly FlushRow[],
  nested: NestedFlushes | undefined,
): readonly FlushRow[] {
  const own = rows.filter((row) => row.policy === policy);
  return [...own, ...(nested?.flushes ?? [])].toSorted(
    (a, b) =>
      PATHS.indexOf(a.path) - PATHS.indexOf(b.path) ||
      PRIMITIVES.indexOf(a.primitive) - PRIMITIVES.indexOf(b.primitive),
  );
}

function instructionsOf(
  policy: string,
  rows: readonly InstructionRow[],
  nested: NestedFlushes | undefined,
): readonly InstructionRow[] {
  const all = [...rows.filter((row) => row.policy === policy), ...(nested?.instructions ?? [])];
  return INSTRUCTIONS.flatMap((instruction) => {
    const count = all
      .filter((row) => row.instruction === instruction)
      .reduce((sum, row) => sum + row.count, 0);
    return count === 0 ? [] : [{ policy, instruction, count }];
  });
}
