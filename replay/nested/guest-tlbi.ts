/**
 * TLB maintenance instructions that a guest hypervisor executes at virtual EL2 and KVM emulates, by the
 * encoding of the trapped SYS instruction (Arm ARM, C5.5; Op0 is 1 for all).
 */

/** What an instruction means for shadow tables. */
export const TLBI_CLASSES = [
  /** By IPA, stage 2: IPAS2E1*, IPAS2LE1*. */
  "ipas2",
  /** A range of IPAs: RIPAS2E1*, RIPAS2LE1*. */
  "ripas2",
  /** A VMID, both stages. */
  "vmalls12",
  /** Every VMID. */
  "alle1",
  /** Stage 1 of the nested guest: VAE1*, RVAE1*, ASIDE1*, VMALLE1*, …. */
  "stage1",
  /** The guest hypervisor's own: VAE2*, ALLE2*, …. */
  "el2",
] as const;
export type TlbiClass = (typeof TLBI_CLASSES)[number];

export type Shareability = "is" | "os" | "nsh";

export interface GuestTlbi {
  /** As the Arm ARM writes it, in lower case: `ipas2e1is`, `ripas2le1osnxs`. */
  readonly name: string;
  readonly class: TlbiClass;
  readonly shareability: Shareability;
  /** The nXS variant, which need not wait for accesses with the XS attribute. */
  readonly isNxs: boolean;
  /** Only leaves of the last level need go; KVM does not tell it apart. */
  readonly isLastLevel: boolean;
  /** What KVM executes or emulates in its place: inner shareable, XS. */
  readonly upgraded: string;
}

/** Name without shareability, and the shareability, by CRm of Op1 4. */
type Row = readonly [stem: string, shareability: Shareability] | undefined;

const IPA_FORMS: Readonly<Record<number, readonly Row[]>> = {
  0: byOp2({ 1: "ipas2e1", 5: "ipas2le1", 2: "ripas2e1", 6: "ripas2le1" }, "is"),
  4: merged(
    byOp2({ 0: "ipas2e1", 4: "ipas2le1", 3: "ripas2e1", 7: "ripas2le1" }, "os"),
    byOp2({ 1: "ipas2e1", 5: "ipas2le1", 2: "ripas2e1", 6: "ripas2le1" }, "nsh"),
  ),
};

const EL2_ALL = { 0: "alle2", 1: "vae2", 4: "alle1", 5: "vale2", 6: "vmalls12e1" };
const EL2_RANGE = { 1: "rvae2", 5: "rvale2" };
const EL1_ALL = { 0: "vmalle1", 1: "vae1", 2: "aside1", 3: "vaae1", 5: "vale1", 7: "vaale1" };
const EL1_RANGE = { 1: "rvae1", 3: "rvaae1", 5: "rvale1", 7: "rvaale1" };

const EL2_FORMS: Readonly<Record<number, readonly Row[]>> = {
  ...IPA_FORMS,
  1: byOp2(EL2_ALL, "os"),
  2: byOp2(EL2_RANGE, "is"),
  3: byOp2(EL2_ALL, "is"),
  5: byOp2(EL2_RANGE, "os"),
  6: byOp2(EL2_RANGE, "nsh"),
  7: byOp2(EL2_ALL, "nsh"),
};
const EL1_FORMS: Readonly<Record<number, readonly Row[]>> = {
  1: byOp2(EL1_ALL, "os"),
  2: byOp2(EL1_RANGE, "is"),
  3: byOp2(EL1_ALL, "is"),
  5: byOp2(EL1_RANGE, "os"),
  6: byOp2(EL1_RANGE, "nsh"),
  7: byOp2(EL1_ALL, "nsh"),
};

/** CRn: 8, and 9 for the nXS variants. */
const CRN = 8;
const CRN_NXS = 9;

/** The instruction of an encoding; undefined for one that is no TLBI of these. */
export function decodeTlbi(
  op1: number,
  crn: number,
  crm: number,
  op2: number,
): GuestTlbi | undefined {
  if ((crn !== CRN && crn !== CRN_NXS) || (op1 !== 0 && op1 !== 4)) return undefined;
  const row = (op1 === 0 ? EL1_FORMS : EL2_FORMS)[crm]?.[op2];
  if (row === undefined) return undefined;
  const [stem, shareability] = row;
  const isNxs = crn === CRN_NXS;
  return {
    name: `${stem}${shareability === "nsh" ? "" : shareability}${isNxs ? "nxs" : ""}`,
    class: classOf(stem),
    shareability,
    isNxs,
    isLastLevel: /^(?:r?ipas2l|r?va+l)/.test(stem),
    upgraded: `${stem}is`,
  };
}

function classOf(stem: string): TlbiClass {
  if (stem.startsWith("ipas2")) return "ipas2";
  if (stem.startsWith("ripas2")) return "ripas2";
  if (stem === "vmalls12e1") return "vmalls12";
  if (stem === "alle1") return "alle1";
  return stem.endsWith("e2") ? "el2" : "stage1";
}

function byOp2(
  names: Readonly<Record<number, string>>,
  shareability: Shareability,
): readonly Row[] {
  return Array.from({ length: 8 }, (_, op2): Row => {
    const stem = names[op2];
    return stem === undefined ? undefined : [stem, shareability];
  });
}

function merged(one: readonly Row[], other: readonly Row[]): readonly Row[] {
  return one.map((row, op2) => row ?? other[op2]);
}
