import { DIAGNOSTIC_CODES, type Severity } from "../../ingest/diagnostics.ts";
import type { TraceError } from "../../ingest/errors.ts";
import { sentenceOf } from "../../replay/needs/answers.ts";
import type { MissingProbe } from "../../replay/needs/missing-probes.ts";
import { absoluteNs } from "../summary.ts";
import type { CheckInput } from "./input.ts";
import type { CheckError, CheckExample } from "./schema.ts";

const MAX_CODES = 64;
const MAX_EXAMPLES = 5;
const ORDER: readonly Severity[] = ["error", "dataLoss", "notice", "info"];

export interface ErrorList {
  readonly errors: readonly CheckError[];
  readonly leftOut: number;
}

/** All that is wrong with a trace, worst first; capped, so that no trace makes it long. */
export function errorsOf(input: CheckInput, missing: readonly MissingProbe[]): ErrorList {
  const fromInvariants = invariantErrors(input);
  const judged = new Set(fromInvariants.map(({ code }) => code));
  const all = [
    // Where an invariant tells the same with times, it stands for the diagnostic.
    ...diagnosticErrors(input).filter(({ code }) => !judged.has(code)),
    ...fromInvariants,
    ...otherErrors(input, missing),
  ];
  const sorted = [...all].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  return { errors: sorted.slice(0, MAX_CODES), leftOut: Math.max(0, sorted.length - MAX_CODES) };
}

/** Why nothing was read. */
export function errorOf(error: TraceError, path: string): CheckError {
  const detail = error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
  return {
    code: error.code,
    severity: "error",
    count: 1,
    sentence: error.message,
    examples: [exampleOf(path, detail)],
  };
}

function diagnosticErrors({ diagnostics }: CheckInput): readonly CheckError[] {
  return [...diagnostics.counts()].map(([code, count]) => ({
    code,
    severity: DIAGNOSTIC_CODES[code].severity,
    count,
    sentence: DIAGNOSTIC_CODES[code].sentence,
    examples: diagnostics.examples
      .filter((example) => example.code === code)
      .slice(0, MAX_EXAMPLES)
      .map(({ path, line, byteOffset, detail }) => exampleOf(path, detail, line, byteOffset)),
  }));
}

function invariantErrors({ findings, info }: CheckInput): readonly CheckError[] {
  return findings
    .filter(({ count }) => count > 0)
    .map(({ id, sentence, count, examples }) => ({
      code: id,
      severity: "notice",
      count,
      sentence,
      examples: examples
        .slice(0, MAX_EXAMPLES)
        .map(({ line, tsNs, detail }) =>
          exampleOf(info.path, detail, line, 0, absoluteNs(info.baseNs, tsNs)),
        ),
    }));
}

function otherErrors(
  { contradictions, info }: CheckInput,
  missing: readonly MissingProbe[],
): readonly CheckError[] {
  const list = (code: string, sentence: string, details: readonly string[]): CheckError[] =>
    details.length === 0
      ? []
      : [
          {
            code,
            severity: "notice",
            count: details.length,
            sentence,
            examples: details.map((detail) => exampleOf(info.path, detail)),
          },
        ];
  return [
    ...list(
      "MISSING_PROBE",
      "a probe that an answer needs and that is missing",
      missing.map(sentenceOf),
    ),
    ...list("CONTRADICTING_SOURCES", "sources that disagree", contradictions),
  ];
}

function exampleOf(
  path: string,
  detail: string,
  line = 0,
  byteOffset = 0,
  tsNs: string | null = null,
): CheckExample {
  return { path, line, byte_offset: byteOffset, ts_ns: tsNs, detail };
}
