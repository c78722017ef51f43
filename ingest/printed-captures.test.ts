import { fileURLToPath } from "node:url";

import { beforeAll, describe, expect, it } from "vitest";

import { openTrace } from "./open-trace.ts";
import { type ReadTrace, readAll, type Row } from "./testing/read-text.ts";

const CAPTURES = fileURLToPath(new URL("../fixtures/captures/", import.meta.url));

/** What another program printed of a ring buffer that the kernel's own text was saved of too. */
interface Printed {
  readonly capture: string;
  readonly file: string;
  readonly layout: string;
  /** What stands beside it that tells the functions of probes. */
  readonly names: string;
}

const REPORTS: readonly Printed[] = [
  {
    capture: "tiny-612",
    file: "trace-cmd.report.txt.gz",
    layout: "flags column (5 letters), times in microseconds",
    names: "kprobes.txt and kallsyms.txt",
  },
  {
    capture: "tiny-612",
    file: "trace-cmd.report.raw.txt.gz",
    layout: "flags as numbers, times in microseconds, fields one by one (-R)",
    names: "kprobes.txt and kallsyms.txt",
  },
  {
    capture: "tiny-61",
    file: "trace-cmd.report.txt.gz",
    layout: "no flags column, times in microseconds",
    names: "kprobes.txt",
  },
];

async function read(capture: string, file: string): Promise<ReadTrace> {
  return readAll(await openTrace(`${CAPTURES}${capture}/${file}`));
}

/** A row without its place and time. */
function columnsOf({ line: _line, tsNs: _tsNs, ...columns }: Row): Omit<Row, "line" | "tsNs"> {
  return columns;
}

/**
 * The tracing library takes `kvm_userspace_exit`'s errno for 0 and prints the reason that was left in the
 * event: `KVM_EXIT_MMIO (6)` where the kernel says `restart (4)`. With -R both fields are printed.
 */
function withoutErrno(row: Omit<Row, "line" | "tsNs">): object {
  return row.kind === "userspace_exit" ? { ...row, arg0: "a reason or an errno" } : row;
}

describe("what trace-cmd report printed of a capture", () => {
  for (const { capture, file, layout, names } of REPORTS) {
    describe(`${capture}/${file}`, () => {
      let kernel: ReadTrace;
      let printed: ReadTrace;
      beforeAll(async () => {
        kernel = await read(capture, "trace.txt.gz");
        printed = await read(capture, file);
      });

      it("is recognised, and nothing of it is lost", () => {
        expect(printed.info).toMatchObject({
          format: "trace-cmd-report",
          layout: `${layout}, functions of probes by ${names}`,
          eventsByName: kernel.info.eventsByName,
        });
        expect(printed.counts).toEqual({});
      });

      it("gives the rows of the kernel's own text, each column of each row", () => {
        const carriesErrno = file.includes(".raw.");
        const of = (rows: readonly Row[]): readonly object[] =>
          rows.map(columnsOf).map((row) => (carriesErrno ? row : withoutErrno(row)));
        expect(of(printed.rows)).toEqual(of(kernel.rows));
        expect(printed.rows.map(({ tsNs }) => tsNs)).toEqual(kernel.rows.map(({ tsNs }) => tsNs));
        expect(printed.info.baseNs).toBe(kernel.info.baseNs);
      });
    });
  }
});

/**
 * Both recorded the same events at the same probes, each with its own fetch of the arguments. Where a
 * probe follows a NULL pointer (the old slot of a new one, the new slot of a deleted one) ftrace prints
 * 0 and perf what its buffer held before, so that those columns of `commit_region` mean nothing.
 */
function withoutNull(row: Omit<Row, "line" | "tsNs">): object {
  if (row.kind !== "commit_region") return withoutErrno(row);
  const { arg0 } = row;
  if (arg0 === 0) return { ...row, arg1: "of no slot" };
  return arg0 === 1 ? { ...row, addr: "of no slot", len: "", phys: "", arg2: "", arg3: "" } : row;
}

describe("what perf script printed of a run that ftrace recorded too", () => {
  const perf = "perf.script.ns.txt.gz";

  it("is recognised, and nothing of it is lost", async () => {
    const { info, counts } = await read("tiny-612-perf", perf);
    expect(info).toMatchObject({
      format: "perf-script",
      layout:
        "comm in 16 columns, pid/tid, CPU, times in nanoseconds (--ns), functions of probes by kprobes.txt",
    });
    expect(counts).toEqual({});
  });

  it("gives the rows of the kernel's own text, each column of each row", async () => {
    const printed = await read("tiny-612-perf", perf);
    const kernel = await read("tiny-612-perf", "trace.txt.gz");
    const rows = printed.rows.map((row) => withoutNull(columnsOf(row)));
    expect(rows).toEqual(kernel.rows.map((row) => withoutNull(columnsOf(row))));
    expect(printed.info.eventsByName).toEqual(kernel.info.eventsByName);
  });
});

describe("the kernel's own text", () => {
  it("is never taken for another program's", async () => {
    for (const capture of ["tiny-61", "tiny-612", "tiny-72", "nv-tiny-72", "s2-huge-612"]) {
      expect((await read(capture, "trace.txt.gz")).info.format).toBe("ftrace-text");
    }
  });
});
