/**
 * What a test driver's marker says, as arg1 of its row (`arg2`: number of the VM, or of the nested guest):
 * accesses to come (`addr`, `len` between them, `arg0` of them), of the guest or of its nested guest;
 * another operation on a VM; which nested guest is next; a nested driver begins.
 */
export const MarkerOp = {
  read: 0,
  write: 1,
  nestedRead: 2,
  nestedWrite: 3,
  onVm: 4,
  nestedContext: 5,
  nestedStart: 6,
} as const;
