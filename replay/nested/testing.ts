import { callOf } from "../replay.ts";
import { RANGE_6_9 } from "../policies/families/range.ts";
import { geometryOf, type PageShift } from "../stage2/geometry.ts";
import { Tally } from "../tally.ts";
import type { Granule } from "./granules.ts";
import { findNestedPolicy, type NestedPolicy } from "./nested-policy.ts";
import { ShadowContext } from "./shadow-context.ts";
import { withTag } from "./shadow-leaves.ts";
import { ShadowWorld, type WorldSetting } from "./shadow-world.ts";

/** For tests: one policy's shadow tables on a host with TLBIRANGE and FWB. */
export function worldOf(
  policy: NestedPolicy | string,
  { pageShift = 12, paBits = 48, isDeferred = true }: Partial<WorldOptions> = {},
): ShadowWorld {
  const features = { tlbirange: true, fwb: true, ttl: true, lpa2: false, dic: true };
  const setting: WorldSetting = {
    geometry: geometryOf(pageShift),
    host: { isDeferred, flushesTables: true },
    paBits,
    tallyOf: (id) => new Tally(id, callOf(pageShift, RANGE_6_9, features)),
  };
  const found = typeof policy === "string" ? findNestedPolicy(policy)! : policy;
  return new ShadowWorld(found, setting, false);
}

export interface WorldOptions {
  readonly pageShift: PageShift;
  readonly paBits: number;
  readonly isDeferred: boolean;
}

export function contextOf(granule: Granule = "4k", mmu: number = 1): ShadowContext {
  const context = new ShadowContext(mmu, true);
  context.showGranule(granule);
  return context;
}

/** Answers a fault with a leaf of `level` (of the host) that stands for a guest leaf of level `tag`. */
export function shadow(
  world: ShadowWorld,
  context: ShadowContext,
  addrBytes: number,
  tag: number,
  level = 3,
): void {
  const { geometry } = world.table(context);
  const lenPages = geometry.spanPages[level]!;
  const page = Math.floor(addrBytes / world.pageBytes);
  const first = page - (page % lenPages);
  world.fault(context, {
    page: first,
    lenPages,
    level,
    meta: withTag(0b1100, tag),
    physPage: first + 2 ** 20,
  });
}
