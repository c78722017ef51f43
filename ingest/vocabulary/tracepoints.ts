import type { EventKindName } from "../events/kinds.ts";
import { X86_TRACEPOINTS, type X86TracepointText } from "./x86-tracepoints.ts";

/**
 * How a stock tracepoint's own text is read; `none`: the name says all; `marker`: free text, of which some
 * is known.
 */
export type TracepointText =
  | "none"
  | "marker"
  | "guestFault"
  | "accessFault"
  | "userspaceExit"
  | "hvaRange"
  | "hvaOne"
  | "vcpuNumber"
  | "nestedEret"
  | X86TracepointText;

export interface TracepointMeaning {
  readonly kind: EventKindName;
  readonly text: TracepointText;
}

const vcpuEvent: TracepointMeaning = { kind: "vcpu_event", text: "none" };

/**
 * The kernel's own KVM tracepoints, by event name. A line of such a name whose text begins with a probe
 * location is a probe's and goes by its function.
 *
 * `vcpu_event` is only for those that cannot fire unless the vCPU is loaded, in the vCPU's own thread:
 * the timer state that vcpu_load and vcpu_put move, the run loop's debug set-up and the exit handlers.
 * kvm_get_timer_map, kvm_timer_update_irq, vgic_update_irq_pending and kvm_arm_set_dreg32 also fire from
 * a reset or an ioctl of another thread, before the vCPU has ever run: they stay `other`. nested_eret and
 * nested_exception are of the same sort as vcpu_event.
 */
export const TRACEPOINTS: ReadonlyMap<string, TracepointMeaning> = new Map<
  string,
  TracepointMeaning
>([
  ["kvm_guest_fault", { kind: "guest_fault", text: "guestFault" }],
  ["kvm_access_fault", { kind: "access_fault", text: "accessFault" }],
  ["kvm_entry", { kind: "kvm_entry", text: "none" }],
  ["kvm_exit", { kind: "kvm_exit", text: "none" }],
  ["kvm_userspace_exit", { kind: "userspace_exit", text: "userspaceExit" }],
  ["kvm_unmap_hva_range", { kind: "unmap_hva", text: "hvaRange" }],
  ["kvm_age_hva", { kind: "age_hva", text: "hvaRange" }],
  ["kvm_set_spte_hva", { kind: "set_spte_hva", text: "hvaOne" }],
  ["kvm_test_age_hva", { kind: "test_age_hva", text: "hvaOne" }],
  ["kvm_dirty_ring_push", { kind: "dirty_ring_push", text: "none" }],
  ["kvm_dirty_ring_reset", { kind: "dirty_ring_reset", text: "none" }],
  ["kvm_dirty_ring_exit", { kind: "vcpu_event", text: "vcpuNumber" }],
  ["kvm_timer_restore_state", vcpuEvent],
  ["kvm_timer_save_state", vcpuEvent],
  ["kvm_arm_setup_debug", vcpuEvent],
  ["kvm_arm_clear_debug", vcpuEvent],
  ["kvm_handle_sys_reg", vcpuEvent],
  ["kvm_sys_access", vcpuEvent],
  ["kvm_wfx_arm64", vcpuEvent],
  ["kvm_hvc_arm64", vcpuEvent],
  ["kvm_mmio_emulate", vcpuEvent],
  ["kvm_mmio_nisv", vcpuEvent],
  ["kvm_set_way_flush", vcpuEvent],
  ["kvm_toggle_cache", vcpuEvent],
  ["kvm_nested_eret", { kind: "nested_eret", text: "nestedEret" }],
  ["kvm_inject_nested_exception", { kind: "nested_exception", text: "none" }],
  ["kvm_forward_sysreg_trap", vcpuEvent],
  ["tracing_mark_write", { kind: "marker", text: "marker" }],
  ["print", { kind: "marker", text: "marker" }],
  ...X86_TRACEPOINTS,
]);
