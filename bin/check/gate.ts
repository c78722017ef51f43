import { ANSWERS, type AnswerName } from "../../replay/needs/needs.ts";
import type { CheckReport } from "../../reports/check/schema.ts";

/** What `--require` takes: an answer that must be yes, or one of these. */
export const GATES: readonly Gate[] = ["complete", "lossless", ...ANSWERS];
export type Gate = "complete" | "lossless" | AnswerName;

/** Why a gate is not met; undefined where it is. */
export function whyNot(gate: Gate, report: CheckReport): string | undefined {
  if (gate === "complete") {
    const { level, sentence } = report.verdict;
    return level === "complete" ? undefined : sentence;
  }
  if (gate === "lossless") {
    const lost = report.errors.filter(
      ({ severity }) => severity === "dataLoss" || severity === "error",
    );
    const words = lost.map(({ count, sentence }) => `${count} × ${sentence}`);
    return lost.length === 0 ? undefined : words.join("; ");
  }
  const { status, because } = report.answers.find(({ answer }) => answer === gate)!;
  return status === "yes" ? undefined : `${status}: ${because.join("; ")}`;
}
