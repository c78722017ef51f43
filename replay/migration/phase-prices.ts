import type { CostTable } from "../costs/cost-table.ts";
import type { PrimitiveName } from "../tlbi/primitives.ts";
import { FlushPricer } from "./flush-prices.ts";
import type { Phase, PhaseName } from "./inputs.ts";
import { type Interval, intervalOf } from "./intervals.ts";

/** What the flushes of one phase cost under one policy, had they been issued one after the other. */
export interface PhasePrice {
  readonly phase: PhaseName;
  readonly pass: number | undefined;
  readonly startNs: number;
  readonly policy: string;
  /** Certain calls that broadcast, and those of them that have a price. */
  readonly calls: number;
  readonly pricedCalls: number;
  /** Calls that stay on their CPU: no published cost. */
  readonly localCalls: number;
  readonly unknownCalls: number;
  /** s; undefined where no call has a price. */
  readonly interval: Interval | undefined;
}

const LOCAL: ReadonlySet<string> = new Set<PrimitiveName>(["IPA_LOCAL", "CPU"]);

/** Phases in order, policies of their flush rows in order. */
export function pricePhases(
  phases: readonly Phase[],
  table: CostTable,
  repeats: boolean,
  seed: number,
): readonly PhasePrice[] {
  const pricer = new FlushPricer(table, seed);
  return phases.flatMap(({ name, pass, startNs, facts }) => {
    const policies = [...new Set(facts.flushes.map(({ policy }) => policy))];
    return policies.map((policy) => {
      const rows = facts.flushes.filter((row) => row.policy === policy);
      const sum = (of: (row: (typeof rows)[number]) => number): number =>
        rows.reduce((total, row) => total + of(row), 0);
      const callsOf = (primitive: string): number =>
        sum((row) => (row.primitive === primitive ? row.calls : 0));
      const [ipa, vmid, range] = [callsOf("IPA"), callsOf("VM"), callsOf("RANGE")];
      const pricedCalls = ipa + vmid + range;
      return {
        phase: name,
        pass,
        startNs,
        policy,
        calls: sum((row) => (LOCAL.has(row.primitive) ? 0 : row.calls)),
        pricedCalls,
        localCalls: sum((row) => (LOCAL.has(row.primitive) ? row.calls : 0)),
        unknownCalls: sum((row) => row.unknown_calls),
        interval:
          pricedCalls === 0 ? undefined : intervalOf(pricer.seconds(ipa, vmid, range, repeats)),
      };
    });
  });
}
