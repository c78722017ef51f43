import { setBytesOf } from "../../replay/migration/dirty-process.ts";
import type { Ranged } from "../../replay/migration/distribution.ts";
import { LOG_PAGE_BYTES } from "../../replay/migration/migration-input.ts";
import type { RollbackInput } from "../../replay/migration/rollback.ts";
import { sizeText } from "../../reports/downtime/units.ts";
import { badOption } from "../values.ts";
import type { MigrationParts } from "./migration-of.ts";
import type { SettingList } from "./setting-list.ts";
import { firstOf, fromOption, type SourceFacts } from "./source-facts.ts";
import type { DowntimeValues } from "./values.ts";

export interface RollbackParts {
  readonly rollback: RollbackInput | undefined;
  readonly because: string | undefined;
  readonly ranges: { readonly blocks: Ranged | undefined; readonly fill: Ranged | undefined };
}

/** Blocks that a roll-back puts together again: given, of a case, of the trace, or those of the hot set. */
export function rollbackOf(
  values: DowntimeValues,
  facts: SourceFacts,
  parts: MigrationParts,
  settings: SettingList,
): RollbackParts {
  const none = { blocks: undefined, fill: undefined };
  const { blockBytes } = parts;
  if (values.fill !== undefined && values.blocks === undefined && facts.blockPtes === undefined) {
    throw badOption("fill", "says how full blocks are, and there are none", "give --blocks");
  }
  const faultingVcpus = settings.count(
    "faulting vCPUs",
    firstOf(fromOption("faulting-vcpus", values["faulting-vcpus"]), facts.faultingVcpus) ?? {
      value: parts.vcpus,
      origin: "assumed: all",
    },
  );
  const shared = {
    blockBytes,
    faultingVcpus,
    translationFaultVcpus: values["clean-vcpus"] ?? 1,
  };
  if (values.blocks === undefined && facts.blockPtes !== undefined) {
    const { value, origin } = facts.blockPtes;
    settings.text("blocks", `${value.length}, each as full as the trace shows`, origin);
    const rollback = { ...shared, ptes: value };
    return { rollback, because: undefined, ranges: { blocks: undefined, fill: values.fill } };
  }
  if (blockBytes <= LOG_PAGE_BYTES) {
    const because =
      "the guest is backed by pages, not blocks: nothing is put together again (--host-page)";
    return { rollback: undefined, because, ranges: none };
  }
  if (values.blocks === undefined && parts.ranges.dirty_rate?.high === 0) {
    const because = "nothing is written, so no block is broken and nothing is put together again";
    return { rollback: undefined, because, ranges: none };
  }
  const counted = blocksOf(values, parts);
  if (counted === undefined) {
    const because =
      "how many blocks the guest comes back to is not known (--blocks, --hot-set, or a trace)";
    return { rollback: undefined, because, ranges: none };
  }
  const { blocks, origin } = counted;
  const most = Math.round(blocks.high);
  settings.text("blocks", rangeText(blocks, Math.round), origin);
  const fill = values.fill ?? values.case?.parameters.fill ?? { low: 1, high: 1, law: "uniform" };
  settings.text(
    "fill",
    rangeText(fill, (value) => value),
    fillOrigin(values),
  );
  return {
    rollback: { ...shared, ptes: new Float64Array(most).fill(blockBytes / LOG_PAGE_BYTES) },
    because: undefined,
    ranges: { blocks, fill },
  };
}

function blocksOf(
  values: DowntimeValues,
  { migration, blockBytes, ranges, memoryBytes }: MigrationParts,
): { readonly blocks: Ranged; readonly origin: string } | undefined {
  if (values.blocks !== undefined) {
    if (memoryBytes !== undefined && values.blocks.high * blockBytes > memoryBytes) {
      throw badOption(
        "blocks",
        `of ${sizeText(blockBytes)} are more (${values.blocks.high}) than the memory holds (${sizeText(memoryBytes)})`,
      );
    }
    return { blocks: values.blocks, origin: "--blocks" };
  }
  if (values.case !== undefined) {
    const origin = `--case ${values.case.id}: inferred from its result`;
    return { blocks: values.case.parameters.blocks, origin };
  }
  const set = ranges.hot_set;
  if (set !== undefined) {
    const blocks = {
      low: Math.ceil(set.low / blockBytes),
      high: Math.ceil(set.high / blockBytes),
      law: "uniform",
    } as const;
    return { blocks, origin: "the hot set in blocks, all of it touched again" };
  }
  const bytes = migration === undefined ? Number.POSITIVE_INFINITY : setBytesOf(migration.dirty);
  if (!Number.isFinite(bytes)) return undefined;
  const count = Math.ceil(bytes / blockBytes);
  return {
    blocks: { low: count, high: count, law: "uniform" },
    origin: "the written memory in blocks",
  };
}

function fillOrigin(values: DowntimeValues): string {
  if (values.fill !== undefined) return "--fill";
  if (values.case !== undefined) return `--case ${values.case.id}: inferred from its result`;
  return "assumed: every page is mapped";
}

function rangeText({ low, high }: Ranged, shown: (value: number) => number): string {
  return low === high ? String(shown(low)) : `${shown(low)} to ${shown(high)}`;
}
