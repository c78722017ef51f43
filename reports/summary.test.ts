import { describe, expect, it } from "vitest";
import { Diagnostics } from "../ingest/diagnostics.ts";
import type { TraceInfo } from "../ingest/reader.ts";
import { FLUSH_ROWS, INSTRUCTION_ROWS, TOOL } from "./sample-rows.test.data.ts";
import { type SummaryInput, buildSummary, inputEntry, summaryJson } from "./summary.ts";

const INFO: TraceInfo = {
  path: "traces/a.txt.gz",
  format: "ftrace-text",
  layout: "irq-info on",
  compression: "gzip",
  bytes: 1234,
  sha256: "ab".repeat(32),
  lines: 40,
  events: 30,
  baseNs: 9_007_199_254_740_993_000n,
  firstTsNs: 1000,
  lastTsNs: 86_400_000_000_000,
  eventsByName: new Map([
    ["kvm_entry", 20],
    ["__proto__", 1],
    ["Kvm", 9],
  ]),
  entriesInBuffer: 30,
  entriesWritten: 31,
};

function diagnostics(): Diagnostics {
  const found = new Diagnostics(INFO.path);
  found.add("ASSUMED", "40 bits of IPA");
  found.add("EVENTS_LOST", "LOST 7 EVENTS", 12, 999, 7);
  return found;
}

const INPUT: SummaryInput = {
  tool: TOOL,
  argv: ["analyze", "traces/a.txt.gz"],
  configuration: [{ name: "page-size", value: "4k", origin: "capture.json" }],
  inputs: [{ info: INFO, diagnostics: diagnostics() }],
  assumptions: ["40 bits of IPA"],
  flushes: FLUSH_ROWS,
  instructions: INSTRUCTION_ROWS,
  explanations: [],
};

describe("summary.json", () => {
  it("has its keys in a fixed order, two-space indent and a final newline", () => {
    const text = summaryJson(buildSummary(INPUT));
    expect(text.startsWith('{\n  "tool": {\n    "name": "tlbi-replay",\n')).toBe(true);
    expect(text.endsWith("}\n")).toBe(true);
    expect(Object.keys(JSON.parse(text))).toEqual(
      (
        "tool schema_version arguments configuration inputs assumptions flushes instructions " +
        "explanations"
      ).split(" "),
    );
    expect(buildSummary({ ...INPUT, seed: 0 }).seed).toBe(0);
  });

  it("gives the same text again, however the rows were put together", () => {
    const reversed = FLUSH_ROWS.map((row) => Object.fromEntries(Object.entries(row).toReversed()));
    const again: SummaryInput = { ...INPUT, flushes: JSON.parse(JSON.stringify(reversed)) };
    expect(summaryJson(buildSummary(again))).toBe(summaryJson(buildSummary(INPUT)));
    expect(JSON.parse(summaryJson(buildSummary(INPUT))).flushes).toEqual(FLUSH_ROWS);
  });

  it("tells where the numbers come from, but not when and on which host they were made", () => {
    const text = summaryJson(buildSummary(INPUT));
    expect(JSON.parse(text).tool).toEqual({ ...TOOL, node: process.version });
    expect(text).not.toContain(String(new Date().getFullYear()));
    expect(JSON.parse(text).configuration).toEqual(INPUT.configuration);
  });
});

describe("inputEntry", () => {
  it("keeps nanoseconds that a JSON number would round", () => {
    const entry = inputEntry(INFO, diagnostics());
    expect(entry.first_ts_ns).toBe("9007199254740994000");
    expect(entry.last_ts_ns).toBe("9007285654740993000");
    expect(inputEntry({ ...INFO, firstTsNs: Number.NaN }, diagnostics()).first_ts_ns).toBeNull();
  });

  it("sorts event names by code unit and keeps odd ones", () => {
    const { events_by_name } = inputEntry(INFO, diagnostics());
    expect(JSON.stringify(events_by_name)).toBe('{"Kvm":9,"__proto__":1,"kvm_entry":20}');
  });

  it("tells losses from notices and keeps the examples", () => {
    const entry = inputEntry(INFO, diagnostics());
    expect(entry.losses).toEqual([
      {
        code: "EVENTS_LOST",
        severity: "dataLoss",
        count: 7,
        sentence: "events were lost while the trace was recorded",
      },
    ]);
    expect(entry.notices.map((notice) => notice.code)).toEqual(["ASSUMED"]);
    expect(entry.examples).toContainEqual({
      code: "EVENTS_LOST",
      line: 12,
      byte_offset: 999,
      detail: "LOST 7 EVENTS",
    });
  });
});
