import type { TableSchema } from "../schema.ts";
import { count, label, maybeLabel, number } from "./columns.ts";
import type {
  ComponentRow,
  CostRow,
  DifferenceRow,
  EstimateRow,
  PassRow,
  PhaseRow,
  SensitivityRow,
  StructureCsvRow,
} from "./rows.ts";

/**
 * Result tables of `downtime`. All numbers are estimated, not measured, but for the counts of `downtime_phases`.
 * Values are not rounded: two figures of them mean something.
 */

/** Grows when a column is removed or changes its meaning. */
export const DOWNTIME_SCHEMA_VERSION = 1;

const POLICY = label("policy", "Policy, or epoch of kernels.");
const QUANTITY = label("quantity", "Which of the quantities that are called downtime.");
const UNIT = label("unit", "Unit of all numbers in the row: s, or vCPU·s.");

export const ESTIMATES: TableSchema<EstimateRow> = {
  name: "downtime_estimates",
  order: "policies as requested; within a policy, quantities in table order",
  columns: [
    POLICY,
    QUANTITY,
    UNIT,
    number(
      "p5",
      "see unit",
      "5 of 100 draws of constants and inputs are below; null with `because`.",
    ),
    number("p50", "see unit", "Median of the draws."),
    number("p95", "see unit", "95 of 100 draws are below."),
    number("at_modes", "see unit", "Every constant and input at its most likely value."),
    number(
      "sampling_p5",
      "see unit",
      "Trace drawn again with constants fixed; null where nothing was sampled.",
    ),
    number("sampling_p50", "see unit", "Median of those replicates."),
    number("sampling_p95", "see unit", "95 of 100 replicates are below."),
    number(
      "share_of_draws",
      "share",
      "Draws in which the quantity has a value: the rest did not converge.",
    ),
    number("bound_low", "see unit", "Least that is certain where there is no interval."),
    number("bound_high", "see unit", "Most that is certain where there is no interval."),
    maybeLabel("because", "Why there is no interval; null where there is one."),
  ],
};

export const PASSES: TableSchema<PassRow> = {
  name: "downtime_passes",
  order: "policies as requested; within a policy, passes; every constant at its most likely value",
  columns: [
    POLICY,
    count("pass", "pass", "From 0, which sends the whole memory."),
    number("start_s", "s", "From the start of copying."),
    number("duration_s", "s", "Copy, sync and clears together."),
    number("sent_bytes", "byte", "Sent in the pass."),
    number("dirtied_bytes", "byte", "Distinct bytes dirtied during it."),
    number(
      "remaining_bytes",
      "byte",
      "Dirty when it ends: the implied downtime is this over the bandwidth.",
    ),
    number("threshold_bytes", "byte", "The guest is stopped below it."),
    number("copy_s", "s", "Part that sends."),
    number("sync_s", "s", "Part that reads the dirty bitmap."),
    number("clear_s", "s", "Part that write-protects and flushes."),
    number("clears", "call", "KVM_CLEAR_DIRTY_LOG or GET calls that clear something."),
    number("flush_calls", "call", "Flushes that follow them."),
    number(
      "throttle_share",
      "share",
      "Part of its time that a vCPU sleeps at the end of the pass.",
    ),
    number("fault_share", "share", "Part of their time that vCPUs lose to write faults."),
  ],
};

export const COMPONENTS: TableSchema<ComponentRow> = {
  name: "downtime_components",
  order: "policies as requested; within a policy, parts of the blackout in order",
  columns: [
    POLICY,
    label("component", "Part of the source downtime."),
    number("p5_s", "s", "5 of 100 draws are below."),
    number(
      "p50_s",
      "s",
      "Median of the draws; medians of parts do not add up to that of the whole.",
    ),
    number("p95_s", "s", "95 of 100 draws are below."),
    number("at_modes_s", "s", "Every constant and input at its most likely value: these add up."),
  ],
};

