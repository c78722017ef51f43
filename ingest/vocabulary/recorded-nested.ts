import type { RecordedFunction } from "./recorded-probes.ts";

const SHADOW =
  "mmu=%x0:x64 vmid=+{kvm_s2_mmu.vmid.id.counter}(%x0):x16 nested=+{kvm_s2_mmu.nested_stage2_enabled}(%x0):u8";
const GUEST_TABLE = `${SHADOW} vttbr=+{kvm_s2_mmu.tlb_vttbr}(%x0):x64`;

const since = (fetch: string): RecordedFunction["shapes"] => [{ since: "6.11", fetch }];

/** A handler of a TLBI that a guest hypervisor executed: the operand and the instruction's encoding. */
function handler(symbol: string): RecordedFunction {
  const fields = ["regval:x64", "Op0:u8", "Op1:u8", "CRn:u8", "CRm:u8", "Op2:u8"].map((field) => {
    const [member = "", type = ""] = field.split(":");
    return `${member.toLowerCase()}=+{sys_reg_params.${member}}(%x1):${type}`;
  });
  const fetch = ["vcpu=%x0:x64", ...fields].join(" ");
  return { name: symbol, symbol, params: "vcpu p r", shapes: since(fetch) };
}

/** What a host of nested guests is recorded with besides: trapped TLBIs and what they do to shadow tables. */
export const NESTED_FUNCTIONS: readonly RecordedFunction[] = [
  handler("handle_ipas2e1is"),
  handler("handle_ripas2e1is"),
  handler("handle_vmalls12e1is"),
  handler("handle_alle1is"),
  handler("handle_tlbi_el1"),
  handler("handle_tlbi_el2"),
  {
    name: "compute_inval",
    symbol: "compute_tlb_inval_range",
    params: "mmu val",
    shapes: since(`${SHADOW} val=%x1:x64`),
  },
  {
    name: "iterate_by_vmid",
    symbol: "kvm_s2_mmu_iterate_by_vmid",
    params: "kvm vmid info cb",
    shapes: since(
      "kvm=%x0:x64 guest_vmid=%x1:x16 start=+{tlbi_info.range.start}(%x2):x64 size=+{tlbi_info.range.size}(%x2):x64 cb=%x3:symbol",
    ),
  },
  {
    name: "s2_unmap_ipa",
    symbol: "s2_mmu_unmap_ipa",
    params: "mmu info",
    shapes: since(
      `${GUEST_TABLE} info0=+{tlbi_info.range.start}(%x1):x64 info1=+{tlbi_info.range.size}(%x1):x64`,
    ),
  },
  {
    name: "s2_unmap_range",
    symbol: "s2_mmu_unmap_range",
    params: "mmu info",
    shapes: since(
      `${GUEST_TABLE} start=+{tlbi_info.range.start}(%x1):x64 size=+{tlbi_info.range.size}(%x1):x64`,
    ),
  },
  {
    name: "s2_tlbi_s1e1",
    symbol: "s2_mmu_tlbi_s1e1",
    params: "mmu info",
    shapes: since(GUEST_TABLE),
  },
  {
    name: "nested_unmap",
    symbol: "kvm_nested_s2_unmap",
    params: "kvm may_block",
    shapes: since("kvm=%x0:x64 may_block=%x1:u8"),
  },
  {
    name: "nested_wp",
    symbol: "kvm_nested_s2_wp",
    params: "kvm",
    shapes: since("kvm=%x0:x64"),
  },
  {
    name: "nested_flush",
    symbol: "kvm_nested_s2_flush",
    params: "kvm",
    shapes: since("kvm=%x0:x64"),
  },
  {
    name: "lookup_s2_mmu",
    symbol: "lookup_s2_mmu",
    params: "vcpu",
    shapes: since("vcpu=%x0:x64"),
  },
  {
    name: "walk_nested",
    symbol: "kvm_walk_nested_s2",
    params: "vcpu gipa",
    shapes: since("vcpu=%x0:x64 gipa=%x1:x64"),
  },
  {
    name: "nested_perm",
    symbol: "kvm_s2_handle_perm_fault",
    params: "vcpu trans",
    // What the guest's stage 2 translated to: which page of the VM a shadow leaf maps.
    shapes: since("vcpu=%x0:x64 output=+{kvm_s2_trans.output}(%x1):x64"),
  },
  {
    name: "nested_requests",
    symbol: "check_nested_vcpu_requests",
    params: "vcpu",
    shapes: since("vcpu=%x0:x64"),
  },
];

/** Returns of nested functions, by symbol: event name and value. */
export const NESTED_RETURNS: ReadonlyMap<string, readonly [name: string, fetch: string]> = new Map([
  ["compute_tlb_inval_range", ["compute_inval_ret", "size=$retval:x64"]],
  ["lookup_s2_mmu", ["lookup_ret", "mmu=$retval:x64"]],
]);

/** What is read of the VMID behind a table or mmu, for all probes of a host of nested guests. */
export const NESTED_VMID = {
  /** Behind a `pgt` in the first register. */
  ofPgt:
    "vmid=+{kvm_s2_mmu.vmid.id.counter}(+{kvm_pgtable.mmu}(%x0)):x16 nested=+{kvm_s2_mmu.nested_stage2_enabled}(+{kvm_pgtable.mmu}(%x0)):u8",
  /** Behind an `mmu` there. */
  ofMmu:
    "vmid=+{kvm_s2_mmu.vmid.id.counter}(%x0):x16 nested=+{kvm_s2_mmu.nested_stage2_enabled}(%x0):u8",
} as const;
