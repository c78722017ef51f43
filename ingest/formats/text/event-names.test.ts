import * as fc from "fast-check";
import { expect, it } from "vitest";

import { NameTable } from "../../events/names.ts";
import { literal } from "../bytes.ts";
import { READ_AHEAD_BYTES } from "../words.ts";
import { EventNames } from "./event-names.ts";

function hashOf(text: string): number {
  let hash = 0;
  for (const byte of literal(text)) hash = (Math.imul(hash, 31) + byte) | 0;
  return hash;
}

it("recalls a name only where it stands, with its colon and blank", () => {
  const name = fc.constantFrom(
    "map",
    "map_ret",
    "ma",
    "kvm_exit",
    "kvm_exit_x",
    "kvm:kvm_exit",
    "k",
  );
  const behind = fc.constantFrom(": ", ":", "; ", ":x", " ");
  const text = fc.constantFrom("(f+0x0/0x1) a=1", "", "TRAP: x", "vcpu 0");
  const lines = fc.array(fc.tuple(name, behind, text), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(lines, (events) => {
      const names = new EventNames(new NameTable());
      for (const [known, after, rest] of events) {
        const bytes = literal(`${known}${after}${rest}\n${"#".repeat(READ_AHEAD_BYTES)}`);
        const found = names.recall(bytes, 0);
        if (found !== undefined) {
          expect(`${known}${after}${rest}`.startsWith(`${textOf(found.bytes)}: `)).toBe(true);
        }
        const interned = names.intern(bytes, 0, known.length, hashOf(known));
        if (after !== ": ") continue;
        names.remember(bytes, 0, interned);
        expect(names.recall(bytes, 0)).toBe(interned);
      }
    }),
  );
});

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
