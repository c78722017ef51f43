import type { Answer, AnswerStatus } from "../../replay/needs/answers.ts";
import { plural } from "../terminal.ts";
import { lossSentences } from "./losses.ts";
import type { CheckInput } from "./input.ts";
import type { CheckVerdict } from "./schema.ts";

/** Kernels ask for unmaps of what is not mapped: no sign that anything is wrong with a trace. */
export const HARMLESS: ReadonlySet<string> = new Set(["UNMAP_OF_NOTHING"]);

/** The whole in one sentence. */
export function verdictOf(input: CheckInput, answers: readonly Answer[]): CheckVerdict {
  const of = (name: Answer["answer"]): Answer => answers.find(({ answer }) => answer === name)!;
  const predict = of("predict");
  const verify = of("verify");
  if (input.architecture === "x86") {
    const x86 = of("x86");
    const told = x86.status === "yes" ? "replayed under x86 policies" : first(x86);
    const sentence = `x86 KVM (${input.architectureOrigin}): ${told}`;
    return { level: "described", sentence };
  }
  if (predict.status === "no") {
    return { level: "described", sentence: `not usable for predictions: ${first(predict)}` };
  }
  if (predict.status === "bounds") {
    const limits = limitsOf(input, predict);
    const alone = verify.status === "no" ? `; predictions only: ${first(verify)}` : "";
    return { level: "bounds", sentence: `usable, for bounds only: ${limits}${alone}` };
  }
  const broken = brokenOf(input) + differenceOf(verify);
  if (verify.status === "no") {
    return { level: "predictions", sentence: `predictions only: ${first(verify)}${broken}` };
  }
  if (verify.status === "bounds") {
    const sentence = `usable: predictions are exact, the comparison is not: ${first(verify)}${broken}`;
    return { level: "usable", sentence };
  }
  if (predict.status === "assumed") {
    const sentence = `usable, under assumptions: ${predict.because.join("; ")}${broken}`;
    return { level: "usable", sentence };
  }
  const sentence = `complete: nothing was lost, every stage-2 operation and invalidation is there${broken}`;
  return { level: broken === "" ? "complete" : "usable", sentence };
}

function first({ because }: Answer): string {
  return because[0] ?? "";
}

/** The first limit that is not one of several losses, or all losses. */
function limitsOf(input: CheckInput, { because }: Answer): string {
  const losses = lossSentences(input);
  const lines = losses.length > 0 ? losses.slice(0, 2) : because.slice(0, 1);
  const rest = because.length - lines.length;
  return lines.join("; ") + (rest > 0 ? `; and ${plural(rest, "more reason")} below` : "");
}

function brokenOf({ findings }: CheckInput): string {
  const broken = findings.filter(({ id, count }) => count > 0 && !HARMLESS.has(id));
  if (broken.length === 0) return "";
  return `; but ${broken.map(({ id, count }) => `${id} × ${count}`).join(", ")}`;
}

/** A comparison that is exact and does not agree. */
function differenceOf(verify: Answer): string {
  const isExact = verify.status === "yes" || verify.status === "assumed";
  return isExact && verify.because.length > 0 && verify.because[0]!.includes("differ in")
    ? `; but ${verify.because[0]!}`
    : "";
}

/** For the eye: the worst first. */
export const STATUS_STYLE: Readonly<Record<AnswerStatus, "green" | "yellow" | "red">> = {
  yes: "green",
  assumed: "yellow",
  bounds: "yellow",
  no: "red",
};
