import type { Task } from "./operations/task.ts";
import { Certainty, UNKNOWN_LEVEL } from "./policies/flush-queue.ts";
import type { PolicyReplay } from "./policies/policy-replay.ts";
import type { SettlementListener } from "./settlement.ts";
import type { PrimitiveCall } from "./tlbi/instructions.ts";
import { listInstructions } from "./tlbi/listing.ts";
import { ttlHint } from "./tlbi/operands.ts";
import { PRIMITIVES } from "./tlbi/primitives.ts";
import { alignedPage } from "./verify/alignment.ts";

/** One TLBI instruction that a policy would have executed. */
export interface PredictedInstruction {
  readonly cpu: number;
  readonly instruction: string;
  readonly operand: bigint;
  readonly primitive: string;
  /** Line of the operation behind it. */
  readonly line: number;
  /** Pointer id of the context that it is for; 0: not shown. */
  readonly mmu: number;
}

/**
 * The TLBI instructions of one policy in the order of the operations, with their operands. For tests
 * and listings: it makes an object an instruction.
 */
export class InstructionStream implements SettlementListener {
  readonly #policyIndex: number;
  readonly #call: PrimitiveCall;
  readonly #emit: (instruction: PredictedInstruction) => void;

  /** `call` as `callOf` makes it for the policy; `policyIndex` in the replay's order. */
  constructor(
    policyIndex: number,
    call: PrimitiveCall,
    emit: (instruction: PredictedInstruction) => void,
  ) {
    this.#policyIndex = policyIndex;
    this.#call = call;
    this.#emit = emit;
  }

  settled(task: Task, policies: readonly PolicyReplay[], includeConditional: boolean): void {
    const queue = task.ledger.queues[this.#policyIndex]!;
    const { policy, features } = policies[this.#policyIndex]!;
    const rules = { ttlFeature: features.ttl, levelZeroIsHint: policy.flags.levelZeroIsHint };
    for (let run = 0; run < queue.length; run += 1) {
      const certainty = queue.certainty[run];
      if (certainty === Certainty.atMost) continue;
      if (certainty === Certainty.ifRootIsHigher && !includeConditional) continue;
      const primitive = queue.primitive[run]!;
      const level = queue.level[run]!;
      this.#call.lenPages = Math.max(1, queue.pages[run]!);
      this.#call.hintLevel = level === UNKNOWN_LEVEL ? null : ttlHint(level, rules);
      for (let call = 0; call < queue.count[run]!; call += 1) {
        this.#call.ipaPage = call === 0 ? queue.page[run]! : alignedPage(queue, run, call);
        for (const { instruction, operand } of listInstructions(primitive, this.#call)) {
          this.#emit({
            cpu: task.cpu,
            instruction,
            operand,
            primitive: PRIMITIVES[primitive]!,
            line: task.line,
            mmu: task.context?.mmu ?? 0,
          });
        }
      }
    }
  }
}
