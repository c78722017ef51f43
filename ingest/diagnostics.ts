/**
 * Everything a reader or the replay could not use, or used with a doubt: counted by code, graded,
 * with the first examples kept. The table below is the only place where a code gets its grade and
 * its sentence (for the person who reads the report); a code that is not in it does not compile.
 */
export type Severity = "info" | "notice" | "dataLoss" | "error";

export const DIAGNOSTIC_CODES = {
  // Ingest
  UNPARSED_LINE: {
    severity: "dataLoss",
    sentence: "a line that is neither an event nor a known comment",
  },
  LINE_TOO_LONG: { severity: "dataLoss", sentence: "a line longer than the reader accepts" },
  BAD_NUMBER: {
    severity: "dataLoss",
    sentence: "an argument that is not a number or does not fit",
  },
  MISSING_ARGUMENT: {
    severity: "dataLoss",
    sentence: "an event without an argument that the replay needs",
  },
  UNKNOWN_ARGUMENT: {
    severity: "notice",
    sentence: "an argument whose name the vocabulary does not know",
  },
  EVENTS_OVERWRITTEN: {
    severity: "dataLoss",
    sentence: "the ring buffer overwrote events before this trace was saved",
  },
  EVENTS_LOST: { severity: "dataLoss", sentence: "events were lost while the trace was recorded" },
  BUFFER_STARTED_LATE: {
    severity: "dataLoss",
    sentence: "a CPU's buffer starts later than the trace: what it did before is lost",
  },
  TRUNCATED: {
    severity: "dataLoss",
    sentence: "the input ends, or cannot be read on, before its end",
  },
  DAMAGED_COMPRESSION: {
    severity: "dataLoss",
    sentence: "the compressed stream is damaged or cut; what came before was used",
  },
  DAMAGED_METADATA: {
    severity: "dataLoss",
    sentence: "a part of the file that describes its events or where they stand is damaged",
  },
  DAMAGED_CHUNK: {
    severity: "dataLoss",
    sentence: "a compressed run of ring-buffer pages that cannot be unpacked; its events are lost",
  },
  DAMAGED_BATCH: {
    severity: "dataLoss",
    sentence: "a batch of an event file that cannot be read; its events are lost",
  },
  DAMAGED_RECORD: {
    severity: "dataLoss",
    sentence: "a record of a file of accesses that cannot be one, or not all of it",
  },
  DAMAGED_PAGE: {
    severity: "dataLoss",
    sentence: "a ring-buffer page that cannot be read, or not to its end; its events are lost",
  },
  DAMAGED_TIME: {
    severity: "dataLoss",
    sentence: "a time that cannot be right between its neighbours; the nearest possible was taken",
  },
  UNKNOWN_EVENT: {
    severity: "dataLoss",
    sentence: "an event that the file does not describe, or shorter than it describes it",
  },
  UNRESOLVED_PROBE: {
    severity: "dataLoss",
    sentence: "a probe whose function neither the file's symbols nor a probe list tell",
  },
  OTHER_BUFFER: {
    severity: "notice",
    sentence: "the file holds another ring buffer (instance) that was not read",
  },
  MIXED_ARCHITECTURE: {
    severity: "dataLoss",
    sentence: "the trace holds events of another architecture too, which were not replayed",
  },
  MARKER_CONTINUED: {
    severity: "info",
    sentence: "a line that continues the text of a marker or of a string",
  },
  PROGRAM_OUTPUT: {
    severity: "info",
    sentence: "output of the recording program that is no event: a map, a histogram, a message",
  },
  TEXT_CONTINUED: {
    severity: "info",
    sentence: "a line that continues the text of the event before it",
  },
  COMMENT_LINE: { severity: "info", sentence: "a comment in a CSV file" },
  HEADER_DISAGREES: {
    severity: "info",
    sentence: "the file holds more events than it says itself",
  },
  TEXT_NOT_PARSED: {
    severity: "notice",
    sentence: "an event whose text the program that printed it could not take apart",
  },
  FORGED_EVENTS: {
    severity: "dataLoss",
    sentence:
      "more events than the header says, some of them behind a marker: its text may have been read as events",
  },
  OUT_OF_ORDER: {
    severity: "dataLoss",
    sentence: "an event that stands too far out of the order of time to be put in its place",
  },
  TIME_BACKWARDS: { severity: "notice", sentence: "time runs backwards" },
  UNTERMINATED_LINE: { severity: "notice", sentence: "the last line has no newline" },

  // Replay
  OPERATION_CUT: {
    severity: "dataLoss",
    sentence: "a stage-2 operation whose end the trace does not contain",
  },
  RETURN_WITHOUT_CALL: {
    severity: "notice",
    sentence: "a return event whose call the trace does not contain",
  },
  UNKNOWN_CONTEXT: {
    severity: "notice",
    sentence: "a stage-2 context whose history began before the trace",
  },
  CONTRADICTION: {
    severity: "notice",
    sentence: "an event that the modelled page table says cannot happen",
  },
  CAUSE_NOT_RECORDED: {
    severity: "notice",
    sentence:
      "a recorded invalidation, and so far no call that causes such: is its function probed?",
  },
  UNSUPPORTED_EVENT: { severity: "notice", sentence: "an event that the model does not replay" },
  ASSUMED: {
    severity: "info",
    sentence: "a value that nothing in the input states and that was assumed",
  },
  LEARNED: { severity: "info", sentence: "a value that the trace itself revealed" },
} as const;

