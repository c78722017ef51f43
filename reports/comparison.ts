import { PATHS, type PathName } from "../replay/paths.ts";
import type { FlushRow } from "../replay/results.ts";
import { PRIMITIVES, type PrimitiveName } from "../replay/tlbi/primitives.ts";
import { ratioText } from "./answer.ts";
import { type PolicyTotals, RECORDED, totalsOf } from "./totals.ts";
import {
  type TableColumn,
  type TerminalOptions,
  formatCount,
  formatTable,
  formatUnknown,
} from "./terminal.ts";

/** What stands where there is no number to give, as opposed to 0. */
const NO_NUMBER = "—";

/**
 * What `analyze` prints: the totals of each policy beside what was recorded, then the calls of each
 * path and primitive with a column per policy.
 *
 * `policies` names the policies in the order wanted; one that issues nothing has no rows of its own
 * and is shown only if it is named here. Without it, the order is that of the rows.
 */
export function formatComparison(
  flushes: readonly FlushRow[],
  options: TerminalOptions & { readonly policies?: readonly string[] } = {},
): string {
  const policies = policyOrder(flushes, options.policies);
  return [
    "Totals per policy (× recorded: how many times as many as the trace recorded)\n",
    formatTotals(flushes, policies, options),
    "\nCalls per path and primitive (+≤n: at most n more, which the trace cannot decide)\n",
    formatCalls(flushes, policies, options),
  ].join("");
}

/** As asked, without repeats, then what only the rows name; `recorded` last. */
function policyOrder(
  flushes: readonly FlushRow[],
  asked: readonly string[] = [],
): readonly string[] {
  const names = new Set([...asked, ...flushes.map((row) => row.policy)]);
  const recorded = names.delete(RECORDED);
  return recorded ? [...names, RECORDED] : [...names];
}

const TOTAL_COLUMNS: readonly TableColumn[] = [
  { header: "policy", align: "left", key: true },
  { header: "calls", align: "right" },
  { header: "unknown calls", align: "right" },
  { header: "× recorded", align: "right" },
  { header: "TLBI instructions", align: "right" },
  { header: "× recorded", align: "right" },
  { header: "DSB instructions", align: "right" },
];

function formatTotals(
  flushes: readonly FlushRow[],
  policies: readonly string[],
  options: TerminalOptions,
): string {
  const recorded = totalsOf(flushes, RECORDED);
  const rows = policies.map((policy) => {
    const totals = totalsOf(flushes, policy);
    return [
      policy,
      formatCount(totals.calls),
      formatUnknown(totals.unknownCalls),
      callRatio(totals, recorded),
      formatCount(totals.tlbi),
      tlbiRatio(totals, recorded),
      formatCount(totals.dsb),
    ];
  });
  return formatTable(TOTAL_COLUMNS, rows, options);
}

/** A range where calls of either side are unknown. */
function callRatio(policy: PolicyTotals, recorded: PolicyTotals): string {
  if (recorded.calls === 0) return NO_NUMBER;
  const low = ratioText(policy.calls / (recorded.calls + recorded.unknownCalls));
  const high = ratioText((policy.calls + policy.unknownCalls) / recorded.calls);
  if (policy.policy === RECORDED) return ratioText(1);
  return low === high ? low : `${low}–${high}`;
}

/** One-sided where calls are unknown: an unknown call says nothing of how many instructions are in it. */
function tlbiRatio(policy: PolicyTotals, recorded: PolicyTotals): string {
  if (recorded.tlbi === 0) return NO_NUMBER;
  if (policy.policy === RECORDED) return ratioText(1);
  if (policy.unknownCalls > 0 && recorded.unknownCalls > 0) return NO_NUMBER;
  const ratio = ratioText(policy.tlbi / recorded.tlbi);
  if (policy.unknownCalls > 0) return `≥${ratio}`;
  return recorded.unknownCalls > 0 ? `≤${ratio}` : ratio;
}

function formatCalls(
  flushes: readonly FlushRow[],
  policies: readonly string[],
  options: TerminalOptions,
): string {
  const cells = callCells(flushes);
  if (cells.size === 0) return "no invalidation in any of them\n";
  const rows: string[][] = [];
  for (const path of PATHS) {
    for (const primitive of PRIMITIVES) {
      const row = cells.get(keyOf(path, primitive));
      if (row === undefined) continue;
      rows.push([path, primitive, ...policies.map((policy) => callsText(row.get(policy)))]);
    }
  }
  const columns: readonly TableColumn[] = [
    { header: "path", align: "left", key: true },
    { header: "primitive", align: "left", key: true },
    ...policies.map((policy): TableColumn => ({ header: policy, align: "right" })),
  ];
  return formatTable(columns, rows, options);
}

interface CallCell {
  calls: number;
  unknownCalls: number;
}

function callCells(flushes: readonly FlushRow[]): Map<string, Map<string, CallCell>> {
  const cells = new Map<string, Map<string, CallCell>>();
  for (const row of flushes) {
    const key = keyOf(row.path, row.primitive);
    const perPolicy = cells.get(key) ?? new Map<string, CallCell>();
    const cell = perPolicy.get(row.policy) ?? { calls: 0, unknownCalls: 0 };
    cell.calls += row.calls;
    cell.unknownCalls += row.unknown_calls;
    perPolicy.set(row.policy, cell);
    cells.set(key, perPolicy);
  }
  return cells;
}

function callsText(cell: CallCell | undefined): string {
  if (cell === undefined) return "0";
  if (cell.unknownCalls === 0) return formatCount(cell.calls);
  return `${formatCount(cell.calls)} ${formatUnknown(cell.unknownCalls)}`;
}

function keyOf(path: PathName, primitive: PrimitiveName): string {
  return `${path}/${primitive}`;
}
