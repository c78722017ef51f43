import { PATHS } from "./paths.ts";
import { Certainty, type FlushQueue } from "./policies/flush-queue.ts";
import type { FlushRow, InstructionRow } from "./results.ts";
import {
  countDsbs,
  countInstructions,
  countTlbis,
  type PrimitiveCall,
} from "./tlbi/instructions.ts";
import { INSTRUCTIONS, PRIMITIVES, Primitive } from "./tlbi/primitives.ts";

/** Start level of a table against the assumed one: higher means that the calls marked so were issued. */
export type RootResolution = "as-assumed" | "higher" | "unresolved";

/** No path. */
const NONE = -1;
const CELLS = PATHS.length * PRIMITIVES.length;

/**
 * Sums of one policy by path and primitive, and by instruction. `call` describes how its calls become
 * TLBI instructions (encoder, workaround), and its page and length are overwritten; undefined: they become none
 * (x86, where each CPU is sent an interrupt instead).
 */
export class Tally {
  readonly policy: string;
  readonly #call: PrimitiveCall | undefined;
  readonly #leftOut: number;
  readonly #calls = new Float64Array(CELLS);
  readonly #tlbi = new Float64Array(CELLS);
  readonly #dsb = new Float64Array(CELLS);
  readonly #pages = new Float64Array(CELLS);
  readonly #unknown = new Float64Array(CELLS);
  readonly #instructions = new Float64Array(INSTRUCTIONS.length);

  /** @param leftOut a path of which nothing is counted: somebody else does. */
  constructor(policy: string, call: PrimitiveCall | undefined, leftOut: number = NONE) {
    this.policy = policy;
    this.#call = call;
    this.#leftOut = leftOut;
  }

  /** Adds a queue; whether its conditional calls were issued is as `root` says. */
  addQueue(queue: FlushQueue, root: RootResolution): void {
    for (let run = 0; run < queue.length; run += 1) {
      const certainty = queue.certainty[run];
      const primitive = queue.primitive[run]!;
      const path = queue.path[run]!;
      const count = queue.count[run]!;
      if (certainty === Certainty.atMost) this.addUnknown(path, primitive, count);
      else if (certainty === Certainty.certain || root === "higher") {
        this.add(path, primitive, queue.page[run]!, queue.pages[run]!, count);
      } else if (root === "unresolved") this.addUnknown(path, primitive, count);
    }
  }

  /** `count` equal calls; of a run of IPA calls the page does not change what they cost. */
  add(path: number, primitive: number, page: number, pages: number, count: number): void {
    if (path === this.#leftOut) return;
    const cell = path * PRIMITIVES.length + primitive;
    this.#calls[cell]! += count;
    this.#pages[cell]! += pages * count;
    const call = this.#call;
    if (call === undefined) return;
    call.ipaPage = page;
    call.lenPages = primitive === Primitive.RANGE ? pages : 1;
    this.#tlbi[cell]! += countTlbis(primitive, call) * count;
    this.#dsb[cell]! += countDsbs(primitive, call) * count;
    countInstructions(primitive, call, this.#instructions, count);
  }

  addUnknown(path: number, primitive: number, count: number): void {
    if (path === this.#leftOut) return;
    this.#unknown[path * PRIMITIVES.length + primitive]! += count;
  }

  /** Adds all that another tally of the same policy counted. */
  absorb(other: Tally): void {
    addAll(this.#calls, other.#calls);
    addAll(this.#tlbi, other.#tlbi);
    addAll(this.#dsb, other.#dsb);
    addAll(this.#pages, other.#pages);
    addAll(this.#unknown, other.#unknown);
    addAll(this.#instructions, other.#instructions);
  }

  /** Calls of a primitive over all paths. */
  calls(primitive: number): number {
    let sum = 0;
    for (let cell = primitive; cell < CELLS; cell += PRIMITIVES.length) sum += this.#calls[cell]!;
    return sum;
  }

  unknownCalls(primitive: number): number {
    let sum = 0;
    for (let cell = primitive; cell < CELLS; cell += PRIMITIVES.length) sum += this.#unknown[cell]!;
    return sum;
  }

  flushRows(): FlushRow[] {
    const rows: FlushRow[] = [];
    for (const [pathCode, path] of PATHS.entries()) {
      for (const [code, primitive] of PRIMITIVES.entries()) {
        const cell = pathCode * PRIMITIVES.length + code;
        if (this.#calls[cell] === 0 && this.#unknown[cell] === 0) continue;
        const namesPages =
          primitive === "IPA" || primitive === "IPA_LOCAL" || primitive === "RANGE";
        rows.push({
          policy: this.policy,
          path,
          primitive,
          calls: this.#calls[cell]!,
          tlbi: this.#tlbi[cell]!,
          dsb: this.#dsb[cell]!,
          pages: namesPages ? this.#pages[cell]! : null,
          unknown_calls: this.#unknown[cell]!,
        });
      }
    }
    return rows;
  }

  instructionRows(): InstructionRow[] {
    const rows: InstructionRow[] = [];
    for (const [code, instruction] of INSTRUCTIONS.entries()) {
      const count = this.#instructions[code]!;
      if (count > 0) rows.push({ policy: this.policy, instruction, count });
    }
    return rows;
  }
}

function addAll(into: Float64Array, from: Float64Array): void {
  for (let at = 0; at < into.length; at += 1) into[at]! += from[at]!;
}
