import { startLevelOf, type PageShift } from "../stage2/geometry.ts";
import type { Sourced, TlbPreset } from "./presets/preset.ts";
import type { ArrayShape, TlbShape, WalkGeometry } from "./shape.ts";
import type { Replacement } from "./tlb-array.ts";

/** Parts of a preset that `--tlb-set` replaces. */
export const SHAPE_PARTS = [
  "l1",
  "l1i",
  "l2",
  "coalesce",
  "stage2",
  "stage2-from",
  "walk",
  "replace",
] as const;
export type ShapePart = (typeof SHAPE_PARTS)[number];

/** A replaced part: pages or classes, or sets × ways. */
export interface ShapeOverride {
  readonly part: ShapePart;
  readonly text: string;
  readonly value: number | ArrayShape | Replacement;
}

/** One number of the model, and how it is known. */
export interface ShapeSource {
  readonly part: ShapePart;
  readonly text: string;
  readonly origin: string;
}

export interface ChosenShape {
  readonly shape: TlbShape;
  readonly sources: readonly ShapeSource[];
}

/**
 * The text of an override, `l2=256x5` or `l1=48`; undefined where it is none.
 * `l1`, `l1i`: entries, or sets × ways; `l2`, `stage2`, `walk`: sets × ways, sets a power of two;
 * `replace`: lru, fifo, tree-plru or random, of both levels; `coalesce`: 1 or 4; `stage2-from`: smallest leaf that a stage-2-only entry holds, 0 pages, 1 and 2 blocks.
 */
export function parseOverride(text: string): ShapeOverride | undefined {
  const replacement = REPLACEMENTS.find((one) => text === `replace=${one}`);
  if (replacement !== undefined) {
    return { part: "replace", text: replacement, value: replacement };
  }
  const [, name, given] = /^([a-z0-9-]+)=(\d+(?:x\d+)?)$/.exec(text) ?? [];
  const part = SHAPE_PARTS.find((one) => one === name);
  if (part === undefined || part === "replace" || given === undefined) return undefined;
  const [first, second] = given.split("x").map(Number);
  if (first === undefined || first > MOST || (second ?? 0) > MOST) return undefined;
  if (part === "coalesce" || part === "stage2-from") {
    const fits = part === "coalesce" ? first === 1 || first === 4 : first <= 2;
    return fits && second === undefined ? { part, text: given, value: first } : undefined;
  }
  const isFirst = part === "l1" || part === "l1i";
  if (second === undefined) {
    const value = { sets: 1, ways: first };
    return isFirst && first > 0 ? { part, text: given, value } : undefined;
  }
  // Without entries stage-2-only entries and walk caches do not exist.
  const mayBeEmpty = part === "stage2" || part === "walk";
  const isShape = Number.isInteger(Math.log2(first)) && (mayBeEmpty || second > 0);
  return isShape ? { part, text: given, value: { sets: first, ways: second } } : undefined;
}

const MOST = 1_048_576;
export const REPLACEMENTS: readonly Replacement[] = ["lru", "fifo", "tree-plru", "random"];

/** The numbers of a preset as texts, in the order of the parts, and how each is known. */
export function partsOf(preset: TlbPreset): readonly {
  readonly part: ShapePart;
  readonly text: string;
  readonly known: Sourced<unknown>;
}[] {
  const array = (
    part: ShapePart,
    known: Sourced<ArrayShape>,
  ): ReturnType<typeof partsOf>[number] => ({
    part,
    text: asText(known.value),
    known,
  });
  const number = (part: ShapePart, known: Sourced<number>): ReturnType<typeof partsOf>[number] => ({
    part,
    text: String(known.value),
    known,
  });
  return [
    array("l1", preset.firstLevelData),
    array("l1i", preset.firstLevelInstruction),
    array("l2", preset.secondLevel),
    number("coalesce", preset.coalescedPages),
    array("stage2", preset.stage2Only),
    number("stage2-from", preset.stage2OnlyFrom),
    array("walk", preset.walkCache),
    { part: "replace", text: preset.replacement.value, known: preset.replacement },
  ];
}

/** The shape of a preset with parts replaced, and where each number comes from. */
export function shapeOf(preset: TlbPreset, overrides: readonly ShapeOverride[]): ChosenShape {
  const overrideOf = (part: ShapePart): ShapeOverride | undefined =>
    overrides.find((one) => one.part === part);
  const of = <T>(part: ShapePart, known: Sourced<T>): T => {
    const override = overrideOf(part);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseOverride gives each part its kind
    return override === undefined ? known.value : (override.value as T);
  };
  const sources = partsOf(preset).map(({ part, text, known }): ShapeSource => {
    const override = overrideOf(part);
    if (override !== undefined) return { part, text: override.text, origin: "--tlb-set" };
    return { part, text, origin: `${preset.id}, ${known.confidence}: ${known.source}` };
  });
  const firstLevel = of("l1", preset.firstLevelData);
  const walkCache = of("walk", preset.walkCache);
  const replacement = of("replace", preset.replacement);
  const shape: TlbShape = {
    firstLevelEntries: firstLevel.sets * firstLevel.ways,
    firstLevelSets: firstLevel.sets,
    firstLevelReplacement: replacement,
    firstLevelInstruction: { ...of("l1i", preset.firstLevelInstruction), replacement },
    secondLevel: { ...of("l2", preset.secondLevel), replacement },
    coalescedPages: of("coalesce", preset.coalescedPages),
    stage2Only: of("stage2", preset.stage2Only),
    stage2OnlyFrom: of<number>("stage2-from", preset.stage2OnlyFrom),
    stage1Walk: walkCache,
    stage2Walk: walkCache,
  };
  return { shape, sources };
}

/** `48` of a fully associative array, else sets × ways. */
function asText({ sets, ways }: ArrayShape): string {
  return sets === 1 ? String(ways) : `${sets}x${ways}`;
}

/** Levels of the walks: a guest of 48 bits of VA, and a stage 2 of so many bits of IPA. */
export function walkGeometryOf(pageShift: PageShift, ipaBits: number): WalkGeometry {
  const spanShift = pageShift - 3;
  return {
    spanShift,
    stage1Levels: Math.ceil((48 - pageShift) / spanShift),
    stage2Levels: 4 - startLevelOf(ipaBits, pageShift),
  };
}
