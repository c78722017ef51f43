export const KIB = 1024;
export const MIB: number = 2 ** 20;
export const GIB: number = 2 ** 30;
export const TIB: number = 2 ** 40;

/** enum kvm_pgtable_prot before 7.0. */
export const PROT = { x: 1, r: 4, rx: 5, rw: 6, rwx: 7, device: 14 } as const;
export const EAGAIN = -11;

/** Fault status codes, bits 5:2 (the level is in bits 1:0). */
export const FAULT_KIND = { translation: 0b0001, access: 0b0010, permission: 0b0011 } as const;
export type FaultKind = keyof typeof FAULT_KIND;
