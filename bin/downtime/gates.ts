import type { DowntimeEstimate, Estimate } from "../../replay/migration/estimate-types.ts";
import { QUANTITIES, QUANTITY_IDS, type QuantityId } from "../../replay/migration/quantities.ts";
import { durationText } from "../../replay/migration/significant.ts";
import { suggest } from "../../replay/policies/suggest.ts";
import { duration } from "../unit-values.ts";
import { badOption, list, type RawValue } from "../values.ts";

/**
 * `--require`: what must hold of every policy, or of the one named. `converges` (in 95 of 100 draws),
 * `source_downtime<300ms` (its 95 % value), `rollback_stall.p50<1s`, `rollback_stall<1s@range-6.9`.
 */
export type Gate =
  | { readonly kind: "converges"; readonly policy: string | undefined; readonly text: string }
  | {
      readonly kind: "below";
      readonly quantity: QuantityId;
      readonly level: Level;
      /** s or vCPU·s. */
      readonly limit: number;
      readonly policy: string | undefined;
      readonly text: string;
    };
const LEVELS = ["p5", "p50", "p95"] as const;
type Level = (typeof LEVELS)[number];
const ENOUGH = 0.95;

const OPTION = "require";
const HINT = "write it like converges, source_downtime<300ms or rollback_stall.p50<1s@range-6.9";

export function parseGates(raw: RawValue): readonly Gate[] {
  return list(OPTION, raw).map(parseGate);
}

function parseGate(text: string): Gate {
  const [condition = "", policy, ...more] = text.split("@");
  if (more.length > 0 || policy === "") throw badOption(OPTION, `'${text}' is no gate`, HINT);
  if (condition === "converges") return { kind: "converges", policy, text };
  const match = /^([a-z_0-9]+)(?:\.(p5|p50|p95))?\s*<\s*(.+)$/.exec(condition);
  if (match === null) throw badOption(OPTION, `'${text}' is no gate`, HINT);
  const [, name = "", given, limit = ""] = match;
  const quantity = QUANTITY_IDS.find((id) => id === name);
  if (quantity === undefined) {
    const nearest = suggest(name, QUANTITY_IDS);
    throw badOption(
      OPTION,
      `'${name}' is not one of ${QUANTITY_IDS.join(", ")}`,
      nearest === undefined ? HINT : `did you mean '${nearest}'?`,
    );
  }
  const level = LEVELS.find((one) => one === given) ?? "p95";
  return { kind: "below", quantity, level, limit: duration(OPTION, limit), policy, text };
}

/** Refuses a gate on a policy that is not there: it would never be judged. */
export function checkGates(gates: readonly Gate[], policies: readonly string[]): void {
  for (const { policy, text } of gates) {
    if (policy !== undefined && !policies.includes(policy)) {
      throw badOption(
        OPTION,
        `'${text}' names '${policy}', and the policies are ${policies.join(", ")}`,
      );
    }
  }
}

/** Why gates are not met, one sentence each; empty where all hold. A quantity without an interval meets none. */
export function unmetGates(gates: readonly Gate[], estimate: DowntimeEstimate): readonly string[] {
  return gates.flatMap((gate) =>
    estimate.policies
      .filter(({ id }) => gate.policy === undefined || gate.policy === id)
      .flatMap(({ id, estimates, pConverge }) => {
        const why =
          gate.kind === "converges"
            ? whyNotConverged(pConverge)
            : whyNotBelow(
                gate,
                estimates.find(({ quantity }) => quantity === gate.quantity),
              );
        return why === undefined ? [] : [`--require ${gate.text} does not hold for ${id}: ${why}`];
      }),
  );
}

function whyNotConverged(pConverge: number | undefined): string | undefined {
  if (pConverge === undefined)
    return "too little is known of the migration to say whether it converges";
  if (pConverge >= ENOUGH) return undefined;
  return `it converges in ${Math.round(pConverge * 100)} of 100 draws`;
}

function whyNotBelow(
  gate: Extract<Gate, { kind: "below" }>,
  estimate: Estimate | undefined,
): string | undefined {
  const { title } = QUANTITIES[gate.quantity];
  if (estimate?.interval === undefined) return `no ${title}: ${estimate?.because ?? "unknown"}`;
  if (estimate.interval.values < estimate.interval.of) {
    const share = Math.round((100 * estimate.interval.values) / estimate.interval.of);
    return `${title} has a value in ${share} of 100 draws only`;
  }
  const value = estimate.interval[gate.level];
  if (value < gate.limit) return undefined;
  return `${title}, ${gate.level} of the draws, is ${durationText(value)}`;
}
