import { describe, expect, it } from "vitest";
import {
  type TableColumn,
  type TerminalStream,
  formatCount,
  formatTable,
  formatUnknown,
  paint,
  plural,
  terminalOptions,
  visible,
} from "./terminal.ts";

const COLUMNS: readonly TableColumn[] = [
  { header: "path", align: "left", key: true },
  { header: "first (calls)", align: "right" },
  { header: "second", align: "right" },
  { header: "third", align: "right" },
];
const ROWS = [
  ["unmap", "1", "22", "333"],
  ["collapse", "1,234,567", "—", "+≤5"],
];

/** A stream as far as it matters here. */
function streamLike(isTTY: boolean, colours: boolean): TerminalStream {
  return { isTTY, columns: 72, hasColors: () => colours };
}

describe("formatTable", () => {
  it("aligns names to the left and numbers to the right", () => {
    expect(formatTable(COLUMNS, ROWS)).toBe(
      [
        "path      first (calls)  second  third\n",
        "unmap                 1      22    333\n",
        "collapse      1,234,567       —    +≤5\n",
      ].join(""),
    );
  });

  it("breaks a wide table into parts, with the key columns in each and no number cut", () => {
    expect(formatTable(COLUMNS, ROWS, { width: 31 })).toBe(
      [
        "path      first (calls)  second\n",
        "unmap                 1      22\n",
        "collapse      1,234,567       —\n",
        "\n",
        "path      third\n",
        "unmap       333\n",
        "collapse    +≤5\n",
      ].join(""),
    );
    const narrow = formatTable(COLUMNS, ROWS, { width: 1 });
    expect(narrow).toContain("1,234,567");
    expect(narrow.split("\n\n")).toHaveLength(3);
  });

  it("shows the header alone where there are no rows", () => {
    expect(formatTable(COLUMNS, [])).toBe("path  first (calls)  second  third\n");
  });

  it("does not let a cell steer the terminal", () => {
    const text = formatTable([{ header: "a", align: "left" }], [["\u001b[2Jx\n\u009by"]]);
    expect(text).toBe("a\n\\u001b[2Jx\\u000a\\u009by\n");
  });
});

describe("colour", () => {
  it("is used on a terminal that has it, and nowhere else", () => {
    expect(terminalOptions(streamLike(true, true))).toEqual({ width: 72, colour: true });
    expect(terminalOptions(streamLike(true, false))).toEqual({ width: 72, colour: false });
    expect(terminalOptions(streamLike(false, true))).toEqual({ colour: false });
    expect(paint("x", "red", { colour: true })).toBe("\u001b[31mx\u001b[39m");
    expect(paint("x", "red", { colour: false })).toBe("x");
    expect(paint("x", "red", {})).toBe("x");
  });
});

describe("numbers", () => {
  it("have thousands separators in every size", () => {
    expect([0, 7, 999, 1000, 123_456, 1e15, -1234, 2n ** 63n].map(formatCount)).toEqual([
      "0",
      "7",
      "999",
      "1,000",
      "123,456",
      "1,000,000,000,000,000",
      "-1,234",
      "9,223,372,036,854,775,808",
    ]);
  });

  it("say what is unknown, and what is one", () => {
    expect([formatUnknown(0), formatUnknown(1200)]).toEqual(["0", "+≤1,200"]);
    expect([plural(1, "call"), plural(0, "call")]).toEqual(["1 call", "0 calls"]);
    expect(visible("plain é ≤ 日本")).toBe("plain é ≤ 日本");
  });
});
