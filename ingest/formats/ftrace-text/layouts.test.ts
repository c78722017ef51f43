import { describe, expect, it } from "vitest";

import { openTrace } from "../../open-trace.ts";
import { eventLine, inChunks, readText } from "../../testing/read-text.ts";

/** Of a text that is said to be ftrace's: other formats of the same family are read where they are recognised. */
async function refusal(text: string): Promise<unknown> {
  const bytes = Buffer.from(text, "latin1");
  return openTrace("-", {
    stdin: inChunks(bytes, [65536]),
    inputFormat: "ftrace-text",
  }).then(
    () => "read",
    (error: unknown) => error,
  );
}

const NOP = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 2/2   #P:2\n#\n";

const FOREIGN: readonly (readonly [string, string])[] = [
  ["raw", `${NOP}599 0 34356476975 type: 52\n599 0 34365077503 type: 1563\n`],
  ["hexadecimal", `${NOP}0000312f 00000000 000000dc502e1eb6 type: 372\n\n`],
  [
    "no file beside it says which function",
    `${NOP}${eventLine("free_pgd: __probe_ip=0xffff800080062648 (-140735340468664) mmu=0xffff80008257d9c8 (-140735301559864)")}`,
  ],
  ["only the numbers of the event types", `${NOP}599 0 34356476975 type: 52\n`],
  ["only the numbers of the event types", "599 0 34356476975 type: 52\n"],
  ["only the numbers of the event types", "0000312f 00000000 000000dc502e1eb6 type: 372\n\n"],
  ["no time, no CPU and no pid", `${NOP}kvm_entry: PC: 0x0\nkvm_exit: TRAP\n`],
  ["binary trace", `# tracer: nop\n#\n\x00\x01\x02`],
  ["without context", `${NOP}kvm_entry: PC: 0x0\nkvm_exit: TRAP\n`],
  [
    "function tracer",
    "# tracer: function\n#\n            sh-1       [000] d....     1.000000: schedule <-do_idle\n",
  ],
  ["function_graph", "# tracer: function_graph\n#\n 0)   0.178 us    |  f();\n"],
  ["function_graph", " 0)   0.178 us    |  f();\n 1) + 12.178 us   |  g();\n"],
  ["function_graph", "    5.123456 |   0)   0.541 us    |  f();\n    5.123457 |   0)   |  g() {\n"],
  ["function_graph", "   0.541 us    |  f();\n + 12.1 us    |  }\n"],
  ["function tracer", eventLine("kvm_tlb_flush_vmid_range <-kvm_arch_flush_remote_tlbs_range")],
  [
    "function tracer",
    eventLine("f [kvm] <-g [kvm]") + eventLine("kvm_entry: PC: 0x0 x") + eventLine("f <-g"),
  ],
  [
    "trace-cmd report",
    `cpus=2\n kvm_page_table_-599   [000]    34.429033: unmap: (ffff800080060bc8) mmu=0x1\n`,
  ],
  [
    "trace-cmd report",
    ` kvm_page_table_-599   [000] d....    34.429033: unmap:                (ffff800080060bc8) mmu=0x1\n`,
  ],
  [
    "trace-cmd report",
    ` kvm_page_table_-599   [000] d....    34.429033: kvm_entry:            PC: 0x400b70\n`,
  ],
  [
    "trace-cmd report -R",
    ` kvm_page_table_-599   [000]-0x1    34.429033: unmap_range:           __probe_ip=ffff800080060bc8 mmu=0x1 start=0x180000\n`,
  ],
  [
    "perf script",
    " kvm_page_table_     597 [000]    65.795958:           kvm:kvm_entry: PC: 0x0\n",
  ],
];

describe("layouts that are not read", () => {
  for (const [name, text] of FOREIGN) {
    it(`are refused by name: ${name} (${text.length} bytes)`, async () => {
      expect(await refusal(text)).toMatchObject({
        code: "UNSUPPORTED_LAYOUT",
        message: expect.stringContaining(name),
        hint: expect.any(String),
      });
    });
  }

  it("may stand in a marker without spoiling the trace", async () => {
    const marker = eventLine("tracing_mark_write: kvm: __probe_ip=0x1 (1)");
    const other = eventLine("tracing_mark_write: __probe_ip=0x1 (1)");
    const { rows, info } = await readText(NOP + marker + other + eventLine("kvm_entry: PC: 0x0"));
    expect(rows).toHaveLength(3);
    expect(info.layout).not.toContain("fields");
  });
});

describe("variants of the default layout", () => {
  const entry = eventLine("kvm_entry: PC: 0x0");
  const cases: readonly (readonly [string, string])[] = [
    [NOP + entry, "default layout, irq-info on (5 letters), no TGID column"],
    [entry, "default layout without header, irq-info on (5 letters), no TGID column"],
    [
      entry.replace("d....", "d..."),
      "default layout without header, irq-info on (4 letters), no TGID column",
    ],
    [entry.replace(" d.... ", " "), "default layout without header, no irq-info, no TGID column"],
    [
      entry.replace("[000]", "(     12) [000]"),
      "default layout without header, irq-info on (5 letters), TGID column",
    ],
    [NOP, "default layout, no event seen"],
  ];
  for (const [text, layout] of cases) {
    it(`are read: ${layout}`, async () => {
      const { info, rows } = await readText(text);
      expect(info.layout).toBe(layout);
      expect(rows.map(({ kind }) => kind)).toEqual(text.includes("kvm_entry") ? ["kvm_entry"] : []);
    });
  }
});