export type DiagnosticCode = keyof typeof DIAGNOSTIC_CODES;

export interface DiagnosticExample {
  readonly code: DiagnosticCode;
  /** File as the user named it. */
  readonly path: string;
  /** 1-based; 0 where no line applies. */
  readonly line: number;
  readonly byteOffset: number;
  /** What happened, in words; includes the offending text, cut to 120 characters. */
  readonly detail: string;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets which keys there are
const TABLE_ORDER = Object.keys(DIAGNOSTIC_CODES) as readonly DiagnosticCode[];

/** What each of these stands for may have been an event: the reader's view of the machine has a hole there. */
const GAPS: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>([
  "UNPARSED_LINE",
  "LINE_TOO_LONG",
  "BAD_NUMBER",
  "MISSING_ARGUMENT",
]);

export function isGap(code: DiagnosticCode): boolean {
  return GAPS.has(code);
}

export function severityOf(code: DiagnosticCode): Severity {
  return DIAGNOSTIC_CODES[code].severity;
}

/** How many examples are kept; all are counted. */
const MAX_EXAMPLES = 256;
/** Of one code, so that one noisy code cannot crowd out the others. */
const MAX_EXAMPLES_PER_CODE = 16;

export class Diagnostics {
  readonly #counts = new Map<DiagnosticCode, number>();
  readonly #examples: DiagnosticExample[] = [];
  /** Lines of gaps that the consumer has not passed yet, ascending. */
  readonly #gapLines: number[] = [];
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Counts `times` occurrences; keeps the example while there is room. */
  add(code: DiagnosticCode, detail: string, line = 0, byteOffset = 0, times = 1): void {
    const before = this.#counts.get(code) ?? 0;
    this.#counts.set(code, before + times);
    if (isGap(code)) this.addGap(line);
    const ofThisCode = this.#examples.reduce((n, e) => n + (e.code === code ? 1 : 0), 0);
    if (this.#examples.length >= MAX_EXAMPLES || ofThisCode >= MAX_EXAMPLES_PER_CODE) return;
    this.#examples.push({ code, path: this.path, line, byteOffset, detail });
  }

  /** Takes over what another reading of the same events has found; its gaps are rows already. */
  recall(
    counts: Iterable<readonly [DiagnosticCode, number]>,
    examples: readonly DiagnosticExample[],
  ): void {
    for (const [code, times] of counts) this.tally(code, times);
    for (const example of examples) {
      if (this.#examples.length < MAX_EXAMPLES) this.#examples.push(example);
    }
  }

  /** Counts without an example, for what happens on many lines. */
  tally(code: DiagnosticCode, times: number): void {
    if (times > 0) this.#counts.set(code, (this.#counts.get(code) ?? 0) + times);
  }

  /** An event may be missing at this line, for whoever only counts with `tally`. */
  addGap(line: number): void {
    const last = this.#gapLines.length - 1;
    // Nothing lies between neighbouring lines: one gap.
    if (last >= 0 && this.#gapLines[last]! >= line - 1) this.#gapLines[last] = line;
    else this.#gapLines.push(line);
  }

  /** Line of the first gap that was not passed yet; Infinity where there is none. */
  get nextGapLine(): number {
    return this.#gapLines[0] ?? Number.POSITIVE_INFINITY;
  }

  /** Whether an event may be missing between two lines, of those gaps that were not passed yet. */
  hasGapBetween(afterLine: number, beforeLine: number): boolean {
    return this.#gapLines.some((line) => line >= afterLine && line <= beforeLine);
  }

  /** Line of the first gap behind `line` that was not passed yet; Infinity where there is none. */
  gapLineAfter(line: number): number {
    return this.#gapLines.find((gap) => gap > line) ?? Number.POSITIVE_INFINITY;
  }

  /** The consumer has come to `line`, and taken account of every gap before it. */
  passGaps(line: number): void {
    let passed = 0;
    while (passed < this.#gapLines.length && this.#gapLines[passed]! < line) passed += 1;
    this.#gapLines.splice(0, passed);
  }

  count(code: DiagnosticCode): number {
    return this.#counts.get(code) ?? 0;
  }

  /** Codes that occurred, in table order, with their counts. */
  counts(): ReadonlyMap<DiagnosticCode, number> {
    const ordered = new Map<DiagnosticCode, number>();
    for (const code of TABLE_ORDER) {
      const n = this.#counts.get(code);
      if (n !== undefined) ordered.set(code, n);
    }
    return ordered;
  }

  /** Whether what a code stands for makes the results bounds. */
  isLoss(code: DiagnosticCode): boolean {
    const severity = severityOf(code);
    return severity === "dataLoss" || severity === "error";
  }

  get examples(): readonly DiagnosticExample[] {
    return this.#examples;
  }

  /** True where something was lost: the results are bounds, and the exit code is 3. */
  get hasDataLoss(): boolean {
    for (const code of this.#counts.keys()) {
      if (this.isLoss(code)) return true;
    }
    return false;
  }
}

/** Cuts a text to what a message can hold, and makes control characters visible. */
export function quoteForMessage(text: string, maxChars = 120): string {
  const visible = text.replace(
    // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
    /[\u0000-\u001f\u007f]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return visible.length > maxChars ? `${visible.slice(0, maxChars)}…` : visible;
}
