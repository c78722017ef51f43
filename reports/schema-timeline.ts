import type { TimelineRow } from "../replay/timeline/flush-density.ts";
import type { OperationSizeRow, PairedRow } from "../replay/timeline/operation-sizes.ts";
import type { HeatTableRow, StallEventRow, StallRow } from "../replay/timeline/timeline-rows.ts";
import type { TimelinePhaseRow } from "../replay/timeline/phase-rows.ts";
import { count, estimate, label, type TableSchema } from "./schema.ts";

/** The tables of when and where invalidations are issued: written with `--out`, read by `report`. */

function nullable<Name extends string>(
  name: Name,
  unit: string,
  meaning: string,
): ReturnType<typeof count<Name>> {
  return { ...count(name, unit, meaning), nullable: true };
}

const POLICY = label("policy", "Policy that issues the calls; `recorded` for the trace's own.");
const UNKNOWN = count("unknown_calls", "call", "At most so many more calls may have been issued.");
const START = count("start_ns", "ns", "Beginning, since the trace's first event.");

export const TIMELINE: TableSchema<TimelineRow> = {
  name: "timeline",
  order: "policies as requested, then `recorded`; within a policy, paths, primitives and time",
  columns: [
    POLICY,
    label("path", "Stage-2 operation that causes the calls."),
    label("primitive", "KVM invalidation primitive that is called."),
    START,
    count("bin_ns", "ns", "Width of the time bin; the same in every row."),
    count("calls", "call", "Calls that are certain."),
    count("tlbi", "instruction", "TLBI instructions in those calls."),
    count("dsb", "instruction", "DSB instructions in those calls."),
    UNKNOWN,
  ],
};

export const PAIRED: TableSchema<PairedRow> = {
  name: "paired",
  order: "policies as requested, then `recorded`; the first has no row",
  columns: [
    label("policy", "Policy that is compared."),
    label("than", "Policy that it is compared with: the first."),
    count("operations", "operation", "Operations in which either issues a TLBI."),
    count("fewer", "operation", "Of those, where `policy` takes fewer TLBI instructions."),
    count("equal", "operation", "Of those, where both take as many."),
    count("more", "operation", "Of those, where `policy` takes more."),
    count("tlbi_difference", "instruction", "Sum of the differences, `policy` minus `than`."),
    count("least_difference", "instruction", "Least difference of one operation, at most 0."),
    count("largest_difference", "instruction", "Largest difference of one operation, at least 0."),
  ],
};

export const OPERATION_SIZES: TableSchema<OperationSizeRow> = {
  name: "operation_sizes",
  order: "policies as requested, then `recorded`; within a policy, sizes ascending",
  columns: [
    POLICY,
    count("tlbi_from", "instruction", "Least TLBI instructions of an operation in this class."),
    count("tlbi_below", "instruction", "All of them have fewer than this."),
    count("operations", "operation", "Operations in this class."),
  ],
};

export const STALLS: TableSchema<StallRow> = {
  name: "stalls",
  order: "policies as requested, then `recorded`; within a policy, operations by time",
  columns: [
    POLICY,
    count(
      "rank",
      "",
      "1 for the most TLBI and DSB of this policy; 0: an example of its time only.",
    ),
    count("operation", "", "Number of the operation, in the order of time."),
    START,
    count("recorded_ns", "ns", "From its first event to its last, in the recorded run."),
    label("path", "Stage-2 operation."),
    count("vm", "", "Number of the stage-2 context, in the order in which the trace shows them."),
    nullable("ipa_start_bytes", "byte", "First byte of its IPA range; null: the whole VM."),
    nullable("ipa_bytes", "byte", "Length of that range."),
    count("calls", "call", "Calls that are certain."),
    count("tlbi", "instruction", "TLBI instructions in those calls."),
    count("dsb", "instruction", "DSB instructions in those calls."),
    UNKNOWN,
    count("cpu", "", "CPU that it ran on."),
    count("pid", "", "Thread that did it."),
    count("line", "", "Line, or record, at which it begins."),
    estimate(
      "stall_us_low",
      "us",
      "Estimated time in its flushes, constants of an idle machine: 5 of 100 draws are below; null: a call has no price.",
    ),
    estimate("stall_us_median", "us", "Median of the draws; undecided calls are not in it."),
    estimate("stall_us_high", "us", "95 of 100 draws are below, all undecided calls made."),
  ],
};

export const STALL_EVENTS: TableSchema<StallEventRow> = {
  name: "stall_events",
  order: "operations by number; within one, events in the order of the trace",
  columns: [
    count("operation", "", "Number of the operation in `stalls`."),
    count("line", "", "Line, or record, of the trace."),
    nullable("byte_offset", "byte", "Where the line begins in the unpacked text; null: no text."),
    START,
    count("cpu", "", "CPU of the event."),
    count("pid", "", "Thread of the event."),
    label("event", "Name that the trace gives the event."),
    nullable("addr", "", "Its address, in the unit of its kind; null: it has none."),
    nullable("len", "", "Its length, in the unit of its kind; null: it has none."),
    label("text", "The line as it stands in the trace; empty: it was not read again."),
  ],
};

export const TIMELINE_PHASES: TableSchema<TimelinePhaseRow> = {
  name: "timeline_phases",
  order: "VMs whose dirty logging the trace shows; within one, phases in time, then policies",
  columns: [
    count("vm", "", "Number of the virtual machine in the trace, as `downtime` numbers them."),
    count("number", "", "Number of the phase, in the order of time."),
    label("phase", "run, pass, blackout, rollback or after."),
    nullable("pass", "pass", "Number of the pass; null in other phases."),
    START,
    count("end_ns", "ns", "End of the phase, since the trace's first event; not part of it."),
    label("because", "What says that it begins there."),
    label("confidence", "recorded or inferred."),
    nullable("line", "", "Line, or record, that says it; null: no single one."),
    POLICY,
    count("calls", "call", "Calls of this VM in the phase that are certain."),
    count("tlbi", "instruction", "TLBI instructions in those calls."),
    count("dsb", "instruction", "DSB instructions in those calls."),
    UNKNOWN,
  ],
};

export const HEAT: TableSchema<HeatTableRow> = {
  name: "heat",
  order: "VMs, the busiest first; within one, IPA, time, layers and policies; no row for 0 pages",
  columns: [
    count("vm", "", "Number of the stage-2 context, as in `stalls`."),
    count("ipa_start_bytes", "byte", "First byte of this part of the IPA space."),
    count("ipa_bytes", "byte", "Length of the part; the same for all of one VM."),
    START,
    count("bin_ns", "ns", "Width of the time bin; the same in every row."),
    label(
      "layer",
      "mapped_level1, 2, 3 (at the end of the bin, as far as the trace shows), changed, invalidated, over_invalidated.",
    ),
    label("policy", "Policy of the last two layers, otherwise empty."),
    count("pages", "page", "Pages; of over_invalidated those whose translation had not changed."),
  ],
};
