import { describe, expect, it } from "vitest";
import { TraceError } from "../../ingest/errors.ts";
import { PGTABLE_5_10 } from "./families/pgtable.ts";
import { RANGE_6_6, RANGE_6_9 } from "./families/range.ts";
import type { Policy } from "./flags.ts";
import { POLICIES } from "./registry.ts";
import {
  defaultPolicies,
  isReservedElsewhere,
  POLICY_HELP,
  selectPolicies,
  type PolicySelection,
} from "./select.ts";
import { NESTED_POLICIES } from "../nested/nested-policy.ts";
import { policyOfKernel } from "./version-map.ts";

const KERNEL_6_6_30: Policy = policyOfKernel({
  major: 6,
  minor: 6,
  patch: 30,
  distributor: "vanilla",
});
const MINE: Policy = { id: "mine", summary: "of my own", flags: RANGE_6_9.flags };

function select(ids: readonly string[], rest: Partial<PolicySelection> = {}): Policy[] {
  return selectPolicies({
    ids,
    userPolicies: [],
    overrides: [],
    recordedKernelPolicy: undefined,
    ...rest,
  });
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

describe("ids", () => {
  it("resolves every shipped one, in the order asked for", () => {
    const ids = POLICIES.map(({ id }) => id).toReversed();
    expect(select(ids).map(({ id }) => id)).toEqual(ids);
    expect(select(["range-6.9", "pgtable-5.10"])).toEqual([RANGE_6_9, PGTABLE_5_10]);
  });

  it("resolves a user's own beside them", () => {
    expect(select(["mine", "range-6.9"], { userPolicies: [MINE] })).toEqual([MINE, RANGE_6_9]);
  });

  it("lists what there is for an unknown one, with the closest", () => {
    const error = errorOf(() => select(["range-69"], { userPolicies: [MINE] }));
    expect(error).toMatchObject({
      code: "BAD_OPTION",
      where: "--policy",
      hint: "did you mean 'range-6.9'?",
    });
    expect(error.message).toMatch(
      /^'range-69' is not a policy; the policies are auto, legacy-5\.8, /,
    );
    expect(error.message).toMatch(/, nv-exact, mine$/);
  });

  it("suggests a user's own id too", () => {
    const error = errorOf(() => select(["mime"], { userPolicies: [MINE] }));
    expect(error.hint).toBe("did you mean 'mine'?");
  });

  it("refuses one that is named twice", () => {
    const error = errorOf(() => select(["ideal", "range", "ideal"]));
    expect(error).toMatchObject({ code: "BAD_OPTION", message: "names 'ideal' twice" });
  });

  it("refuses none at all", () => {
    expect(errorOf(() => select([]))).toMatchObject({
      code: "BAD_OPTION",
      message: "names no policy",
    });
  });

  it("refuses an id that two policy files define", () => {
    const error = errorOf(() => select(["ideal"], { userPolicies: [MINE, MINE] }));
    expect(error).toMatchObject({
      code: "BAD_POLICY_FILE",
      where: "--policy-file",
      message: "policy 'mine' is defined twice",
    });
  });

  it.each([
    "nv-blow-away",
    "nv-max",
    "nv-ttl-hint",
    "nv-shadow-level",
    "nv-range",
    "nv-revmap",
    "nv-exact",
  ])("%s is for shadow tables, on a host that does all else as the recorded one", (id) => {
    const [onRecorded] = select([id], { recordedKernelPolicy: KERNEL_6_6_30 });
    expect(onRecorded).toMatchObject({ id, nested: id, flags: KERNEL_6_6_30.flags });
    expect(select([id])[0]).toMatchObject({ id, nested: id, flags: RANGE_6_9.flags });
    expect(isReservedElsewhere(id)).toBe(true);
  });

  it.each([
    "x86-per-table-5.10",
    "x86-once-5.18",
    "x86-collapsible-per-spte",
    "x86-collapsible-batch",
  ])("says that %s is for x86", (id) => {
    const error = errorOf(() => select([id]));
    expect(error.code).toBe("BAD_OPTION");
    expect(error.message).toContain(`'${id}' is a policy for x86`);
    expect(error.message).toContain("this is replayed as the stage 2 of arm64 guests");
    expect(isReservedElsewhere(id)).toBe(true);
  });

  it("treats other ids of that kind as unknown", () => {
    expect(errorOf(() => select(["x86-other"])).message).toContain("'x86-other' is not a policy");
    expect(isReservedElsewhere("x86-other")).toBe(false);
  });
});

describe("auto", () => {
  it("is the recorded kernel with the flags of its version", () => {
    const [policy] = select(["auto"], { recordedKernelPolicy: KERNEL_6_6_30 });
    expect(policy).toBe(KERNEL_6_6_30);
    expect(policy?.flags).not.toEqual(RANGE_6_6.flags);
  });

  it("does not change what the generation's id means", () => {
    expect(select(["range-6.6"], { recordedKernelPolicy: KERNEL_6_6_30 })).toEqual([RANGE_6_6]);
  });

  it("cannot stand beside the id that it has itself", () => {
    const error = errorOf(() =>
      select(["range-6.6", "auto"], { recordedKernelPolicy: KERNEL_6_6_30 }),
    );
    expect(error).toMatchObject({
      code: "BAD_OPTION",
      message: "names 'range-6.6' twice: it is what 'auto' stands for here",
      hint: "leave out 'auto' or 'range-6.6'",
    });
  });

  it("needs a known kernel", () => {
    const error = errorOf(() => select(["auto"]));
    expect(error.code).toBe("BAD_OPTION");
    expect(error.where).toBe("--policy");
    expect(error.hint).toContain("--kernel");
  });
});

describe("overrides", () => {
  it("apply to every policy", () => {
    const policies = select(["auto", "pgtable-5.10", "mine"], {
      userPolicies: [MINE],
      recordedKernelPolicy: KERNEL_6_6_30,
      overrides: [{ name: "age", value: "none" }],
    });
    expect(policies.map(({ flags }) => flags.age)).toEqual(["none", "none", "none"]);
    expect(policies[1]?.detail).toBe("--flag: age=none (was vmid)");
    expect(policies[0]?.detail).toBe(`${KERNEL_6_6_30.detail}; --flag: age=none (was vmid)`);
  });

  it("are refused as --flag", () => {
    const error = errorOf(() =>
      select(["ideal"], { overrides: [{ name: "agee", value: "none" }] }),
    );
    expect(error).toMatchObject({ code: "BAD_OPTION", where: "--flag" });
  });
});

describe("defaults", () => {
  it("are the recorded kernel, an old one and a new one", () => {
    expect(defaultPolicies(KERNEL_6_6_30)).toEqual([KERNEL_6_6_30, PGTABLE_5_10, RANGE_6_9]);
  });

  it("name none twice", () => {
    const kernel = policyOfKernel({ major: 6, minor: 12, patch: 1, distributor: "vanilla" });
    expect(defaultPolicies(kernel)).toEqual([kernel, PGTABLE_5_10]);
    const old = policyOfKernel({ major: 5, minor: 10, patch: 223, distributor: "vanilla" });
    expect(defaultPolicies(old)).toEqual([old, RANGE_6_9]);
  });

  it("do without a recorded kernel", () => {
    expect(defaultPolicies(undefined)).toEqual([PGTABLE_5_10, RANGE_6_9]);
  });
});

describe("help", () => {
  it("has a line for auto and for each shipped policy", () => {
    expect(POLICY_HELP).toHaveLength(POLICIES.length + NESTED_POLICIES.length + 1);
    expect(POLICY_HELP[0]).toBe("auto – the policy of the kernel that recorded the trace");
    expect(POLICY_HELP).toContain(`range-6.9 – ${RANGE_6_9.summary}`);
  });
});
