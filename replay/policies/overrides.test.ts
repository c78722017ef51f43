import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TraceError } from "../../ingest/errors.ts";
import { RANGE_6_6, RANGE_6_9 } from "./families/range.ts";
import { PGTABLE_5_10 } from "./families/pgtable.ts";
import { RFC_2020 } from "./families/rfc-2020.ts";
import { FLAG_VALUES, type FlagName, type Policy } from "./flags.ts";
import {
  acceptedValues,
  applyOverrides,
  clashIn,
  didYouMean,
  FLAG_NAMES,
  isFlagValue,
  type FlagOverride,
} from "./overrides.ts";
import { POLICIES } from "./registry.ts";

const BOUNDS: Readonly<Record<string, readonly [number, number]>> = {
  unmapThresholdPages: [1, 2_097_152],
  maxRangePages: [1, 2_097_152],
  rangeCutoverPages: [0, 1_099_511_627_776],
};

function override(policy: Policy, ...texts: readonly string[]): Policy {
  return applyOverrides(policy, texts.map(parse), "--flag");
}

function parse(text: string): FlagOverride {
  const [name = "", value = ""] = text.split("=");
  return { name, value };
}

function errorOf(run: () => unknown): TraceError {
  try {
    run();
  } catch (error) {
    if (error instanceof TraceError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("values", () => {
  it("turns texts into the flag's type", () => {
    const { flags } = override(
      RANGE_6_9,
      "unmap=leaf",
      "lpa2Aware=false",
      "rangeCutoverPages=65536",
    );
    expect(flags).toEqual({
      ...RANGE_6_9.flags,
      unmap: "leaf",
      lpa2Aware: false,
      rangeCutoverPages: 65_536,
    });
  });

  it("takes the bounds of each count and nothing beyond", () => {
    const counts = FLAG_NAMES.filter((name) => FLAG_VALUES[name] === "count");
    expect(counts.sort()).toEqual(Object.keys(BOUNDS).sort());
    for (const name of counts) {
      const [min, max] = BOUNDS[name]!;
      expect(override(RANGE_6_9, `${name}=${min}`).flags[name]).toBe(min);
      expect(override(RANGE_6_9, `${name}=${max}`).flags[name]).toBe(max);
      expect(() => override(RANGE_6_9, `${name}=${min - 1}`)).toThrow(TraceError);
      expect(() => override(RANGE_6_9, `${name}=${max + 1}`)).toThrow(TraceError);
    }
  });

  it.each(["", "-1", "1.5", "1e3", "0x10", " 4", "9".repeat(400), "many"])(
    "does not take %j for a number of pages",
    (value) => {
      const error = errorOf(() =>
        applyOverrides(RANGE_6_9, [{ name: "maxRangePages", value }], "x"),
      );
      expect(error.message).toBe(
        `maxRangePages takes whole numbers from 1 to 2097152, not '${value}'`,
      );
    },
  );

  it.each(["True", "1", "yes", ""])("does not take %j for true or false", (value) => {
    const error = errorOf(() => applyOverrides(RANGE_6_9, [{ name: "leafHint", value }], "--flag"));
    expect(error.message).toBe(`leafHint takes true, false, not '${value}'`);
    expect(error.hint).toBeUndefined();
  });

  it("names the accepted values and the one probably meant", () => {
    const error = errorOf(() => override(RANGE_6_9, "unmap=leef"));
    expect(error).toMatchObject({
      code: "BAD_OPTION",
      where: "--flag",
      message: "unmap takes leaf, deferred, threshold, vmid, range, exact, not 'leef'",
      hint: "did you mean 'leaf'?",
    });
  });

  it("checks typed values by their type", () => {
    expect(isFlagValue("leafHint", true)).toBe(true);
    expect(isFlagValue("leafHint", "true")).toBe(false);
    expect(isFlagValue("maxRangePages", 512)).toBe(true);
    expect(isFlagValue("maxRangePages", "512")).toBe(false);
    expect(isFlagValue("maxRangePages", Number.NaN)).toBe(false);
    expect(isFlagValue("age", "vmid")).toBe(true);
    expect(isFlagValue("age", null)).toBe(false);
    expect(acceptedValues("age")).toBe("vmid, none");
  });
});

describe("names", () => {
  it("lists the flags for an unknown one, with the closest", () => {
    const error = errorOf(() => override(RANGE_6_9, "range-cutover-pages=4"));
    expect(error.code).toBe("BAD_OPTION");
    expect(error.where).toBe("--flag");
    expect(error.hint).toBe("did you mean 'rangeCutoverPages'?");
    expect(error.message).toMatch(/^'range-cutover-pages' is not a flag; the flags are unmap, /);
    for (const name of FLAG_NAMES) expect(error.message).toContain(name);
  });

  it.each(["toString", "__proto__", "constructor", ""])("does not know %j", (name) => {
    const error = errorOf(() => applyOverrides(RANGE_6_9, [{ name, value: "true" }], "--flag"));
    expect(error.message).toContain(`'${name}' is not a flag`);
  });

  it("refuses a flag that is set twice", () => {
    const error = errorOf(() => override(RANGE_6_9, "age=none", "relax=ipa", "age=vmid"));
    expect(error).toMatchObject({ code: "BAD_OPTION", message: "sets 'age' twice" });
  });

  it("suggests names that contain the word", () => {
    expect(didYouMean("cutover", FLAG_NAMES)).toBe("did you mean 'rangeCutoverPages'?");
    expect(didYouMean("umap", FLAG_NAMES)).toBe("did you mean 'unmap'?");
    expect(didYouMean("rangeEncode", ["other", "rangeEncoder", "xRangeEncode"])).toBe(
      "did you mean 'rangeEncoder' or 'xRangeEncode'?",
    );
    expect(didYouMean("zzzzzzzzzz", FLAG_NAMES)).toBeUndefined();
  });
});

describe("detail", () => {
  it("says what changed, and keeps id and summary", () => {
    const policy = override(RANGE_6_9, "unmap=leaf", "rangeCutoverPages=64");
    expect(policy.id).toBe("range-6.9");
    expect(policy.summary).toBe(RANGE_6_9.summary);
    expect(policy.detail).toBe("--flag: unmap=leaf (was deferred), rangeCutoverPages=64 (was 0)");
  });

  it("stands behind the detail of the policy", () => {
    const kernel: Policy = { ...PGTABLE_5_10, detail: "kernel 5.10.223" };
    expect(override(kernel, "relax=ipa-local").detail).toBe(
      "kernel 5.10.223; --flag: relax=ipa-local (was ipa)",
    );
  });

  it("leaves a policy alone that has the value already", () => {
    expect(override(RANGE_6_9, "unmap=deferred", "leafHint=true")).toBe(RANGE_6_9);
    expect(override(RANGE_6_9)).toBe(RANGE_6_9);
  });

  it.each([
    [PGTABLE_5_10, "deferNeedsFwb=false", "no effect without unmap=deferred: deferNeedsFwb"],
    [RANGE_6_9, "unmapThresholdPages=9", "no effect without unmap=threshold: unmapThresholdPages"],
    [PGTABLE_5_10, "collapseStart=fault", "no effect without collapse=range: collapseStart"],
    [PGTABLE_5_10, "lpa2Aware=true", "no effect in a policy that issues no RANGE: lpa2Aware"],
    [
      RANGE_6_9,
      "rangeEncoder=ascending",
      "the ascending encoder ignores LPA2, so lpa2Aware=true has no effect",
    ],
    [
      RANGE_6_6,
      "lpa2Aware=true",
      "the ascending encoder ignores LPA2, so lpa2Aware=true has no effect",
    ],
    [
      RANGE_6_9,
      "levelZeroIsHint=false",
      "no kernel has noHintArgument=ttl-unknown with levelZeroIsHint=false",
    ],
  ])("%o with %s: %s", (policy, text, note) => {
    expect(override(policy, text).detail?.split("; ").slice(1)).toEqual([note]);
  });

  it.each([
    [RANGE_6_9, "rangeCutoverPages=512"],
    [RANGE_6_9, "deferredTableFlush=false"],
    [RANGE_6_9, "noHintArgument=zero"],
    [RFC_2020, "unmapThresholdPages=256"],
    [PGTABLE_5_10, "logFlush=exact"],
  ])("%o with %s has nothing to note", (policy, text) => {
    expect(override(policy, text).detail).not.toContain(";");
  });
});

describe("contradictions", () => {
  it("refuses the threshold strategy beside range calls", () => {
    const error = errorOf(() => override(RANGE_6_9, "unmap=threshold", "relax=range"));
    expect(error).toMatchObject({
      code: "BAD_OPTION",
      where: "--flag",
      message:
        "policy range-6.9: unmap=threshold has no range instructions and cannot stand beside collapse=range, relax=range, logFlush=range",
      hint: "set as well collapse=vmid, relax=vmid, logFlush=vmid",
    });
  });

  it("takes what the hint proposes", () => {
    const policy = override(RANGE_6_9, "unmap=threshold", "collapse=vmid", "logFlush=vmid");
    expect(policy.flags).toMatchObject({ unmap: "threshold", collapse: "vmid", logFlush: "vmid" });
  });

  it("finds none in what ships", () => {
    for (const { flags } of POLICIES) expect(clashIn(flags)).toBeUndefined();
  });
});

function textsOf(name: FlagName): fc.Arbitrary<string> {
  const accepted = FLAG_VALUES[name];
  if (accepted === "boolean") return fc.constantFrom("true", "false");
  if (accepted !== "count") return fc.constantFrom(...accepted);
  const [min, max] = BOUNDS[name]!;
  return fc.integer({ min, max }).map(String);
}

const anyOverride: fc.Arbitrary<FlagOverride> = fc
  .constantFrom(...FLAG_NAMES)
  .chain((name) => textsOf(name).map((value) => ({ name, value })));

describe("every flag", () => {
  it("has each value that it accepts, and leaves the others alone", () => {
    fc.assert(
      fc.property(fc.constantFrom(...POLICIES), anyOverride, (policy, { name, value }) => {
        const flag = FLAG_NAMES.find((known) => known === name)!;
        const expected = { ...policy.flags, [flag]: valueOf(policy, flag, value) };
        if (clashIn(expected) !== undefined) {
          expect(() => override(policy, `${name}=${value}`)).toThrow("unmap=threshold");
          return;
        }
        const changed = override(policy, `${name}=${value}`);
        expect(changed.flags).toEqual(expected);
        expect(String(changed.flags[flag])).toBe(value);
        expect(changed.id).toBe(policy.id);
      }),
      { numRuns: 2000 },
    );
  });

  it("takes all of its values on a kernel without ranges", () => {
    for (const name of FLAG_NAMES) {
      const accepted = FLAG_VALUES[name];
      const texts =
        accepted === "boolean"
          ? ["true", "false"]
          : accepted === "count"
            ? BOUNDS[name]!.map(String)
            : accepted;
      for (const text of texts) {
        expect(String(override(PGTABLE_5_10, `${name}=${text}`).flags[name])).toBe(text);
      }
    }
  });
});

function valueOf(policy: Policy, name: FlagName, text: string): unknown {
  const current = policy.flags[name];
  if (typeof current === "boolean") return text === "true";
  return typeof current === "number" ? Number(text) : text;
}
