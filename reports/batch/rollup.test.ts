import { describe, expect, it } from "vitest";
import { RollupBuilder, type RollupSetting } from "./rollup-builder.ts";
import { parseRollup, rollupJsonSchema } from "./rollup-schema.ts";
import { formatRollup } from "./rollup-text.ts";
import { rollupJson } from "./rollup.ts";
import { documentOf, downtimeTable, entryOf, flushesTable } from "./testing/documents.ts";

const SETTING: RollupSetting = {
  tool: { name: "tlbi-replay", version: "1.2.3" },
  parameters: { policy: "old,new" },
  sloMs: 300,
  worst: 2,
  worstBy: undefined,
};
const POLICIES = ["old", "new"] as const;

/** Three traces on two hosts; under `new` trace b flushes nothing, and so has no row. */
function filled(setting: RollupSetting = SETTING): RollupBuilder {
  const builder = new RollupBuilder(setting);
  const a = flushesTable([
    ["old", "IPA", 10, 40, 10, 1],
    ["old", "VM", 2, 4, 4, 0],
    ["new", "VM", 1, 2, 2, 0],
  ]);
  const b = flushesTable([["old", "VM", 3, 6, 6, 0]]);
  const c = flushesTable([
    ["old", "VM", 5, 10, 10, 0],
    ["new", "VM", 50, 100, 100, 0],
  ]);
  const altra = { host_model: "altra", vm_type: "small" };
  builder.add(
    entryOf("a", altra),
    documentOf({ key: "a", tables: [a], policies: POLICIES, kernel: "6.1.0", losses: 7 }),
    "results/a",
    null,
  );
  builder.add(
    entryOf("b", altra),
    documentOf({ key: "b", tables: [b], policies: POLICIES, kernel: "6.1.0" }),
    "results/b",
    "b.html",
  );
  builder.add(
    entryOf("c", { ...altra, host_model: "graviton", kernel: "6.12" }),
    documentOf({ key: "c", tables: [c], policies: POLICIES, kernel: "5.10.0" }),
    "results/c",
    null,
  );
  return builder;
}

