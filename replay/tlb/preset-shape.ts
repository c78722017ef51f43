import { startLevelOf, type PageShift } from "../stage2/geometry.ts";
import { ASSUMED_SMALL_ARRAY, type Sourced, TLB_PRESETS, type TlbPreset } from "./presets.ts";
import type { ArrayShape, TlbShape, WalkGeometry } from "./shape.ts";

/** Parts of a preset that `--tlb-set` replaces. */
export const SHAPE_PARTS = ["l1", "l2", "coalesce", "stage2", "stage2-from", "walk"] as const;
export type ShapePart = (typeof SHAPE_PARTS)[number];

/** A replaced part: entries or pages, or sets × ways. */
export interface ShapeOverride {
  readonly part: ShapePart;
  readonly text: string;
  readonly value: number | ArrayShape;
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

export function findPreset(id: string): TlbPreset | undefined {
  return TLB_PRESETS.find((preset) => preset.id === id);
}

/**
 * The text of an override, `l2=256x5` or `l1=48`; undefined where it is none.
 * `l1`: entries; `l2`, `stage2`, `walk`: sets × ways, sets a power of two; `coalesce`: 1 or 4;
 * `stage2-from`: smallest leaf that a stage-2-only entry holds, 0 pages, 1 and 2 blocks.
 */
export function parseOverride(text: string): ShapeOverride | undefined {
  const [, name, given] = /^([a-z0-9-]+)=(\d+(?:x\d+)?)$/.exec(text) ?? [];
  const part = SHAPE_PARTS.find((one) => one === name);
  if (part === undefined || given === undefined) return undefined;
  const numbers = given.split("x").map(Number);
  const [first, second] = numbers;
  if (first === undefined || numbers.some((number) => number > 1_048_576)) return undefined;
  const isArray = part === "l2" || part === "stage2" || part === "walk";
  if (isArray !== (second !== undefined)) return undefined;
  if (second !== undefined) {
    const isShape = Number.isInteger(Math.log2(first)) && (part !== "l2" || second > 0);
    return isShape ? { part, text: given, value: { sets: first, ways: second } } : undefined;
  }
  const fits =
    (part === "l1" && first > 0) ||
    (part === "coalesce" && (first === 1 || first === 4)) ||
    (part === "stage2-from" && first <= 2);
  return fits ? { part, text: given, value: first } : undefined;
}

/** The shape of a preset with parts replaced, and where each number comes from. */
export function shapeOf(preset: TlbPreset, overrides: readonly ShapeOverride[]): ChosenShape {
  const sources: ShapeSource[] = [];
  const of = <T>(part: ShapePart, known: Sourced<T>, show: (value: T) => string): T => {
    const override = overrides.find((one) => one.part === part);
    if (override !== undefined) {
      sources.push({ part, text: override.text, origin: "--tlb-set" });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseOverride gives each part its kind
      return override.value as T;
    }
    sources.push({
      part,
      text: show(known.value),
      origin: `${preset.id}, ${known.confidence}: ${known.source}`,
    });
    return known.value;
  };
  const walk = preset.walkCache ?? ASSUMED_SMALL_ARRAY;
  const firstLevelEntries = of("l1", preset.firstLevelData, String);
  const secondLevel = of("l2", preset.secondLevel, asArray);
  const coalescedPages = of("coalesce", preset.coalescedPages, String);
  const stage2Only = of("stage2", preset.stage2Only ?? ASSUMED_SMALL_ARRAY, asArray);
  const stage2OnlyFrom = of<number>("stage2-from", preset.stage2OnlyFrom, String);
  const walkCache = of("walk", walk, asArray);
  const shape: TlbShape = {
    firstLevelEntries,
    secondLevel,
    coalescedPages,
    stage2Only,
    stage2OnlyFrom,
    stage1Walk: walkCache,
    stage2Walk: walkCache,
  };
  return { shape, sources };
}

function asArray({ sets, ways }: ArrayShape): string {
  return `${sets}x${ways}`;
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
