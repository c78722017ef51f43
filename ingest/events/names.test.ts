import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { EVENT_KINDS } from "./kinds.ts";
import { NameTable } from "./names.ts";
import { openTrace } from "../open-trace.ts";

describe("NameTable", () => {
  it("gives equal names equal ids, in the order of their first use", () => {
    const names = new NameTable();
    expect([names.idOf("map"), names.idOf("unmap"), names.idOf("map")]).toEqual([1, 2, 1]);
    expect([names.text(0), names.text(1), names.text(2), names.text(3)]).toEqual([
      "",
      "map",
      "unmap",
      "",
    ]);
    expect(names.count).toBe(2);
  });
});

const TINY = fileURLToPath(new URL("../../fixtures/captures/tiny-612/", import.meta.url));

/** Rows by name, as the column has them. */
async function namedRows(file: string): Promise<ReadonlyMap<string, number>> {
  const reader = await openTrace(`${TINY}${file}`);
  const counts = new Map<string, number>();
  for await (const batch of reader.batches()) {
    for (let row = 0; row < batch.length; row += 1) {
      if (EVENT_KINDS[batch.kind[row]!] === "lost") continue;
      const name = reader.names.text(batch.name[row]!);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  expect([...counts].sort(([a], [b]) => (a < b ? -1 : 1))).toEqual([...reader.info().eventsByName]);
  return counts;
}

describe("the name column", () => {
  for (const file of [
    "trace.txt.gz",
    "trace.v7.dat",
    "trace.fields.txt.gz",
    "trace-cmd.report.txt.gz",
  ]) {
    it(`counts as the summary does: ${file}`, async () => {
      expect((await namedRows(file)).get("hw_vmid_ipa_nsh")).toBe(256);
    });
  }
});
