/** A text that is none of the formats, but that can be named by its first line. */
interface KnownText {
  readonly pattern: RegExp;
  /** A sentence. */
  readonly sentence: string;
  readonly hint: string;
}

const KNOWN: readonly KnownText[] = [
  {
    pattern: /^Attaching \d+ probes?\.\.\.$|^\{"type": "attached_probes"/,
    sentence:
      "this is the output of bpftrace, whose lines look as its script prints them: what they mean cannot be told",
    hint: "let the script print CSV instead: a first line with ts_ns and event (README, CSV), then one line an event",
  },
];

/** What a text that no format applies to is, as far as its first line tells. */
export function knownText(firstLine: string): Omit<KnownText, "pattern"> | undefined {
  return KNOWN.find(({ pattern }) => pattern.test(firstLine));
}
