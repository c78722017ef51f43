import {
  DIAGNOSTIC_CODES,
  type DiagnosticCode,
  type Diagnostics,
  type Severity,
} from "../ingest/diagnostics.ts";

/** How often a diagnostic code occurred. */
export interface DiagnosticEntry {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly count: number;
  readonly sentence: string;
}

export interface ExampleEntry {
  readonly code: DiagnosticCode;
  readonly line: number;
  readonly byte_offset: number;
  readonly detail: string;
}

export interface DiagnosticEntries {
  /** Severities dataLoss and error: they make the results bounds. */
  readonly losses: readonly DiagnosticEntry[];
  /** Severities notice and info. */
  readonly notices: readonly DiagnosticEntry[];
  /** The first few occurrences of each code. */
  readonly examples: readonly ExampleEntry[];
}

/** Everything that was counted while a file was read, ready for JSON. */
export function diagnosticEntries(diagnostics: Diagnostics): DiagnosticEntries {
  const counted = [...diagnostics.counts()].map(([code, count]): DiagnosticEntry => {
    const { severity, sentence } = DIAGNOSTIC_CODES[code];
    return { code, severity, count, sentence };
  });
  return {
    losses: counted.filter(isLoss),
    notices: counted.filter((entry) => !isLoss(entry)),
    examples: diagnostics.examples.map(({ code, line, byteOffset, detail }) => ({
      code,
      line,
      byte_offset: byteOffset,
      detail,
    })),
  };
}

function isLoss({ severity }: DiagnosticEntry): boolean {
  return severity === "dataLoss" || severity === "error";
}
