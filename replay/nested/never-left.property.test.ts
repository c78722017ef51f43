import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Granule, GRANULE_BYTES, leafBytes } from "./granules.ts";
import { byIpa, byRange, type Invalidation, ofWhole } from "./invalidation.ts";
import { NESTED_POLICIES, SEARCH_VARIANTS } from "./nested-policy.ts";
import type { ShadowContext } from "./shadow-context.ts";
import { forEachLeaf } from "./shadow-leaves.ts";
import type { ShadowWorld } from "./shadow-world.ts";
import { contextOf, worldOf } from "./testing.ts";

/**
 * A slow, obvious model: the guest's stage 2 as a list of leaves, and the shadow as a map of host pages to
 * the guest's leaf that they stand for. Whatever a guest invalidates must be gone from every policy's table.
 */
interface GuestLeaf {
  readonly startBytes: number;
  readonly bytes: number;
  readonly tag: number;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Guest memory: regions of one leaf size each, side by side, in the first GiBs. */
function guestLeafAt(granule: Granule, addrBytes: number): GuestLeaf {
  const region = Math.floor(addrBytes / GIB) % 3;
  const largest = granule === "4k" ? 1 : 2;
  const tag = [3, 2, largest][region]!;
  const bytes = leafBytes(granule, tag);
  return { startBytes: addrBytes - (addrBytes % bytes), bytes, tag };
}

type Step =
  | { readonly do: "fault"; readonly addr: number; readonly isLarge: boolean }
  | { readonly do: "ipa"; readonly addr: number; readonly hasTtl: boolean }
  | { readonly do: "range"; readonly addr: number; readonly scale: number; readonly num: number }
  | { readonly do: "vmid" };

/** A few places in three GiBs, near each other often: at the heads of blocks, and behind them. */
const address = fc
  .tuple(
    fc.integer({ min: 0, max: 2 }),
    fc.constantFrom(0, 2 * MIB, 32 * MIB, 34 * MIB, 512 * MIB, GIB - 2 * MIB),
    fc.integer({ min: 0, max: 40 }),
  )
  .map(([gib, block, page]) => gib * GIB + block + page * 4096);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("fault" as const),
      addr: address,
      isLarge: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("ipa" as const), addr: address, hasTtl: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("range" as const),
      addr: address,
      scale: fc.integer({ min: 0, max: 3 }),
      num: fc.integer({ min: 0, max: 31 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("vmid" as const) }) },
);

class PageMap {
  readonly #granule: Granule;
  readonly #hostPageBytes: number;
  readonly #pages = new Map<number, GuestLeaf>();

  constructor(granule: Granule, hostPageBytes: number) {
    this.#granule = granule;
    this.#hostPageBytes = hostPageBytes;
  }

  add(startPage: number, lenPages: number, leaf: GuestLeaf): void {
    for (let i = 0; i < lenPages; i += 1) this.#pages.set(startPage + i, leaf);
  }

  /** Forgets what the guest invalidated, and says which host pages those were. */
  take(one: Step): readonly number[] {
    const gone: number[] = [];
    for (const [page, leaf] of this.#pages) {
      if (this.#isNamed(one, page, leaf)) gone.push(page);
    }
    for (const page of gone) this.#pages.delete(page);
    return gone;
  }

  /** A policy may clear more than it has to. */
  keepOnly(pages: ReadonlySet<number>): void {
    for (const page of this.#pages.keys()) if (!pages.has(page)) this.#pages.delete(page);
  }

  #isNamed(one: Step, page: number, leaf: GuestLeaf): boolean {
    if (one.do === "vmid") return true;
    const pageStart = page * this.#hostPageBytes;
    if (one.do === "ipa") {
      const inLeaf = one.addr >= leaf.startBytes && one.addr < leaf.startBytes + leaf.bytes;
      return inLeaf || (one.addr >= pageStart && one.addr < pageStart + this.#hostPageBytes);
    }
    if (one.do === "fault") return false;
    const [start, end] = rangeOf(this.#granule, one);
    return pageStart < end && pageStart + this.#hostPageBytes > start;
  }
}

function rangeOf(
  granule: Granule,
  one: Extract<Step, { readonly do: "range" }>,
): readonly [number, number] {
  const unit = GRANULE_BYTES[granule];
  const start = one.addr - (one.addr % unit);
  return [start, start + (one.num + 1) * 2 ** (5 * one.scale + 1) * unit];
}

function invalidationOf(granule: Granule, one: Step): Invalidation {
  if (one.do === "ipa") {
    return byIpa(one.addr, one.hasTtl ? guestLeafAt(granule, one.addr).bytes : 0);
  }
  if (one.do === "range") {
    const [start, end] = rangeOf(granule, one);
    return byRange(start, end - start, 0);
  }
  return ofWhole("vmalls12");
}

function leafPages(world: ShadowWorld, context: ShadowContext): Set<number> {
  const pages = new Set<number>();
  forEachLeaf(world.table(context), 0, world.sizePages, ({ page, lenPages }) => {
    for (let i = 0; i < lenPages; i += 1) pages.add(page + i);
  });
  return pages;
}

/** Host page sizes with guest granules: equal, larger and smaller. */
const MACHINES = [
  [12, "4k"],
  [12, "16k"],
  [12, "64k"],
  [14, "4k"],
  [14, "16k"],
  [16, "4k"],
  [16, "64k"],
] as const;

const ALL = [...NESTED_POLICIES, ...SEARCH_VARIANTS.filter(({ id }) => id !== "none")];

describe.each(MACHINES)("host pages of 2^%i bytes, guest granule %s", (pageShift, granule) => {
  it.each(ALL)("$id never leaves what the guest invalidated", (policy) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const world = worldOf(policy, { pageShift });
        const context = contextOf(granule);
        const { pageBytes } = world;
        const { spanPages, minBlockLevel } = world.table(context).geometry;
        const model = new PageMap(granule, pageBytes);
        for (const one of steps) {
          if (one.do === "fault") {
            const leaf = guestLeafAt(granule, one.addr);
            // A shadow leaf is as large as the smaller of both stages: a host block where both have one.
            const blockLevel = Math.max(2, minBlockLevel);
            const isBlock = one.isLarge && spanPages[blockLevel]! * pageBytes <= leaf.bytes;
            const lenPages = isBlock ? spanPages[blockLevel]! : 1;
            const page = Math.floor(one.addr / pageBytes);
            const first = page - (page % lenPages);
            // A page that is mapped already does not fault.
            if (leafPages(world, context).has(page)) continue;
            const clash = [...leafPages(world, context)].some(
              (held) => held >= first && held < first + lenPages,
            );
            if (clash) continue;
            world.fault(context, {
              page: first,
              lenPages,
              level: isBlock ? blockLevel : 3,
              meta: leaf.tag << 6,
              physPage: first,
            });
            model.add(first, lenPages, leaf);
            continue;
          }
          world.invalidate(invalidationOf(granule, one), context, () => false);
          const gone = model.take(one);
          const left = leafPages(world, context);
          expect(gone.filter((page) => left.has(page))).toEqual([]);
          model.keepOnly(left);
        }
      }),
      { numRuns: 25 },
    );
  });
});
