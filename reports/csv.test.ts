import { parse } from "csv-parse/sync";
import { array, assert, property, readConfigureGlobal, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { toCsv } from "./csv.ts";
import {
  FLUSH_ROWS,
  INSTRUCTION_ROWS,
  ODD,
  ODD_ROWS,
  type OddRow,
} from "./sample-rows.test.data.ts";
import { FLUSHES, INSTRUCTION_COUNTS } from "./schema.ts";

/** As the writer is documented to write a text. */
function guarded(text: string): string {
  return /^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) ? `'${text}` : text;
}

describe("toCsv", () => {
  it("writes a header and LF-ended lines, and leaves a null empty", () => {
    expect(toCsv(FLUSHES, FLUSH_ROWS.slice(2, 4))).toBe(
      "policy,path,primitive,calls,tlbi,dsb,pages,unknown_calls\n" +
        "legacy-5.8,unmap,IPA,98304,196608,294912,98304,0\n" +
        "legacy-5.8,teardown,VM,1,1,2,,0\n",
    );
    expect(toCsv(INSTRUCTION_COUNTS, INSTRUCTION_ROWS)).toBe(
      "policy,instruction,count\nrange-6.9,ipas2e1is,7\nrange-6.9,ripas2e1is,28\n",
    );
  });

  it("writes the header alone where there are no rows", () => {
    expect(toCsv(INSTRUCTION_COUNTS, [])).toBe("policy,instruction,count\n");
  });

  it("keeps integers whole and numbers negative", () => {
    const rows: OddRow[] = [{ text: "a", note: "-", count: 10n ** 18n, ratio: -1e21 }];
    expect(toCsv(ODD, rows)).toBe("text,note,count,ratio\na,'-,1000000000000000000,-1e+21\n");
  });

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])(
    "takes the formula out of %j",
    (text) => {
      const [record] = parse(toCsv(ODD, [{ text, note: null, count: -1, ratio: -2 }]), {
        columns: true,
      });
      expect(record).toEqual({ text: `'${text}`, note: "", count: "-1", ratio: "-2" });
    },
  );

  it("tells an empty text from a null", () => {
    const rows: OddRow[] = [
      { text: "", note: "", count: 0, ratio: 0 },
      { text: "", note: null, count: 0, ratio: 0 },
    ];
    expect(toCsv(ODD, rows)).toBe('text,note,count,ratio\n"","",0,0\n"",,0,0\n');
  });

  it("is read back cell by cell by csv-parse", () => {
    const expected = ODD_ROWS.map(({ text, note, count, ratio }) => ({
      text,
      note: note ?? "",
      count: String(count),
      ratio: ratio === null ? "" : String(ratio),
    }));
    // Told what a record ends with; left alone csv-parse takes the first CR or LF it meets.
    const read = parse(toCsv(ODD, ODD_ROWS), { columns: true, record_delimiter: "\n" });
    expect(read).toEqual(expected);
  });

  it("survives any text", () => {
    assert(
      property(array(string({ unit: "binary" }), { minLength: 1 }), (texts) => {
        const rows = texts.map((text): OddRow => ({ text, note: null, count: 1, ratio: 1 }));
        const read: unknown = parse(toCsv(ODD, rows), { columns: true, record_delimiter: "\n" });
        expect(read).toEqual(
          texts.map((text) => ({ text: guarded(text), note: "", count: "1", ratio: "1" })),
        );
      }),
    );
    expect.assertions(readConfigureGlobal()?.numRuns ?? 100);
  });
});
