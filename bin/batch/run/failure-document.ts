import * as v from "valibot";

export const FAILURE_FORMAT = "tlbi-replay/batch-failure";
export const FAILURE_VERSION = 1;

/** What a store keeps of a trace that could not be worked on. */
export interface FailureDocument {
  readonly format: typeof FAILURE_FORMAT;
  readonly version: typeof FAILURE_VERSION;
  readonly key: string;
  readonly trace: string;
  /** Of the last attempt. */
  readonly code: string;
  readonly message: string;
  /** Attempts since the last success or the last plan, all runs together. */
  readonly attempts: number;
}

const schema = v.looseObject({
  format: v.literal(FAILURE_FORMAT),
  version: v.literal(FAILURE_VERSION),
  key: v.string(),
  trace: v.string(),
  code: v.pipe(v.string(), v.maxLength(100)),
  message: v.pipe(v.string(), v.maxLength(1000)),
  attempts: v.pipe(v.number(), v.safeInteger()),
});

export function failureJson(document: Omit<FailureDocument, "format" | "version">): string {
  const { key, trace, code, message, attempts } = document;
  const whole: FailureDocument = {
    format: FAILURE_FORMAT,
    version: FAILURE_VERSION,
    key,
    trace,
    code,
    message,
    attempts,
  };
  return `${JSON.stringify(whole)}\n`;
}

/** Undefined for a text that is none of this key: it counts as no failure, and so as a missing result. */
export function parseFailure(json: string, key: string): FailureDocument | undefined {
  try {
    const parsed = v.safeParse(schema, JSON.parse(json));
    return parsed.success && parsed.output.key === key ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
