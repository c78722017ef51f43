/**
 * The syndrome of a stage-2 abort as `kvm_guest_fault` prints it (Arm ARM, ESR_EL2): class in bits 31:26,
 * of a data abort WnR in bit 6, S1PTW in bit 7, fault status code in bits 5:0.
 */
export const FaultKind = { translation: 1, access: 2, permission: 3 } as const;

const TRANSLATION_LEVEL_MINUS_1 = 0x2b;

/** FaultKind of a status code; 0 for any other fault (external abort, TLB conflict, …). */
export function faultKindOf(syndrome: number): number {
  const status = syndrome & 0x3f;
  if (status === TRANSLATION_LEVEL_MINUS_1) return FaultKind.translation;
  const kind = status >>> 2;
  return kind >= FaultKind.translation && kind <= FaultKind.permission ? kind : 0;
}

/** Level at which the hardware's walk ended: 0 to 3; -1 with LPA2's fifth level. */
export function faultLevelOf(syndrome: number): number {
  const status = syndrome & 0x3f;
  return status === TRANSLATION_LEVEL_MINUS_1 ? -1 : status & 0b11;
}

const DATA_ABORT_FROM_GUEST = 0x24;
const WRITE = 1 << 6;
const STAGE_1_WALK = 1 << 7;

/** A data abort of a store; of a stage-1 walk's own access WnR says nothing. */
export function isStore(syndrome: number): boolean {
  const isDataAbort = Math.floor(syndrome / 2 ** 26) % 64 === DATA_ABORT_FROM_GUEST;
  return isDataAbort && (syndrome & WRITE) !== 0 && (syndrome & STAGE_1_WALK) === 0;
}
