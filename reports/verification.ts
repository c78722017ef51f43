import type { Agreement } from "../replay/results.ts";
import { PRIMITIVES, type PrimitiveName } from "../replay/tlbi/primitives.ts";
import {
  type TableColumn,
  type TerminalOptions,
  formatCount,
  formatTable,
  paint,
  plural,
  visible,
} from "./terminal.ts";

/** How well one policy explains the recorded invalidations. */
export interface RankedPolicy {
  readonly policy: string;
  readonly matched: number;
  readonly missed: number;
  readonly spurious: number;
  readonly unknown: number;
}

/** One disagreement, with the events around it. */
export interface Mismatch {
  readonly kind: "missed" | "spurious";
  readonly primitive: PrimitiveName;
  /** 1-based line of the trace. */
  readonly line: number;
  readonly detail: string;
  /** Lines of the trace or of the replay's own account, in order. */
  readonly context: readonly string[];
}

/** What `verify` knows of one trace. */
export interface VerificationView {
  readonly trace: string;
  readonly policy: string;
  /** Where the policy comes from and its behaviours, in words. */
  readonly policyDetail: string;
  readonly calls: Readonly<Record<PrimitiveName, Agreement>>;
  /** Best first. */
  readonly ranking: readonly RankedPolicy[];
  readonly mismatches: readonly Mismatch[];
  readonly notes: readonly string[];
}

/** The terminal report of `verify`; an empty section is left out. */
export function formatVerification(view: VerificationView, options: TerminalOptions = {}): string {
  return [
    heading(view, options),
    formatCalls(view.calls, options),
    formatRanking(view.ranking, options),
    formatMismatches(view, options),
    formatNotes(view.notes),
  ]
    .filter((section) => section !== "")
    .join("\n");
}

function heading(view: VerificationView, options: TerminalOptions): string {
  const sum = sumOf(view.calls);
  const failed = sum.missed + sum.spurious > 0;
  const undecided = sum.unknown === 0 ? "" : `, ${formatCount(sum.unknown)} undecided`;
  const policyLine = `policy ${visible(view.policy)}: ${visible(view.policyDetail)}\n`;
  if (PRIMITIVES.every((primitive) => view.calls[primitive].recorded === null)) {
    const verdict = paint("nothing was recorded to compare with", "yellow", options);
    return `${visible(view.trace)}: ${verdict}${undecided}\n${policyLine}`;
  }
  if (!failed && sum.matched === 0 && sum.unknown > 0) {
    const verdict = paint("nothing could be decided", "yellow", options);
    return `${visible(view.trace)}: ${verdict}${undecided}\n${policyLine}`;
  }
  const verdict = failed
    ? paint(
        `${formatCount(sum.missed)} missed, ${formatCount(sum.spurious)} spurious`,
        "red",
        options,
      )
    : paint("no disagreement", "green", options);
  return `${visible(view.trace)}: ${plural(sum.matched, "call")} matched, ${verdict}${undecided}\n${policyLine}`;
}

/** CPU and ALL are not issued by page-table paths, and stand in the table only. */
const PAGE_TABLE_PRIMITIVES = PRIMITIVES.filter((name) => name !== "CPU" && name !== "ALL");

type Sums = Omit<RankedPolicy, "policy">;

function sumOf(calls: Readonly<Record<PrimitiveName, Agreement>>): Sums {
  let [matched, missed, spurious, unknown] = [0, 0, 0, 0];
  for (const primitive of PAGE_TABLE_PRIMITIVES) {
    matched += calls[primitive].matched;
    missed += calls[primitive].missed;
    spurious += calls[primitive].spurious;
    unknown += calls[primitive].unknown;
  }
  return { matched, missed, spurious, unknown };
}

const AGREEMENT_COLUMNS: readonly TableColumn[] = [
  "predicted",
  "recorded",
  "matched",
  "missed",
  "spurious",
  "unknown",
].map((header) => ({ header, align: "right" }));

function formatCalls(
  calls: Readonly<Record<PrimitiveName, Agreement>>,
  options: TerminalOptions,
): string {
  const rows = PRIMITIVES.map((primitive) => {
    const { predicted, recorded, matched, missed, spurious, unknown } = calls[primitive];
    return [
      primitive,
      formatCount(predicted),
      recorded === null ? "no probe" : formatCount(recorded),
      formatCount(matched),
      formatCount(missed),
      formatCount(spurious),
      formatCount(unknown),
    ];
  });
  const columns: readonly TableColumn[] = [
    { header: "calls of", align: "left", key: true },
    ...AGREEMENT_COLUMNS,
  ];
  return formatTable(columns, rows, options);
}

function formatRanking(ranking: readonly RankedPolicy[], options: TerminalOptions): string {
  if (ranking.length === 0) return "";
  const rows = ranking.map(({ policy, matched, missed, spurious, unknown }) => [
    policy,
    formatCount(matched),
    formatCount(missed),
    formatCount(spurious),
    formatCount(unknown),
  ]);
  const columns: readonly TableColumn[] = [
    { header: "policy, best fit first", align: "left", key: true },
    ...AGREEMENT_COLUMNS.slice(2),
  ];
  return formatTable(columns, rows, options);
}

function formatMismatches(view: VerificationView, options: TerminalOptions): string {
  if (view.mismatches.length === 0) return "";
  const sum = sumOf(view.calls);
  const all = sum.missed + sum.spurious;
  const shown = view.mismatches.length;
  const title =
    shown < all ? `First ${shown} of ${formatCount(all)} disagreements` : "Disagreements";
  const blocks = view.mismatches.map((mismatch) => {
    const head = `${visible(view.trace)}:${mismatch.line}: ${mismatch.kind} ${mismatch.primitive}: ${visible(mismatch.detail)}`;
    const context = mismatch.context.map((line) => paint(`    ${visible(line)}`, "dim", options));
    return [paint(head, "yellow", options), ...context].map((line) => `${line}\n`).join("");
  });
  return `${title}\n${blocks.join("")}`;
}

function formatNotes(notes: readonly string[]): string {
  return notes.map((note) => `note: ${visible(note)}\n`).join("");
}
