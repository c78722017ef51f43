import { describe, expect, it } from "vitest";
import { decodeTlbi, type TlbiClass } from "./guest-tlbi.ts";

/** Op1, CRn 8, CRm, Op2 of the Arm ARM's TLBI pages (DDI 0487, C5.5), typed from there. */
const FORMS: readonly (readonly [name: string, op1: number, crm: number, op2: number])[] = [
  ["ipas2e1is", 4, 0, 1],
  ["ripas2e1is", 4, 0, 2],
  ["ipas2le1is", 4, 0, 5],
  ["ripas2le1is", 4, 0, 6],
  ["ipas2e1os", 4, 4, 0],
  ["ipas2e1", 4, 4, 1],
  ["ripas2e1", 4, 4, 2],
  ["ripas2e1os", 4, 4, 3],
  ["ipas2le1os", 4, 4, 4],
  ["ipas2le1", 4, 4, 5],
  ["ripas2le1", 4, 4, 6],
  ["ripas2le1os", 4, 4, 7],
  ["alle2os", 4, 1, 0],
  ["vae2os", 4, 1, 1],
  ["alle1os", 4, 1, 4],
  ["vale2os", 4, 1, 5],
  ["vmalls12e1os", 4, 1, 6],
  ["rvae2is", 4, 2, 1],
  ["rvale2is", 4, 2, 5],
  ["alle2is", 4, 3, 0],
  ["vae2is", 4, 3, 1],
  ["alle1is", 4, 3, 4],
  ["vale2is", 4, 3, 5],
  ["vmalls12e1is", 4, 3, 6],
  ["rvae2os", 4, 5, 1],
  ["rvale2os", 4, 5, 5],
  ["rvae2", 4, 6, 1],
  ["rvale2", 4, 6, 5],
  ["alle2", 4, 7, 0],
  ["vae2", 4, 7, 1],
  ["alle1", 4, 7, 4],
  ["vale2", 4, 7, 5],
  ["vmalls12e1", 4, 7, 6],
  ["vmalle1os", 0, 1, 0],
  ["vae1os", 0, 1, 1],
  ["aside1os", 0, 1, 2],
  ["vaae1os", 0, 1, 3],
  ["vale1os", 0, 1, 5],
  ["vaale1os", 0, 1, 7],
  ["rvae1is", 0, 2, 1],
  ["rvaae1is", 0, 2, 3],
  ["rvale1is", 0, 2, 5],
  ["rvaale1is", 0, 2, 7],
  ["vmalle1is", 0, 3, 0],
  ["vae1is", 0, 3, 1],
  ["aside1is", 0, 3, 2],
  ["vaae1is", 0, 3, 3],
  ["vale1is", 0, 3, 5],
  ["vaale1is", 0, 3, 7],
  ["rvae1os", 0, 5, 1],
  ["rvaae1os", 0, 5, 3],
  ["rvale1os", 0, 5, 5],
  ["rvaale1os", 0, 5, 7],
  ["rvae1", 0, 6, 1],
  ["rvaae1", 0, 6, 3],
  ["rvale1", 0, 6, 5],
  ["rvaale1", 0, 6, 7],
  ["vmalle1", 0, 7, 0],
  ["vae1", 0, 7, 1],
  ["aside1", 0, 7, 2],
  ["vaae1", 0, 7, 3],
  ["vale1", 0, 7, 5],
  ["vaale1", 0, 7, 7],
];

describe("emulated TLBIs", () => {
  it.each(FORMS)("%s", (name, op1, crm, op2) => {
    const found = decodeTlbi(op1, 8, crm, op2)!;
    expect(found.name).toBe(name);
    expect(found.shareability).toBe(/(is|os)?$/.exec(name)?.[1] ?? "nsh");
    expect(found.class).toBe(classOf(name));
    expect(found.isLastLevel).toBe(/ipas2l|val|vaal/.test(name));
    // KVM executes or emulates the inner-shareable form for every one of them.
    expect(found.upgraded).toBe(`${name.replace(/(is|os)$/, "")}is`);
    expect(decodeTlbi(op1, 9, crm, op2)).toEqual({
      ...found,
      name: `${name}nxs`,
      isNxs: true,
    });
  });

  it("names every encoding once, and no other", () => {
    const known = new Set(FORMS.map(([, op1, crm, op2]) => `${op1}/${crm}/${op2}`));
    expect(known.size).toBe(FORMS.length);
    for (const op1 of [0, 1, 2, 3, 4, 5, 6, 7]) {
      for (let crm = 0; crm < 16; crm += 1) {
        for (let op2 = 0; op2 < 8; op2 += 1) {
          const isKnown = decodeTlbi(op1, 8, crm, op2) !== undefined;
          expect(isKnown).toBe(known.has(`${op1}/${crm}/${op2}`));
        }
      }
    }
    expect(decodeTlbi(4, 7, 0, 1)).toBeUndefined();
    expect(decodeTlbi(Number.NaN, 8, 0, 1)).toBeUndefined();
  });
});

function classOf(name: string): TlbiClass {
  if (name.startsWith("ipas2")) return "ipas2";
  if (name.startsWith("ripas2")) return "ripas2";
  if (name.startsWith("vmalls12")) return "vmalls12";
  if (name.startsWith("alle1")) return "alle1";
  return /e2(is|os)?$/.test(name) ? "el2" : "stage1";
}
