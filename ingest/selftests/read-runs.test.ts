import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSelftestRuns } from "./read-runs.ts";

/** As the tests of Linux 6.12 print it (of an emulated machine: the times mean nothing). */
const PAGE_TABLE = `Testing guest mode: PA-bits:40,  VA-bits:48,  4K pages
Testing memory backing src type: anonymous_hugetlb_2mb
Testing memory backing src granularity: 0x200000
Testing memory size(aligned): 0x10000000
Guest physical test memory offset: 0xffefe00000
Host  virtual  test memory offset: 0xffff94e00000
Number of testing vCPUs: 2
Started all vCPUs successfully
KVM_CREATE_MAPPINGS: total execution time: 3.716808738s

KVM_UPDATE_MAPPINGS: total execution time: 20.703433383s

KVM_ADJUST_MAPPINGS: total execution time: 0.163958492s
`;
const DIRTY_LOG = `Test iterations: 2
Testing guest mode: PA-bits:40,  VA-bits:48,  4K pages
guest physical test memory: [0xfffbe00000, 0xffffe00000)
Populate memory time: 0.637764221s
Enabling dirty logging time: 0.008002298s

Iteration 1 dirty memory time: 7.446208233s
Iteration 1 get dirty log time: 0.037596941s
Iteration 2 dirty memory time: 8.691030746s
Iteration 2 get dirty log time: 0.055578888s
Disabling dirty logging time: 0.000562596s
Get dirty log over 2 iterations took 0.093175829s. (Avg 0.046587914s/iteration)
`;

describe("readSelftestRuns", () => {
  it("reads kvm_page_table_test", () => {
    expect(readSelftestRuns(PAGE_TABLE, "pt.txt")).toEqual([
      {
        kind: "kvm_page_table_test",
        name: "pt.txt:1",
        vcpus: 2,
        memoryBytes: 268_435_456,
        pageBytes: 4096,
        backingBytes: 2_097_152,
        leftOut: [],
        stagesS: { CREATE: 3.716808738, UPDATE: 20.703433383, ADJUST: 0.163958492 },
      },
    ]);
  });

  it("reads dirty_log_perf_test, and what it does not print from its command line", () => {
    const text = `$ ./dirty_log_perf_test -m 0 -g -b 32M -v2 -s anonymous_hugetlb_2mb -i 2 -x 4\n${DIRTY_LOG}`;
    const run = {
      kind: "dirty_log_perf_test",
      memoryBytes: 67_108_864,
      pageBytes: 4096,
      dirtyS: [7.446208233, 8.691030746],
      getS: [0.037596941, 0.055578888],
      clearS: [],
      enableS: 0.008002298,
      disableS: 0.000562596,
      leftOut: [],
      writeShare: 1,
    };
    expect(readSelftestRuns(text, "log")).toEqual([
      { ...run, name: "log:3", vcpus: 2, backingBytes: 2_097_152, slots: 4 },
    ]);
    expect(readSelftestRuns(DIRTY_LOG, "log")).toEqual([
      { ...run, name: "log:2", vcpus: undefined, backingBytes: undefined, slots: 1 },
    ]);
    expect(readSelftestRuns(DIRTY_LOG, "log", 8)[0]!.vcpus).toBe(8);
  });

  it("reads many runs behind each other, Windows line ends too, and does not lend one's command to the next", () => {
    const text =
      `kvm_page_table_test -b 1G -v 1\n${PAGE_TABLE}dirty_log_perf_test -f 4 -v 4\n${DIRTY_LOG}${DIRTY_LOG}`.replaceAll(
        "\n",
        "\r\n",
      );
    const runs = readSelftestRuns(text, "all");
    expect(runs.map(({ kind, vcpus }) => [kind, vcpus])).toEqual([
      ["kvm_page_table_test", 2],
      ["dirty_log_perf_test", 4],
      ["dirty_log_perf_test", undefined],
    ]);
    expect(runs.slice(1)).toMatchObject([{ writeShare: 0.25 }, { writeShare: 1 }]);
  });

  it("keeps lines with times that it does not know", () => {
    const [run] = readSelftestRuns(`${PAGE_TABLE}Dancing time: 3.000000000s\n`, "x");
    expect(run!.leftOut).toEqual(["Dancing time: 3.000000000s"]);
  });

  it("leaves out what has no size or no time, and ends a list at a gap", () => {
    expect(() =>
      readSelftestRuns("Testing guest mode: PA-bits:40,  VA-bits:48,  4K pages\n", "x"),
    ).toThrow("no output of");
    const gap = DIRTY_LOG.replace(/^Iteration 1 dirty.*\n/m, "");
    expect(readSelftestRuns(gap, "x")).toMatchObject([
      { dirtyS: [], getS: [0.037596941, 0.055578888] },
    ]);
  });

  it("refuses anything else, and never fails otherwise", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => readSelftestRuns(text, "x")).toThrow("no output of");
      }),
    );
  });
});
