import * as fc from "fast-check";
import { expect, it } from "vitest";

import { eventLine, readText } from "../../testing/read-text.ts";

const pieces = [
  "# tracer: nop\n",
  "# entries-in-buffer/entries-written: 3/9   #P:2\n",
  "##### CPU 1 buffer started ####\n",
  "CPU:0 [LOST 5 EVENTS]\n",
  eventLine(
    "map: (kvm_pgtable_stage2_map+0x0/0x1a0) pgt=0xfff00000c112bcc0 mmu=0x0 addr=0x180000 size=0x1000 phys=0x1028d3000 prot=0x7 flags=0x0",
  ),
  eventLine("unmap_ret: (stage2_apply_range+0xd8/0x110 <- kvm_pgtable_stage2_unmap) ret=0"),
  eventLine(
    "kvm_guest_fault: ipa 0xffffffe000, hsr 0x93d9804f, hxfar 0xc00ff000, pc 0x400b70",
    "2.5".padEnd(8, "0"),
  ),
  eventLine("tracing_mark_write: text"),
  eventLine("unmap: (kvm_pgtable_stage2_unmap+0x0/0x70) pgt=0x1 addr=oops size=0x1"),
  "continued\r\n",
  "\n",
  `${"long ".repeat(14_000)}\n`,
  " => symbol\n",
  "last line without end",
];

const SHORT = ["abc\n", "abcdefgh\n", "0123456789abcde\n", "-7  [000] 1.000000: x\n"];
const HOSTILE = ["-7 [000] 1.0: x", "-1   0d.... 5us", "CPU:0 [LOST 5"];
const latency = (text: string, comm = "kvm_page"): string =>
  `${comm.slice(0, 8).padStart(8)}-599       0d.... 11768067us#: ${text}\n`;
const UNMAP =
  "unmap: (kvm_pgtable_stage2_unmap+0x0/0x70) pgt=0xfff00000c112bcc0 addr=0x0 size=0x1000";

/** The first line decides the layout; the others stand in any order. */
const LAYOUTS: readonly (readonly [string, string, readonly string[]])[] = [
  [
    "default, with short lines and hostile comms",
    eventLine(UNMAP),
    [...SHORT, ...HOSTILE.map((comm) => eventLine(UNMAP, "1.000000", 7, 0, comm))],
  ],
  [
    "latency format",
    latency(UNMAP),
    [...SHORT, ...HOSTILE.map((comm) => latency(UNMAP, comm)), latency("tracing_mark_write: x")],
  ],
  [
    "fields",
    eventLine("kvm_access_fault: ipa=0x1000 (4096)"),
    [
      ...SHORT,
      eventLine("kvm_access_fault: ipa=0x2000 (8192)"),
      eventLine("UNKNOWN TYPE 5"),
      eventLine("kvm_access_fault: ipa=text"),
    ],
  ],
  [
    "quoted",
    `> ${eventLine(UNMAP)}`,
    [...SHORT.map((line) => `> ${line}`), `> ${latency(UNMAP)}`, ">\n", `> ${eventLine(UNMAP)}`],
  ],
];

it.each(LAYOUTS)(
  "gives the same whatever the sizes of the chunks: %s",
  async (_, first, others) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...others), { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 8 }),
        async (lines, sizes) => {
          const text = first.repeat(20) + lines.join("");
          expect(await readText(text, sizes)).toEqual(await readText(text, [1 << 20]));
        },
      ),
      { numRuns: 40 },
    );
  },
);

it("gives the same whatever the sizes of the chunks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 8 }),
      async (lines, sizes) => {
        const text = eventLine("kvm_entry: PC: 0x0") + lines.join("");
        expect(await readText(text, sizes)).toEqual(await readText(text, [1 << 20]));
      },
    ),
    { numRuns: 60 },
  );
});
