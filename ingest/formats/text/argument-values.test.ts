import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { eventLine, type ReadTrace, readText } from "../../testing/read-text.ts";

const PGT = "0xfff00000c112bcc0";
const AT = "unmap: (kvm_pgtable_stage2_unmap+0x0/0x70)";
const ROW = { kind: "unmap", pgt: PGT, addr: 0x1000, len: 0x2000 };

async function readOne(value: string): Promise<ReadTrace> {
  return readText(eventLine(`${AT} pgt=${PGT} hva=${value} addr=0x1000 size=0x2000`));
}

describe("a value that the replay does not use", () => {
  const values = [
    "18446744073709551615",
    "-1",
    "0xffffffffffffffff",
    "'c'",
    "' '",
    "'='",
    "'\"'",
    '"vcpu 0"',
    '"a size=0x1 addr=0x2 b"',
    '"a"b"',
    '""',
    '"a} {b"',
    "(fault)",
    '"(fault)"',
    "{0x1,0x2,0x3}",
    "{1,-2}",
    "{(fault),0x1}",
    '{"a b","c size=0x1"}',
    '{"a} b",(fault)}',
    "kvm_pgtable_stage2_unmap+0x0/0x70",
    "kvm_init+0x0/0x10 [kvm]",
    "{kvm_init+0x0/0x10 [kvm],schedule+0x1/0x2}",
    "0x",
  ];
  for (const value of values) {
    it(`is passed over: ${value}`, async () => {
      const { rows, counts } = await readOne(value);
      expect(rows).toMatchObject([ROW]);
      expect(counts).toEqual({});
    });
  }

  it("is passed over whatever it holds, as long as no line end and no closing quote is in it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary-ascii" }), async (text) => {
        // The kernel's strings end at a NUL.
        fc.pre(!/[\0\n\r]|" |"$/.test(text) && !/"[^!-~\x7f]/.test(text));
        const { rows, counts } = await readOne(`"${text}"`);
        expect([rows, counts]).toMatchObject([[ROW], {}]);
      }),
    );
  });
});

describe("a value that the replay needs", () => {
  for (const value of ["(fault)", "{0x1,0x2}", "'c'", '"0x1000"', "schedule+0x0/0x9", ""]) {
    it(`is a loss where it is no number: ${value}`, async () => {
      const { rows, counts } = await readText(
        eventLine(`${AT} pgt=${PGT} addr=${value} size=0x2000`),
      );
      expect(rows).toMatchObject([{ kind: "other" }]);
      expect(counts).toEqual({ BAD_NUMBER: 1 });
    });
  }

  it("is a function in quotes where it was declared as a symstr", async () => {
    const text = `a: (stage2_apply_range+0x0/0xf0) obj=${PGT} addr=0x0 end=0x1000 fn="kvm_pgtable_stage2_unmap+0x0/0x70"`;
    const { rows } = await readText(
      eventLine(text) +
        eventLine(text.replace("+0x0/0x70", "")) +
        eventLine(text.replace("_unmap+", "_unmapped+")),
    );
    expect(rows.map(({ arg0 }) => arg0)).toEqual([1, 1, 0]);
  });
});

/** A line of a probe in a user's program. */
function uprobe(value: string): string {
  return eventLine(`sh: (0xaaaac0de) line=${value}`);
}

describe("a string with line ends in it", () => {
  it("goes on in the next lines, in a probe of the kernel or of a program", async () => {
    const inKernel = eventLine(
      `${AT} pgt=${PGT} addr=0x1000 size=0x2000 hva="one\ntwo\n\n# three\nfour"`,
    );
    const { rows, counts } = await readText(
      inKernel + uprobe('"a\nb\nc"') + uprobe('{"a\nb","c"}') + uprobe("'\n'") + eventLine("x: y"),
    );
    expect(rows).toMatchObject([
      ROW,
      { kind: "other" },
      { kind: "other" },
      { kind: "other" },
      { kind: "other" },
    ]);
    expect(counts).toEqual({ TEXT_CONTINUED: 3 + 2 + 1 + 1 });
  });

  it("is over where it is closed: what stands behind is a loss", async () => {
    for (const value of ['"closed"', "0x1", "'c'", '{"a"}', "{0x1}", "(fault)"]) {
      const { counts } = await readText(`${uprobe(value)}behind\n`);
      expect(counts, value).toEqual({ UNPARSED_LINE: 1 });
    }
    const { counts } = await readText(`${uprobe('"open\nx')}${eventLine("x: y")}behind\n`);
    expect(counts).toEqual({ TEXT_CONTINUED: 1, UNPARSED_LINE: 1 });
  });

  it("that hides arguments is a loss of the event", async () => {
    const { rows, counts } = await readText(
      eventLine(`${AT} pgt=${PGT} hva="one\ntwo" addr=0x1000 size=0x2000`),
    );
    expect(rows).toMatchObject([{ kind: "other" }]);
    expect(counts).toEqual({ MISSING_ARGUMENT: 1, TEXT_CONTINUED: 1 });
  });
});

describe("probes of programs", () => {
  it("are events of their own, counted by name, calls and returns", async () => {
    const { rows, counts, info } = await readText(
      eventLine("kvm_exit: (0xaaaac0de) arg1=0x1") +
        eventLine("sh_ret: (0xaaaac0de <- 0xaaaac0d0) ret=0") +
        eventLine("sh: (0xaaaac0de)"),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["other", "other", "other"]);
    expect(Object.fromEntries(info.eventsByName)).toEqual({ kvm_exit: 1, sh: 1, sh_ret: 1 });
    expect(counts).toEqual({});
  });

  it("are not those at a kernel's address, whose function cannot be told", async () => {
    for (const location of ["(0xffff80008009f450)", "(0xffff800080063694 <- 0xffff80008009f450)"]) {
      const { rows, counts } = await readText(
        eventLine("x: y") + eventLine(`map: ${location} a=1`),
      );
      expect(rows).toHaveLength(1);
      expect(counts).toEqual({ UNPARSED_LINE: 1 });
    }
  });
});