describe("RollupBuilder", () => {
  it("adds rows up by policy, and counts a policy without rows as zero", () => {
    const rollup = filled().finish([], undefined);
    expect(rollup.traces).toMatchObject({ planned: 3, done: 3, lossy: 1, failed: 0 });
    const groups = rollup.groups.map(({ host_model, kernel, policy, traces, lossy, metrics }) => [
      `${host_model} ${kernel} ${policy}`,
      traces,
      lossy,
      metrics["tlbi"]?.min,
      metrics["tlbi"]?.p50,
      metrics["tlbi"]?.max,
      metrics["tlbi_per_s"]?.max,
    ]);
    // altra, old: 44 of a and 6 of b; new: 2 of a and none of b. The traces span 2 s.
    expect(groups).toStrictEqual([
      ["altra 6.1.0 new", 2, 1, 0, 0, 2, 1],
      ["altra 6.1.0 old", 2, 1, 6, 6, 44, 22],
      ["graviton 6.12 new", 1, 0, 100, 100, 100, 50],
      ["graviton 6.12 old", 1, 0, 10, 10, 10, 5],
    ]);
    expect(rollup.losses).toStrictEqual([
      {
        code: "EVENTS_LOST",
        severity: "dataLoss",
        sentence: "events were lost",
        traces: 1,
        count: 7,
      },
    ]);
  });

  it("names each of the worst traces once, with its worst policy and its page", () => {
    const { worst, worst_by } = filled().finish([], undefined);
    expect(worst_by).toBe("tlbi");
    expect(
      worst.map(({ rank, trace, policy, value, is_lossy }) => [
        rank,
        trace,
        policy,
        value,
        is_lossy,
      ]),
    ).toStrictEqual([
      [1, "c.txt", "new", 100, false],
      [2, "a.txt", "old", 44, true],
    ]);
    const all = filled({ ...SETTING, worst: 20 }).finish([], undefined).worst;
    expect(all.map(({ trace, report, result }) => [trace, report ?? result])).toStrictEqual([
      ["c.txt", "results/c"],
      ["a.txt", "results/a"],
      ["b.txt", "b.html"],
    ]);
    const named = filled({ ...SETTING, worstBy: "calls" }).finish([], undefined);
    expect([named.worst_by, named.worst[0]?.value]).toStrictEqual(["calls", 50]);
  });

  it("makes shares and figures of an estimate of downtime, and chooses the worst by it", () => {
    const builder = new RollupBuilder(SETTING);
    // Share of the draws that converge, and the guest's downtime in s; an SLO of 300 ms.
    const rows = [
      [1, 0.12],
      [0.4, 0.45],
      [0.6, 0.31],
      [0, null],
      // Not estimated: it counts for neither share.
      [null, null],
    ] as const;
    for (const [i, [share_of_draws, p95]] of rows.entries()) {
      const key = `d${i}`;
      const table = downtimeTable([
        { policy: "new", quantity: "source_downtime", share_of_draws, p50: 9, p95: 9 },
        { policy: "new", quantity: "guest_downtime", share_of_draws, p50: null, p95 },
      ]);
      const document = documentOf({ key, tables: [flushesTable([]), table], policies: ["new"] });
      builder.add(entryOf(key), document, key, null);
    }
    const rollup = builder.finish([], undefined);
    const [group] = rollup.groups;
    expect(group?.traces).toBe(5);
    expect(group?.not_converging).toStrictEqual({ traces: 2, of: 4 });
    expect(group?.above_slo).toStrictEqual({ traces: 2, of: 3 });
    expect(group?.metrics["guest_downtime_s_p95"]).toMatchObject({ n: 3, p50: 0.31, max: 0.45 });
    expect(group?.metrics["guest_downtime_s_p50"]).toBeUndefined();
    expect(rollup.metrics.find(({ name }) => name === "guest_downtime_s_p95")?.unit).toBe("s");
    expect([rollup.worst_by, rollup.worst[0]?.trace]).toStrictEqual([
      "guest_downtime_s_p95",
      "d1.txt",
    ]);
  });

  it("lists everything without a result", () => {
    const builder = filled();
    builder.addProblem(entryOf("z"), { code: "TIMEOUT", message: "too long" });
    builder.addProblem(entryOf("m"), { code: "MISSING", message: "nobody" });
    builder.addRefused("../x", { code: "OUTSIDE_ROOT", message: "outside" });
    const rollup = builder.finish([{ trace: "a2.txt", same_as: "a.txt" }], undefined);
    expect(rollup.traces).toMatchObject({
      planned: 5,
      done: 3,
      failed: 1,
      missing: 1,
      refused: 1,
      duplicates: 1,
    });
    expect(rollup.failures.map(({ trace, key, code }) => [trace, key, code])).toStrictEqual([
      ["../x", null, "OUTSIDE_ROOT"],
      ["m.txt", "m", "MISSING"],
      ["z.txt", "z", "TIMEOUT"],
    ]);
    const text = formatRollup(rollup, {});
    expect(text).toContain("5 traces planned: 3 done, 1 failed, 1 missing");
    expect(text).toContain("z.txt: too long [TIMEOUT]");
  });

  it("tells the drift against an earlier roll-up", () => {
    const before = filled().finish([], undefined);
    expect(filled().finish([], before).drift).toMatchObject({
      parameters_changed: false,
      changes: [],
      groups_appeared: [],
      groups_vanished: [],
    });
    const builder = new RollupBuilder({ ...SETTING, parameters: {} });
    const table = flushesTable([["old", "VM", 2, 9, 2, 0]]);
    const entry = entryOf("b", { host_model: "altra", vm_type: "small" });
    const document = documentOf({ key: "b", tables: [table], policies: ["old"], kernel: "6.1.0" });
    builder.add(entry, document, "results/b", null);
    const { drift } = builder.finish([], before);
    expect(drift?.parameters_changed).toBe(true);
    expect(drift?.groups_vanished).toHaveLength(3);
    const tlbi = drift?.changes.filter(({ metric }) => metric === "tlbi");
    // p50 of 6 and 44 is 6, p95 and p99 are 44.
    expect(
      tlbi?.map(({ statistic, before: then, after, relative }) => [
        statistic,
        then,
        after,
        relative,
      ]),
    ).toStrictEqual([
      ["p50", 6, 9, 0.5],
      ["p95", 44, 9, -35 / 44],
      ["p99", 44, 9, -35 / 44],
    ]);
  });
});

describe("the schema of rollup.json", () => {
  it("takes what is written, and says what is wrong with anything else", () => {
    const rollup = filled().finish([], filled().finish([], undefined));
    expect(parseRollup(rollupJson(rollup))).toStrictEqual({ rollup });
    expect(parseRollup("{")).toStrictEqual({ problem: "it is not JSON" });
    const older = rollupJson(rollup).replace('"version": 1', '"version": 0');
    expect(parseRollup(older)).toHaveProperty("problem", expect.stringMatching(/^version: /));
    expect(parseRollup("[]")).toHaveProperty("problem");
  });

  it("is published as a JSON Schema that names every member", async () => {
    const schema = JSON.parse(await rollupJsonSchema()) as {
      readonly title: string;
      readonly required: readonly string[];
      readonly additionalProperties: boolean;
    };
    expect(schema.title).toBe("tlbi-replay/rollup 1");
    const members = Object.keys(filled().finish([], undefined));
    expect(schema.required.toSorted()).toStrictEqual(members.toSorted());
    expect(schema.additionalProperties).toBe(false);
  });
});
