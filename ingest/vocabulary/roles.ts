/**
 * Roles an argument of a probed kernel function can play: the names people give it, the column it
 * fills and how its text becomes that column's value. This is the alias table; the functions that take
 * each role are in `functions.ts`.
 *
 * A name may belong to several roles (`start` is bytes in one function and pages in another, `flags`
 * means three things): which one applies is decided by the function, never by the name alone.
 */

/** Columns an argument can fill. `mmu+kvm` and `end` are not columns: see their roles. */
export type TargetColumn =
  | "pgt"
  | "mmu"
  | "kvm"
  | "mmu+kvm"
  | "addr"
  | "len"
  | "end"
  | "phys"
  | "prot"
  | "arg0"
  | "arg1"
  | "arg2"
  | "arg3"
  | "arg1+arg2";

/**
 * How the printed value is read. Kernel registers carry garbage above a narrow argument's width
 * (AAPCS64 does not clear it), and a probe may have been declared wider than the argument is, so
 * narrow arguments are cut to their width.
 */
export type ValueReading =
  /** A kernel pointer, interned. */
  | "pointer"
  /** An unsigned quantity; what a double cannot hold exactly is refused. */
  | "quantity"
  /** 64 bits as two unsigned 32-bit halves. */
  | "bits64"
  /** `int`, `enum`: low 32 bits, signed. */
  | "int32"
  /** `u32`: low 32 bits. */
  | "uint32"
  /** `bool`: low 8 bits, 0 or 1. */
  | "bool"
  /** `symbol+0x0/0x70`: index of APPLIED_FUNCTIONS. */
  | "symbol";

export interface ArgumentRole {
  readonly names: readonly string[];
  readonly column: TargetColumn;
  readonly reading: ValueReading;
}

export type RoleName =
  | "pgt"
  | "mmu"
  | "kvm"
  | "object"
  | "address"
  | "length"
  | "end"
  | "gfn"
  | "pages"
  | "endGfn"
  | "physical"
  | "prot"
  | "walkFlags"
  | "mkold"
  | "level"
  | "applied"
  | "returned"
  | "gfnOffset"
  | "mask"
  | "change"
  | "oldFlags"
  | "newFlags"
  | "slotId"
  | "userspace"
  | "newPages"
  | "root"
  | "oldSpte"
  | "newSpte"
  | "addressSpace"
  | "request"
  | "kicks"
  | "requests"
  | "operand"
  | "op1"
  | "crn"
  | "crm"
  | "op2"
  | "vmid"
  | "vttbr"
  | "guestVmid"
  | "nestedIpa"
  | "guestOutput"
  | "returnedSize"
  | "returnedMmu";

const ADDRESS_NAMES = ["addr", "ipa", "start", "gpa", "fault_ipa", "base", "guest_ipa"] as const;
const PAGE_ADDRESS_NAMES = [
  "gfn",
  "base_gfn",
  "start_gfn",
  "gfn_start",
  "start",
  "new_base_gfn",
] as const;
const LENGTH_NAMES = ["size", "len", "length", "bytes"] as const;
const PAGE_COUNT_NAMES = ["pages", "nr_pages", "npages", "new_npages", "size", "len"] as const;

