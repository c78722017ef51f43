import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { literal } from "../bytes.ts";
import { defaultColumns } from "./line-columns.ts";
import { LineContext } from "./line-context.ts";

const NAME_AND_TEXT = "kvm_exit: TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0xffff800080011010";

/** What a context says of the line, or undefined where it has none; `body` is the event's text. */
function readWith(context: LineContext, line: string): object | undefined {
  const bytes = literal(`${line}\n`);
  const end = bytes.length - 1;
  if (!defaultColumns.read(context, bytes, 0, end)) return undefined;
  const { pid, cpu, whole, fractionNs, isTicks, flagLetters, hasTgid, bodyStart } = context;
  const body = line.slice(bodyStart);
  return { pid, cpu, whole, fractionNs, isTicks, flagLetters, hasTgid, body };
}

/** Each line is read by a context that has seen all lines before it, and by one that has seen none. */
function expectSameAsAlone(lines: readonly string[]): void {
  const seasoned = new LineContext();
  for (const line of lines) {
    expect(readWith(seasoned, line), line).toEqual(readWith(new LineContext(), line));
  }
}

describe("lines that begin like earlier ones", () => {
  it("are read as they would be alone, whatever came before", () => {
    const part = fc.record({
      comm: fc.constantFrom("CPU 0/KVM", "CPU 1/KVM", "a-1 [000] 1.0: x", "#", "kvm"),
      pid: fc.constantFrom(7, 2512, 2513, 1234567, 12345678),
      tgid: fc.constantFrom("", "(   2512) ", "(-------) ", "(12345678) "),
      cpu: fc.constantFrom("000", "001", "1000"),
      flags: fc.constantFrom("", "d....", "d..1.", "....", "dNZff1.2", ".x..."),
      time: fc.constantFrom(
        "   75.053437:",
        "   75.053438:",
        "   76.000001:",
        "   75.0534379:",
        "   75.05343:",
        "   75.053437001:",
        "   75.05343x:",
        "   75.053437;",
        "   75053437:",
        "123456.999999:",
      ),
      gap: fc.constantFrom(" ", "", "  "),
      text: fc.constantFrom(NAME_AND_TEXT, "map: (f+0x0/0x1) a=1", ""),
    });
    const lines = fc.array(
      part.map(({ comm, pid, tgid, cpu, flags, time, gap, text }) => {
        const task = `${comm.padStart(16)}-${String(pid).padEnd(7)} ${tgid}`;
        return `${task}[${cpu}] ${flags === "" ? "" : `${flags} `}${time}${gap}${text}`;
      }),
      { minLength: 2, maxLength: 40 },
    );
    fc.assert(fc.property(lines, expectSameAsAlone), { numRuns: 300 });
  });

  it("are not taken for them where one byte differs", () => {
    const line = `       CPU 2/KVM-2512    [003] d....    75.053493: ${NAME_AND_TEXT}`;
    const lines = [line, line];
    for (let at = 0; at < line.indexOf("kvm_exit"); at += 1) {
      for (const byte of ["0", "1", "-", " ", "]", "\r", "\xff"]) {
        lines.push(line.slice(0, at) + byte + line.slice(at + 1));
      }
    }
    expectSameAsAlone(lines);
  });

  it("are read to the last of their digits", () => {
    const context = new LineContext();
    const at = (time: string): object | undefined =>
      readWith(context, `       CPU 2/KVM-2512    [003] d....  ${time}: ${NAME_AND_TEXT}`);
    expect(at("  75.053493")).toMatchObject({ pid: 2512, cpu: 3, whole: 75, fractionNs: 53493000 });
    expect(at("  75.999999")).toMatchObject({ whole: 75, fractionNs: 999999000 });
    expect(at("  75.000001")).toMatchObject({ whole: 75, fractionNs: 1000 });
    expect(at("  76.000001")).toMatchObject({ whole: 76, fractionNs: 1000 });
    expect(at("  75.000010")).toMatchObject({ body: NAME_AND_TEXT, whole: 75, fractionNs: 10000 });
  });
});
