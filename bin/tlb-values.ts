import { parseOverride, SHAPE_PARTS, type ShapeOverride } from "../replay/tlb/preset-shape.ts";
import type { TlbPreset } from "../replay/tlb/presets/preset.ts";
import { findPreset, TLB_PRESETS } from "../replay/tlb/presets/registry.ts";
import { KNOB_NAMES, type KnobName, KNOBS } from "../replay/tlb/refills/knobs.ts";
import { badOption, choice, type RawValue, repeated } from "./values.ts";

/** Asks for the presets and every number of theirs instead of an answer. */
export const LIST = "list";

/** The presets as help lines: what they stand for, and how well their main numbers are known. */
export const PRESET_HELP: readonly string[] = TLB_PRESETS.map(
  ({ id, title, firstLevelData, secondLevel }) =>
    `${id.padEnd(16)} ${title}: L1 ${firstLevelData.confidence}, L2 ${secondLevel.confidence}`,
);

export function parsePreset(raw: RawValue): TlbPreset | typeof LIST {
  const id = choice("tlb", raw, [...TLB_PRESETS.map((preset) => preset.id), LIST]);
  return id === LIST ? LIST : findPreset(id)!;
}

/** `NAME=VALUE` of each item, which may be separated by commas too. */
function itemsOf(option: string, raw: RawValue): readonly string[] {
  return repeated(option, raw).flatMap((text) => text.split(",").map((item) => item.trim()));
}

export function parseShapeOverrides(raw: RawValue): readonly ShapeOverride[] {
  const overrides: ShapeOverride[] = [];
  for (const text of itemsOf("tlb-set", raw)) {
    const override = parseOverride(text);
    if (override === undefined) {
      throw badOption(
        "tlb-set",
        `'${text}' is not a part of a TLB`,
        `write l1=48, l2=256x5 (sets x ways, sets a power of two), coalesce=4, replace=fifo; parts are ${SHAPE_PARTS.join(", ")}`,
      );
    }
    if (overrides.some(({ part }) => part === override.part)) {
      throw badOption("tlb-set", `sets '${override.part}' twice`);
    }
    overrides.push(override);
  }
  return overrides;
}

export function parseKnobs(raw: RawValue): ReadonlyMap<KnobName, number> {
  const knobs = new Map<KnobName, number>();
  for (const text of itemsOf("tlb-knob", raw)) {
    const [, given = "", value = ""] = /^([A-Za-z0-9]+)=([a-z0-9.-]+)$/.exec(text) ?? [];
    const name = KNOB_NAMES.find((knob) => knob === given);
    if (name === undefined) {
      throw badOption("tlb-knob", `'${text}' is not NAME=NUMBER of ${KNOB_NAMES.join(", ")}`);
    }
    const number = knobNumber(name, value);
    if (knobs.has(name)) throw badOption("tlb-knob", `sets '${name}' twice`);
    knobs.set(name, number);
  }
  return knobs;
}

function knobNumber(name: KnobName, value: string): number {
  const { least, most, isWhole, names } = KNOBS[name];
  if (names !== undefined) {
    const index = names.indexOf(value);
    if (index < 0) throw badOption("tlb-knob", `${name} is one of ${names.join(", ")}`);
    return index;
  }
  const number = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= most) || (isWhole && !Number.isInteger(number))) {
    const kind = isWhole ? "a whole number" : "a number";
    throw badOption("tlb-knob", `${name} is ${kind} from ${least} to ${most}, not ${value}`);
  }
  return number;
}
