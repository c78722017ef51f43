import { TraceError } from "../../../ingest/errors.ts";
import type { ArchitectureRequest } from "../../architectures/architecture.ts";
import type { FlagOverride } from "../../policies/overrides.ts";
import { suggest } from "../../policies/suggest.ts";
import { type X86Policy, X86_FLAG_VALUES, type X86PolicyFlags } from "./flags.ts";
import { findX86Policy, X86_POLICIES } from "./registry.ts";

const AUTO = "auto";
const ORIGIN = "--policy";
/** What the recorded kernel is compared with: the oldest and the newest. */
const DEFAULT_IDS: readonly string[] = ["x86-per-table-5.10", "x86-collapsible-batch"];

/**
 * The policies of a run. Without names: the recorded kernel's own, and beside it an old and a new one, or
 * where they are to be ranked all the others.
 * @throws TraceError BAD_OPTION.
 */
export function selectX86Policies(
  { ids, overrides, compare }: Pick<ArchitectureRequest, "ids" | "overrides" | "compare">,
  recorded: X86Policy | undefined,
): readonly X86Policy[] {
  const asked = ids ?? [AUTO];
  const isAuto = asked.length === 1 && asked[0] === AUTO && (compare || ids === undefined);
  const policies = isAuto ? withOthers(recorded, compare) : asked.map((id) => find(id, recorded));
  const repeated = policies.find(({ id }, i) => policies.findIndex((one) => one.id === id) < i);
  if (repeated !== undefined) {
    throw new TraceError("BAD_OPTION", `names '${repeated.id}' twice`, ORIGIN);
  }
  return policies.map((policy) => withOverrides(policy, overrides));
}

function withOthers(recorded: X86Policy | undefined, all: boolean): readonly X86Policy[] {
  const others = X86_POLICIES.filter(
    ({ id }) => id !== recorded?.id && (all || DEFAULT_IDS.includes(id)),
  );
  return recorded === undefined ? others : [recorded, ...others];
}

function find(id: string, recorded: X86Policy | undefined): X86Policy {
  if (id === AUTO) {
    if (recorded !== undefined) return recorded;
    const sentence = `'${AUTO}' is the kernel that recorded the trace, and nothing tells which one that was`;
    throw new TraceError("BAD_OPTION", sentence, ORIGIN, "name it with --kernel, such as 6.12");
  }
  const found = findX86Policy(id);
  if (found !== undefined) return found;
  const names = [AUTO, ...X86_POLICIES.map((policy) => policy.id)];
  const sentence = `'${id}' is not a policy of x86 KVM; those are ${names.join(", ")}`;
  const near = suggest(id, names);
  throw new TraceError(
    "BAD_OPTION",
    sentence,
    ORIGIN,
    near === undefined ? undefined : `did you mean '${near}'?`,
  );
}

function withOverrides(policy: X86Policy, overrides: readonly FlagOverride[]): X86Policy {
  if (overrides.length === 0) return policy;
  let { flags } = policy;
  for (const override of overrides) flags = withFlag(flags, override);
  const detail = overrides.map(({ name, value }) => `${name}=${value}`).join(", ");
  return { ...policy, flags, detail: `${policy.summary}, with ${detail}` };
}

function withFlag(flags: X86PolicyFlags, { name, value }: FlagOverride): X86PolicyFlags {
  const accepted = acceptedOf(name);
  if (accepted === undefined) {
    const names = Object.keys(X86_FLAG_VALUES).join(", ");
    const sentence = `'${name}' is not a flag of x86 policies; those are ${names}`;
    throw new TraceError("BAD_OPTION", sentence, "--flag");
  }
  const values = accepted === "boolean" ? ["true", "false"] : accepted;
  if (!values.includes(value)) {
    const sentence = `'${name}' takes ${values.join(", ")}, not '${value}'`;
    throw new TraceError("BAD_OPTION", sentence, "--flag");
  }
  return { ...flags, [name]: accepted === "boolean" ? value === "true" : value };
}

function acceptedOf(name: string): readonly string[] | "boolean" | undefined {
  return Object.entries(X86_FLAG_VALUES).find(([flag]) => flag === name)?.[1];
}
