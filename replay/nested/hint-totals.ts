import { type Hint, type HintResult, HINTS } from "./level-hint.ts";
import type { NestedPolicy } from "./nested-policy.ts";

/** How often a policy found the size of an invalidation by IPA, and where. */
export class HintTotals {
  readonly #counts = new Map<Hint, number>(HINTS.map((hint) => [hint, 0]));
  probes = 0;
  events = 0;

  add(hint: HintResult, byIpa: NestedPolicy["byIpa"]): void {
    this.events += 1;
    if (byIpa === "all" || byIpa === "leaf" || byIpa === "largest") return;
    this.#counts.set(hint.hint, this.of(hint.hint) + 1);
    this.probes += hint.probes;
  }

  of(hint: Hint): number {
    return this.#counts.get(hint)!;
  }
}