export const ARGUMENT_ROLES: Readonly<Record<RoleName, ArgumentRole>> = {
  pgt: { names: ["pgt", "pgtable"], column: "pgt", reading: "pointer" },
  mmu: { names: ["mmu", "s2_mmu"], column: "mmu", reading: "pointer" },
  kvm: { names: ["kvm"], column: "kvm", reading: "pointer" },
  /**
   * First argument of stage2_apply_range under a neutral name: struct kvm until 6.1, struct
   * kvm_s2_mmu later. It fills both columns; the consumer knows which of them it has seen before.
   */
  object: { names: ["obj"], column: "mmu+kvm", reading: "pointer" },
  address: { names: ADDRESS_NAMES, column: "addr", reading: "quantity" },
  length: { names: LENGTH_NAMES, column: "len", reading: "quantity" },
  /** Exclusive end in the unit of the address: `len` becomes end - addr. */
  end: { names: ["end", "end_addr", "end_ipa"], column: "end", reading: "quantity" },
  gfn: { names: PAGE_ADDRESS_NAMES, column: "addr", reading: "quantity" },
  pages: { names: PAGE_COUNT_NAMES, column: "len", reading: "quantity" },
  endGfn: { names: ["end", "end_gfn", "gfn_end"], column: "end", reading: "quantity" },
  physical: { names: ["phys", "pa", "hpa"], column: "phys", reading: "quantity" },
  prot: { names: ["prot"], column: "prot", reading: "bits64" },
  walkFlags: { names: ["flags", "walk_flags"], column: "arg0", reading: "uint32" },
  mkold: { names: ["mkold"], column: "arg0", reading: "bool" },
  level: { names: ["level"], column: "arg0", reading: "int32" },
  applied: { names: ["fn", "func"], column: "arg0", reading: "symbol" },
  returned: { names: ["ret", "retval", "rc"], column: "arg0", reading: "int32" },
  gfnOffset: { names: ["gfn_offset", "offset"], column: "arg0", reading: "quantity" },
  mask: { names: ["mask"], column: "arg1+arg2", reading: "bits64" },
  change: { names: ["change"], column: "arg0", reading: "int32" },
  oldFlags: { names: ["old_flags"], column: "arg1", reading: "uint32" },
  newFlags: { names: ["flags", "new_flags"], column: "arg2", reading: "uint32" },
  slotId: { names: ["id", "slot_id"], column: "arg3", reading: "int32" },
  /** Host-virtual address of a memslot. */
  userspace: { names: ["hva", "userspace_addr"], column: "phys", reading: "quantity" },
  /** Pages of the slot that is made; on x86 5.10 `size` stands beside it, in bytes. */
  newPages: { names: PAGE_COUNT_NAMES.slice(0, 4), column: "len", reading: "quantity" },
  // x86 TDP MMU.
  root: { names: ["root"], column: "pgt", reading: "pointer" },
  oldSpte: { names: ["old_spte"], column: "arg1+arg2", reading: "bits64" },
  newSpte: { names: ["new_spte"], column: "prot", reading: "bits64" },
  addressSpace: { names: ["as_id"], column: "arg3", reading: "int32" },
  request: { names: ["req"], column: "arg0", reading: "int32" },
  kicks: { names: ["remote_tlb_flush"], column: "arg0", reading: "quantity" },
  requests: { names: ["requests"], column: "arg1", reading: "quantity" },
  /** Register operand of a guest's TLBI, and the instruction's encoding. */
  operand: { names: ["regval", "val", "info0"], column: "arg1+arg2", reading: "bits64" },
  op1: { names: ["op1", "Op1"], column: "addr", reading: "quantity" },
  crn: { names: ["crn", "CRn"], column: "len", reading: "quantity" },
  crm: { names: ["crm", "CRm"], column: "phys", reading: "quantity" },
  op2: { names: ["op2", "Op2"], column: "arg3", reading: "quantity" },
  /** Hardware VMID of a stage-2 context. */
  vmid: { names: ["vmid"], column: "arg3", reading: "uint32" },
  /** VTTBR that a shadow context stands for. */
  vttbr: { names: ["vttbr", "tlb_vttbr"], column: "prot", reading: "bits64" },
  /** VMID that a guest hypervisor uses. */
  guestVmid: { names: ["guest_vmid", "vmid"], column: "arg0", reading: "uint32" },
  nestedIpa: { names: ["gipa", "ipa", "addr"], column: "addr", reading: "quantity" },
  /** Output of the guest's stage 2: struct kvm_s2_trans. */
  guestOutput: { names: ["output", "l1_ipa"], column: "phys", reading: "quantity" },
  returnedSize: { names: ["size", "ret", "retval"], column: "len", reading: "quantity" },
  returnedMmu: { names: ["mmu", "ret", "retval"], column: "mmu", reading: "pointer" },
};

/** Arguments that people record and the replay does not use: known, and left alone. */
export const IGNORED_ARGUMENTS: readonly string[] = [
  "slot",
  "memslot",
  "hva",
  "may_block",
  "resched",
  "mc",
  "mm_ops",
  "range",
  "old",
  "new",
  "vcpu",
  "vmid",
  "nested",
  "vttbr",
  "info0",
  "info1",
  "comm",
  "op0",
  "Op0",
  "cb",
];

/** Role that `name` plays among the roles a function takes; undefined: none of them. */
export function roleOfArgument(name: string, taken: readonly RoleName[]): ArgumentRole | undefined {
  for (const roleName of taken) {
    const role = ARGUMENT_ROLES[roleName];
    if (role.names.includes(name)) return role;
  }
  return undefined;
}