export const DIFFERENCES: TableSchema<DifferenceRow> = {
  name: "downtime_differences",
  order: "policies but the first, as requested; within a policy, quantities in table order",
  columns: [
    POLICY,
    label("than", "The policy that it is compared with, on the same draws."),
    QUANTITY,
    UNIT,
    number("difference_p5", "see unit", "5 of 100 paired differences are below."),
    number("difference_p50", "see unit", "Median of the paired differences."),
    number("difference_p95", "see unit", "95 of 100 paired differences are below."),
    number("ratio_p5", "ratio", "5 of 100 paired ratios are below."),
    number("ratio_p50", "ratio", "Median of the paired ratios."),
    number("ratio_p95", "ratio", "95 of 100 paired ratios are below."),
    label("verdict", "less, more, or no difference."),
    maybeLabel("because", "Why no difference."),
  ],
};

export const STRUCTURES: TableSchema<StructureCsvRow> = {
  name: "downtime_structures",
  order: "alternatives in the order of the report; within one, policies and then quantities",
  columns: [
    label("dimension", "Choice that nothing settles; each value is computed, none is averaged."),
    label("chosen", "Value of the estimates."),
    label("instead", "The other value."),
    POLICY,
    QUANTITY,
    UNIT,
    number("chosen_p50", "see unit", "Median with the chosen value."),
    number("instead_p5", "see unit", "5 of 100 draws with the other value are below."),
    number("instead_p50", "see unit", "Median with the other value."),
    number("instead_p95", "see unit", "95 of 100 draws with the other value are below."),
    label("decides", "yes where the other median lies outside of the chosen interval."),
  ],
};

export const SENSITIVITIES: TableSchema<SensitivityRow> = {
  name: "downtime_sensitivities",
  order: "policies as requested; within a policy, quantities, and then the strongest first",
  columns: [
    POLICY,
    QUANTITY,
    label("name", "Constant or input."),
    number("rank_correlation", "", "Spearman's: what to measure first."),
  ],
};

export const COSTS: TableSchema<CostRow> = {
  name: "downtime_costs",
  order: "as in the table of constants",
  columns: [
    label("name", "Constant of the model."),
    label("meaning", "The cost of what."),
    label("unit", "Unit of the three numbers."),
    number("low", "see unit", "Lower end of the range that is drawn from."),
    number("mode", "see unit", "Most likely value."),
    number("high", "see unit", "Upper end of the range."),
    label("conditions", "idle, loaded, or either."),
    label("measured_on", "Machine and load."),
    label("source", "Where the number is from."),
    label("date", "Of the source."),
    label("evidence", "source, list, derived, memory or site."),
    label("origin", "shipped, or the file or option that replaces it."),
  ],
};

export const PHASES_TABLE: TableSchema<PhaseRow> = {
  name: "downtime_phases",
  order: "phases in time; within a phase, `recorded` and then policies as replayed",
  columns: [
    count("vm", "", "Number of the virtual machine in the trace."),
    label("phase", "run, pass, blackout, rollback or after."),
    { ...count("pass", "pass", "Number of the pass; null in other phases."), nullable: true },
    number("start_s", "s", "From the first event of the trace."),
    number("duration_s", "s", "As recorded."),
    count("write_faults", "fault", "Faults that gave a logged page its write permission."),
    count("dirtied_pages", "page", "Distinct pages among them."),
    count("clears", "call", "GET or CLEAR_DIRTY_LOG calls that write-protected something."),
    count("cleared_pages", "page", "Pages that their masks named."),
    count("blocks_broken", "block", "Blocks that became tables."),
    count("collapses", "block", "Tables that became blocks again."),
    label("policy", "Policy of the flushes; `recorded` for what was recorded."),
    count("flush_calls", "call", "Certain calls that broadcast."),
    count("local_calls", "call", "Certain calls that stay on their CPU: no cost is known."),
    count("unknown_calls", "call", "At most so many more."),
    number("flush_p5_s", "s", "Priced one after the other: 5 of 100 draws are below."),
    number("flush_p50_s", "s", "Median."),
    number("flush_p95_s", "s", "95 of 100 draws are below."),
  ],
};
