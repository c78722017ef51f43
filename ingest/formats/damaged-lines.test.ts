import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readText } from "../testing/read-text.ts";

const ARGS = "pgt=0xfff00000c112bcc0 addr=0x180000 size=0x200000";
const LINES = 12;

interface Layout {
  readonly name: string;
  readonly head: string;
  /** The n-th event. */
  readonly line: (n: number) => string;
}

const us = (n: number): string => `360.${String(n).padStart(6, "0")}`;
const LAYOUTS: readonly Layout[] = [
  {
    name: "bpftrace",
    head: "Attaching 3 probes...\n",
    line: (n) => `s2| ${5_000_000_000 + n} 1 7 kprobe:kvm_pgtable_stage2_unmap ${ARGS} | vcpu 0\n`,
  },
  {
    name: "bpftrace -f json",
    head: '{"type": "attached_probes", "data": {"probes": 3}}\n',
    line: (n) =>
      `{"type": "printf", "data": "s2| ${5_000_000_000 + n} 1 7 kprobe:kvm_pgtable_stage2_unmap ${ARGS} | vcpu 0\\n"}\n`,
  },
  {
    name: "function_graph",
    head: "# tracer: function_graph\n#\n#     TIME        CPU  TASK/PID         DURATION                  FUNCTION CALLS\n",
    line: (n) =>
      `  ${us(n)} |   1)   vcpu-4802    |               |  kvm_pgtable_stage2_unmap(${ARGS.replaceAll(" ", ", ")}) {\n`,
  },
  {
    name: "perf script",
    head: "",
    line: (n) =>
      `            vcpu     599 [001]   ${us(n)}: kvm:u: (kvm_pgtable_stage2_unmap+0x0/0x70) ${ARGS}\n`,
  },
  {
    name: "ftrace",
    head: "",
    line: (n) =>
      `            vcpu-599     [001] d....   ${us(n)}: u: (kvm_pgtable_stage2_unmap+0x0/0x70) ${ARGS}\n`,
  },
];

describe("a damaged line", () => {
  for (const { name, head, line } of LAYOUTS) {
    it(`takes no other event with it, and is not dropped silently: ${name}`, async () => {
      const lines = Array.from({ length: LINES }, (_, n) => line(n));
      const damage = fc.record({
        // Times count from the first.
        at: fc.integer({ min: 1, max: LINES - 1 }),
        place: fc.nat(line(0).length - 2),
        bytes: fc
          .string({ unit: "binary-ascii", minLength: 1, maxLength: 4 })
          .filter((text) => !/[\n\0]/.test(text)),
        cut: fc.nat(6),
      });
      await fc.assert(
        fc.asyncProperty(damage, async ({ at, place, bytes, cut }) => {
          const hurt = lines.map((text, n) =>
            n === at
              ? `${text.slice(0, -1).slice(0, place)}${bytes}${text.slice(0, -1).slice(place + cut)}\n`
              : text,
          );
          const { rows, counts, info } = await readText(head + hurt.join(""));
          const first = head === "" ? 1 : head.split("\n").length;
          for (let n = 0; n < LINES; n += 1) {
            if (n === at) continue;
            const row = rows.find(
              ({ line: found, kind }) => found === first + n && kind !== "lost",
            );
            expect(row).toMatchObject({ kind: "unmap", addr: 0x180000, len: 0x200000 });
          }
          const silent = ["ASSUMED", "TIME_BACKWARDS", "HEADER_DISAGREES"];
          const said = Object.keys(counts).some((code) => !silent.includes(code));
          expect(info.events === LINES || said).toBe(true);
        }),
        { numRuns: 60 },
      );
    });
  }
});
