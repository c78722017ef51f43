import { describe, expect, it } from "vitest";
import { callOf } from "../../replay.ts";
import { BOTH, policyOf } from "../../testing/replay-of.ts";
import { refillsOf, SHAPE } from "../../testing/refills-of.ts";
import { GIB, KIB, MIB, Trace } from "../../testing/trace-builder.ts";
import { Diagnostics } from "../../../ingest/diagnostics.ts";
import { PointerTable } from "../../../ingest/events/pointers.ts";
import { ContextRegistry } from "../../contexts/registry.ts";
import { Path } from "../../paths.ts";
import { mapRange } from "../../stage2/map.ts";
import { geometryOf } from "../../stage2/geometry.ts";
import { FanOut } from "../../fan-out.ts";
import { Primitive } from "../../tlbi/primitives.ts";
import { refillsWithin } from "../closed-form.ts";
import { PageKeys } from "../page-keys.ts";
import { walkGeometryOf } from "../preset-shape.ts";
import { Guest } from "./guest.ts";
import { type KnobName, knobsOf } from "./knobs.ts";
import { streamMaker } from "./streams.ts";
import { RefillWorld } from "./world.ts";

const PAGES = 4096;
const ENTRIES = 512;
const FLUSHES = 60;

/** A second level of 32 ways behind a first level of one entry: nearly what the formula speaks of. */
const FLAT = {
  ...SHAPE,
  firstLevelEntries: 1,
  secondLevel: { sets: ENTRIES / 32, ways: 32 },
};

/** Refills per flush of the simulation, each flush followed by the next after `within` visits. */
function simulated(theta: number, within: number): { refills: number; expected: number } {
  const geometry = geometryOf(12);
  const contexts = new ContextRegistry(
    geometry,
    new PointerTable(),
    new Diagnostics("t"),
    "fresh",
    40,
  );
  const context = contexts.resolve(1, 1, undefined, 1);
  const operation = { contextId: 1, path: 0, rootLevel: 1, rootAssumed: false };
  mapRange(context.table, 0, PAGES, 2 ** 28 + 1, 4 | 8 | 64, true, new FanOut([], operation));
  const policy = { policy: policyOf("vmid-wide"), features: BOTH };
  const encoding = callOf(12, policy.policy, policy.features).encoding;
  const knobs = knobsOf(
    new Map<KnobName, number>([
      ["theta", theta],
      ["visitsPerUs", 1000],
      ["runLength", 1],
      ["capVisits", 1e6],
    ]),
  );
  const world = new RefillWorld(
    { knobs, seed: 3, start: 0, isBase: true, withPossible: false },
    { shape: FLAT, geometry: walkGeometryOf(12, 40), keys: new PageKeys() },
    [encoding],
    streamMaker(undefined, 12),
  );
  const guest = new Guest(context, 0, 0);
  const vcpu = guest.vcpuOf(1);
  // One visit a ns.
  let now = 0;
  const visit = (count: number): void => {
    world.renew(guest, 0);
    world.advance(0, guest, vcpu, now, now + count);
    now += count;
  };
  guest.footprint.addRange(0, PAGES);
  const recover = 6 * ENTRIES;
  visit(recover);
  const lane = world.lanes[1]!;
  for (let flush = 0; flush < FLUSHES; flush += 1) {
    world.heal(0);
    lane.flush(Primitive.VM, 0, 0, 0, 0, 1, 0, Path.unmap, 0, world.nextVisit);
    visit(within);
    // Until the TLB is warm again nothing counts: the weight of this time is 0.
    guest.weight[0] = 0;
    visit(recover);
    guest.weight[0] = 1;
  }
  const weights = Float64Array.from({ length: PAGES }, (_, rank) => (rank + 1) ** -theta);
  const sum = weights.reduce((a, b) => a + b, 0);
  const refills = lane.combined[Path.unmap]! / FLUSHES;
  return {
    refills,
    expected: refillsWithin(
      weights.map((weight) => weight / sum),
      ENTRIES,
      within,
    ),
  };
}

it.each([
  [0, 400],
  [0.6, 4096],
  [0.99, 200],
  [0.99, 4096],
  [1.2, 1000],
])("theta %d, the next flush %d visits later: as the closed form", (theta, within) => {
  const { refills, expected } = simulated(theta, within);
  expect(Math.abs(refills - expected) / expected).toBeLessThan(0.07);
});

/** A guest of 4096 pages that runs for `us` between the unmaps of single pages elsewhere. */
function steadyGuest(us: number): Trace {
  const trace = new Trace();
  const vm = trace.vm().create({ base: GIB, size: 64 * MIB });
  const other = GIB + 32 * MIB;
  vm.fault(GIB, 3, "translation");
  vm.populate(GIB, 16 * MIB, 4 * KIB);
  vm.populate(other, 256 * KIB, 4 * KIB);
  const run = (times: number): void => {
    for (let i = 0; i < times; i += 1) vm.entry().exit();
  };
  // Each µs in the guest is one row further.
  run(16);
  for (let page = 0; page < 60; page += 1) {
    vm.unmap(other + page * 4 * KIB, 4 * KIB);
    run(us);
  }
  return trace;
}

describe("the closed form of a trace", () => {
  it.each([
    [0, 400, 1],
    [0.6, 500, 2],
    [0.99, 700, 3],
    [1.2, 300, 1],
  ])("theta %d, %d visits a µs: as the simulation of it", (theta, visitsPerUs, us) => {
    const knobs = new Map<KnobName, number>([
      ["theta", theta],
      ["footprint", 1],
      ["visitsPerUs", visitsPerUs],
      ["capVisits", 1_000_000],
      ["episodes", 1000],
    ]);
    const options = { stream: "generated", knobs, shape: FLAT } as const;
    const { totals, closedForm } = refillsOf(steadyGuest(us), ["vmid-wide"], options);
    const found = totals.find(({ hypothesis }) => hypothesis === "combined")!.combined.median;
    const [formula] = closedForm!.totals;
    expect(formula).toMatchObject({ policy: "vmid-wide", intervals: 60 });
    expect(Math.abs(formula!.refills - found) / found).toBeLessThan(0.1);
  });
});
