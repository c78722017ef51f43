import { LAST_RAN_UNKNOWN, type Stage2Context } from "../contexts/context.ts";
import { Path } from "../paths.ts";
import type { ReplayState } from "../state.ts";
import { Primitive } from "../tlbi/primitives.ts";
import type { Task } from "./task.ts";

/**
 * `__kvm_flush_cpu_context`: when a vCPU is loaded on a CPU where another vCPU of the same mmu was
 * loaded last, or none was (kvm_arch_vcpu_load, `last_vcpu_ran`, 5.10 to 7.3).
 *
 * A trace shows loads only indirectly: a thread that enters the guest on a CPU is loaded there. A
 * thread may also be loaded and preempted without leaving an event, so a recorded call that no visible
 * load explains is unknown, not missed.
 */
export class VcpuLoads {
  readonly #state: ReplayState;

  constructor(state: ReplayState) {
    this.#state = state;
  }

  /** A thread did what only a loaded vCPU does, on this CPU. */
  seen(task: Task, cpu: number, line: number, isRecorded: boolean): void {
    const context = task.vcpuContext;
    task.vcpuCpu = cpu;
    if (context === undefined || context.isGone) return;
    const before = context.lastRan(cpu);
    if (before === task.pid) return;
    context.setLastRan(cpu, task.pid);
    const isCertain = before !== LAST_RAN_UNKNOWN;
    this.#count(isCertain, cpu, context);
    if (!isRecorded) return;
    for (const agreement of this.#state.settlement.agreements) {
      if (isCertain) agreement.addLoose(Primitive.CPU, 0, 0, line, "spurious");
    }
  }

  /** The thread runs a vCPU of this context. */
  bind(task: Task, context: Stage2Context, line: number, isRecorded: boolean): void {
    if (task.vcpuContext === context) return;
    task.vcpuContext = context;
    if (task.vcpuCpu >= 0) this.seen(task, task.vcpuCpu, line, isRecorded);
  }

  /** A recorded call: this thread was loaded on this CPU, for this mmu. */
  recorded(task: Task, cpu: number, context: Stage2Context, line: number): void {
    const before = context.lastRan(cpu);
    context.setLastRan(cpu, task.pid);
    task.vcpuContext = context;
    task.vcpuCpu = cpu;
    const explained = before !== task.pid && before !== LAST_RAN_UNKNOWN;
    if (before !== task.pid) this.#count(explained, cpu, context);
    const outcome = explained ? "matched" : "unknown";
    for (const agreement of this.#state.settlement.agreements) {
      agreement.addLoose(Primitive.CPU, 0, 0, line, outcome);
    }
    this.#state.settlement.addLoose(Primitive.CPU, 0, 0, Path.vcpu_switch);
  }

  #count(isCertain: boolean, cpu: number, context: Stage2Context): void {
    const { settlement } = this.#state;
    settlement.addToAll(Primitive.CPU, Path.vcpu_switch, isCertain, cpu, context);
  }
}
