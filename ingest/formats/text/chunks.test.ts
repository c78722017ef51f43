import { fileURLToPath } from "node:url";

import * as fc from "fast-check";
import { expect, it } from "vitest";

import { readText } from "../../testing/read-text.ts";

const probes = fileURLToPath(
  new URL("../../../fixtures/captures/tiny-612/kprobes.txt", import.meta.url),
);

const UNMAP = "(ffff80008009f688) pgt=0xfff00000c112bcc0 mmu=0x0 addr=0x180000 size=0x1000";

const REPORT = {
  first: "cpus=2\n",
  event: (text: string): string => `            vcpu-600   [001] d....    34.478548: ${text}\n`,
  pieces: ["CPU:0 [EVENTS DROPPED]\n", "=> symbol (ffff80008009f688)\n", "no event\r\n"],
};
const PERF = {
  first: "# ========\n",
  event: (text: string): string => `     [guest/597]     599 [001]    66.093409: kvm_s2:${text}\n`,
  pieces: ["\tffff80008009f688 f (k)\n", "Processed 2 events and lost 3 chunks!\n", "no event\r\n"],
};

for (const [inputFormat, { first, event, pieces }] of [
  ["trace-cmd-report", REPORT],
  ["perf-script", PERF],
] as const) {
  it(`${inputFormat} gives the same whatever the sizes of the chunks`, async () => {
    const all = [
      ...pieces,
      "\n",
      event(`unmap: ${UNMAP}`),
      event("unmap_ret: (ffff80008009f688 <- ffff800080060b90) ret=0"),
      event("unmap: (ffff80008009f688) pgt=0x1 addr=oops size=0x1"),
      event("print: text"),
      `${"long ".repeat(14_000)}\n`,
      "last line without end",
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...all), { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 8 }),
        async (lines, sizes) => {
          const text = first + event(`unmap: ${UNMAP}`) + lines.join("");
          const options = { inputFormat, probes };
          const cut = await readText(text, sizes, options);
          expect(cut).toEqual(await readText(text, [1 << 20], options));
          expect(cut.rows.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 40 },
    );
  });
}
