import { TraceError } from "../../ingest/errors.ts";
import type { Policy } from "./flags.ts";
import { applyOverrides, didYouMean, type FlagOverride } from "./overrides.ts";
import { findNestedPolicy, NESTED_POLICIES, type NestedPolicy } from "../nested/nested-policy.ts";
import { RANGE_6_9 } from "./families/range.ts";
import { findPolicy, POLICIES } from "./registry.ts";

/** From the ids of `--policy` to the policies of a run. */

/** Id that stands for the kernel that recorded the trace. */
export const AUTO: string = "auto";

const ORIGIN = "--policy";

/** What a run without `--policy` compares the recorded kernel with: an old kernel and a new one. */
const DEFAULT_IDS: ReadonlySet<string> = new Set(["pgtable-5.10", "range-6.9"]);

/** Ids of policies that do not belong to stage 2. */
const OF_X86: ReadonlySet<string> = new Set([
  "x86-per-table-5.10",
  "x86-rfc-list-2021",
  "x86-rcu-proxy-2021",
  "x86-once-5.18",
  "x86-collapsible-per-spte",
  "x86-collapsible-batch",
]);

export interface PolicySelection {
  /** As `--policy` lists them: shipped ids, a user's own and {@link AUTO}. */
  readonly ids: readonly string[];
  /** Of the policy files. */
  readonly userPolicies: readonly Policy[];
  /** Flags set on every selected policy. */
  readonly overrides: readonly FlagOverride[];
  /** Policy of the kernel that recorded the trace; undefined where nothing tells its version. */
  readonly recordedKernelPolicy: Policy | undefined;
}

/**
 * The policies of the ids, in their order, with the overrides on each.
 *
 * `auto` is the recorded kernel with the flags of its very version. The id of a generation always is
 * the shipped policy, also where the recorded kernel belongs to it: `range-6.9` means the same flags for
 * every trace. The two share an id, by which results are told apart, and so exclude each other.
 * @throws TraceError BAD_OPTION; BAD_POLICY_FILE where two files define the same id.
 */
export function selectPolicies(selection: PolicySelection): Policy[] {
  const { ids, userPolicies, overrides } = selection;
  const definedTwice = firstRepeat(userPolicies.map(({ id }) => id));
  if (definedTwice !== undefined) {
    const sentence = `policy '${definedTwice}' is defined twice`;
    throw new TraceError("BAD_POLICY_FILE", sentence, "--policy-file");
  }
  if (ids.length === 0) throw new TraceError("BAD_OPTION", "names no policy", ORIGIN);
  const idTwice = firstRepeat(ids);
  if (idTwice !== undefined) {
    throw new TraceError("BAD_OPTION", `names '${idTwice}' twice`, ORIGIN);
  }
  const policies = ids.map((id) => resolve(id, selection));
  const same = firstRepeat(policies.map(({ id }) => id));
  if (same !== undefined) {
    const sentence = `names '${same}' twice: it is what '${AUTO}' stands for here`;
    throw new TraceError("BAD_OPTION", sentence, ORIGIN, `leave out '${AUTO}' or '${same}'`);
  }
  return policies.map((policy) => applyOverrides(policy, overrides, "--flag"));
}

/** The recorded kernel (where it is known), an old kernel and a new one; none of them twice. */
export function defaultPolicies(recordedKernelPolicy: Policy | undefined): Policy[] {
  const recorded = recordedKernelPolicy === undefined ? [] : [recordedKernelPolicy];
  const others = POLICIES.filter(
    ({ id }) => DEFAULT_IDS.has(id) && id !== recordedKernelPolicy?.id,
  );
  return [...recorded, ...others];
}

/** Whether the id belongs to a policy that other versions may have: a user's own may not take it. */
export function isReservedElsewhere(id: string): boolean {
  return OF_X86.has(id) || findNestedPolicy(id) !== undefined;
}

/** What `--policy` accepts, a line `id – summary` each. */
export const POLICY_HELP: readonly string[] = [
  `${AUTO} – the policy of the kernel that recorded the trace`,
  ...[...POLICIES, ...NESTED_POLICIES].map(({ id, summary }) => `${id} – ${summary}`),
];

function resolve(id: string, selection: PolicySelection): Policy {
  if (id === AUTO) return recordedPolicy(selection.recordedKernelPolicy);
  const found = findPolicy(id) ?? selection.userPolicies.find((policy) => policy.id === id);
  if (found !== undefined) return found;
  const nested = findNestedPolicy(id);
  if (nested !== undefined) return withNested(nested, selection.recordedKernelPolicy ?? RANGE_6_9);
  const all = [...POLICIES, ...NESTED_POLICIES, ...selection.userPolicies];
  const names = [AUTO, ...all.map((policy) => policy.id)];
  const known = `the policies are ${names.join(", ")}`;
  if (OF_X86.has(id)) {
    const sentence = `'${id}' is a policy for x86 (its traces are recognised by their events), and this is replayed as the stage 2 of arm64 guests`;
    throw new TraceError("BAD_OPTION", sentence, ORIGIN, known);
  }
  const sentence = `'${id}' is not a policy; ${known}`;
  throw new TraceError("BAD_OPTION", sentence, ORIGIN, didYouMean(id, names));
}

/** Shadow tables as the nested policy has them, on a host that does all else as the recorded one. */
function withNested({ id, summary }: NestedPolicy, host: Policy): Policy {
  const detail = `shadow tables as ${id}, all else as ${host.id}`;
  return { id, summary, flags: host.flags, detail, nested: id };
}

function recordedPolicy(recordedKernelPolicy: Policy | undefined): Policy {
  if (recordedKernelPolicy !== undefined) return recordedKernelPolicy;
  const sentence = `'${AUTO}' is the kernel that recorded the trace, and nothing tells which one that was`;
  throw new TraceError("BAD_OPTION", sentence, ORIGIN, "name it with --kernel, such as 6.12");
}

function firstRepeat(ids: readonly string[]): string | undefined {
  return ids.find((id, i) => ids.indexOf(id) !== i);
}
