import { suggest } from "./suggest.ts";
import { TraceError } from "../../ingest/errors.ts";
import { IPA_PAGE_LIMIT, MAX_RANGE_PAGES } from "../tlbi/range-encoder.ts";
import { FLAG_VALUES, type FlagName, type Policy, type PolicyFlags } from "./flags.ts";

/**
 * Flags of a policy changed one by one: which values each flag takes, which of them contradict each
 * other, and what a report says about the change. Texts come from `--flag`, typed values from a policy
 * file; both end in {@link withFlags}.
 */

export type FlagValue = PolicyFlags[FlagName];

/** A flag as text, as `--flag NAME=VALUE` gives it. */
export interface FlagOverride {
  readonly name: string;
  readonly value: string;
}

/** A flag with a value that it takes. */
export interface FlagChange {
  readonly name: FlagName;
  readonly value: FlagValue;
}

/** Every flag, in the order of FLAG_VALUES. */
export const FLAG_NAMES: readonly FlagName[] = Object.keys(FLAG_VALUES).filter(isFlagName);

/** Bounds of the flags that count pages, both included. */
const COUNT_BOUNDS: Partial<Readonly<Record<FlagName, readonly [min: number, max: number]>>> = {
  unmapThresholdPages: [1, MAX_RANGE_PAGES],
  maxRangePages: [1, MAX_RANGE_PAGES],
  rangeCutoverPages: [0, IPA_PAGE_LIMIT],
};

export function isFlagName(name: string): name is FlagName {
  return Object.hasOwn(FLAG_VALUES, name);
}

/** Whether the flag takes this value, of this type: `true` is not `"true"`. */
export function isFlagValue<Name extends FlagName>(
  name: Name,
  value: unknown,
): value is PolicyFlags[Name] {
  const accepted = FLAG_VALUES[name];
  if (accepted === "boolean") return typeof value === "boolean";
  if (accepted !== "count") return typeof value === "string" && accepted.includes(value);
  const [min, max] = boundsOf(name);
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

/** The values that a flag takes, in words: `vmid, range`, `true, false`, `whole numbers from 1 to 9`. */
export function acceptedValues(name: FlagName): string {
  const accepted = FLAG_VALUES[name];
  if (accepted === "boolean") return "true, false";
  if (accepted !== "count") return accepted.join(", ");
  return `whole numbers from ${boundsOf(name).join(" to ")}`;
}

function boundsOf(name: FlagName): readonly [min: number, max: number] {
  return COUNT_BOUNDS[name] ?? [0, Number.MAX_SAFE_INTEGER];
}

/**
 * The policy with flags given as text. It keeps its id; `detail` says what changed and what of that has
 * no effect.
 * @param origin where the overrides come from, such as `--flag`; in front of the errors and in `detail`.
 * @throws TraceError BAD_OPTION for an unknown or repeated flag, a value that the flag does not take and
 *   flags that contradict each other ({@link clashIn}).
 */
export function applyOverrides(
  policy: Policy,
  overrides: readonly FlagOverride[],
  origin: string,
): Policy {
  const changes = overrides.map((override) => parseOverride(override, origin));
  const twice = changes.find(({ name }, i) => changes.findIndex((c) => c.name === name) !== i);
  if (twice !== undefined) {
    throw new TraceError("BAD_OPTION", `sets '${twice.name}' twice`, origin);
  }
  const changed = withFlags(policy, changes, origin);
  const clash = clashIn(changed.flags);
  if (clash === undefined) return changed;
  throw new TraceError("BAD_OPTION", `policy ${policy.id}: ${clash.sentence}`, origin, clash.hint);
}

function parseOverride({ name, value }: FlagOverride, origin: string): FlagChange {
  if (!isFlagName(name)) {
    const sentence = `'${name}' is not a flag; the flags are ${FLAG_NAMES.join(", ")}`;
    throw new TraceError("BAD_OPTION", sentence, origin, didYouMean(name, FLAG_NAMES));
  }
  const typed = typedValue(name, value);
  if (isFlagValue(name, typed)) return { name, value: typed };
  const accepted = FLAG_VALUES[name];
  const hint = typeof accepted === "string" ? undefined : didYouMean(value, accepted);
  const sentence = `${name} takes ${acceptedValues(name)}, not '${value}'`;
  throw new TraceError("BAD_OPTION", sentence, origin, hint);
}

/** The text as the type that the flag has; unchanged where it is not of that type. */
function typedValue(name: FlagName, text: string): string | boolean | number {
  const accepted = FLAG_VALUES[name];
  if (accepted === "boolean" && (text === "true" || text === "false")) return text === "true";
  return accepted === "count" && /^\d+$/.test(text) ? Number(text) : text;
}

/**
 * The policy with these flags, each named once; contradictions are the caller's to look for
 * ({@link clashIn}). It is the same object where nothing changes.
 * @param origin in front of the list of changes in `detail`.
 */
export function withFlags(policy: Policy, changes: readonly FlagChange[], origin: string): Policy {
  const changed = changes.filter(({ name, value }) => policy.flags[name] !== value);
  if (changed.length === 0) return policy;
  const values = Object.fromEntries(changed.map(({ name, value }) => [name, value]));
  const flags: PolicyFlags = { ...policy.flags, ...values };
  const words = changed.map(({ name, value }) => `${name}=${value} (was ${policy.flags[name]})`);
  const before = policy.detail === undefined ? [] : [policy.detail];
  const notes = notesOn(
    flags,
    changed.map(({ name }) => name),
  );
  const detail = [...before, `${origin}: ${words.join(", ")}`, ...notes].join("; ");
  return { ...policy, flags, detail };
}

/** Flags that contradict each other, and what to do about it. */
export interface Clash {
  readonly sentence: string;
  readonly hint: string;
}

/**
 * The threshold strategy is older than range instructions: all that a policy with it sends over a range
 * is counted page by page, which would be wrong for the other operations.
 */
export function clashIn(flags: PolicyFlags): Clash | undefined {
  if (flags.unmap !== "threshold") return undefined;
  const ranged = rangeUsersBesideUnmap(flags);
  if (ranged.length === 0) return undefined;
  const named = ranged.map((name) => `${name}=${flags[name]}`).join(", ");
  return {
    sentence: `unmap=threshold has no range instructions and cannot stand beside ${named}`,
    hint: `set as well ${ranged.map((name) => `${name}=vmid`).join(", ")}`,
  };
}

function rangeUsersBesideUnmap(flags: PolicyFlags): readonly FlagName[] {
  const names = ["collapse", "leafChange", "relax", "logFlush"] as const;
  return names.filter((name) => flags[name] === "range" || flags[name] === "exact");
}

function usesRange(flags: PolicyFlags): boolean {
  const { unmap } = flags;
  if (unmap === "deferred" || unmap === "range" || unmap === "exact") return true;
  return rangeUsersBesideUnmap(flags).length > 0;
}

interface EffectRule {
  readonly names: readonly FlagName[];
  readonly hasEffect: (flags: PolicyFlags) => boolean;
  readonly because: string;
}

/** Flags that matter only together with another: allowed, but the report says that nothing comes of it. */
const EFFECT_RULES: readonly EffectRule[] = [
  {
    names: ["deferNeedsFwb", "deferredTableFlush"],
    hasEffect: (flags) => flags.unmap === "deferred",
    because: "without unmap=deferred",
  },
  {
    names: ["unmapThresholdPages"],
    hasEffect: (flags) => flags.unmap === "threshold",
    because: "without unmap=threshold",
  },
  {
    names: ["collapseStart"],
    hasEffect: (flags) => flags.collapse === "range",
    because: "without collapse=range",
  },
  {
    names: ["rangeCutoverPages", "maxRangePages", "rangeEncoder", "lpa2Aware"],
    hasEffect: usesRange,
    because: "in a policy that issues no RANGE",
  },
];

function notesOn(flags: PolicyFlags, changed: readonly FlagName[]): readonly string[] {
  const notes: string[] = [];
  for (const { names, hasEffect, because } of EFFECT_RULES) {
    const idle = hasEffect(flags) ? [] : names.filter((name) => changed.includes(name));
    if (idle.length > 0) notes.push(`no effect ${because}: ${idle.join(", ")}`);
  }
  const isChanged = (...names: readonly FlagName[]): boolean =>
    names.some((name) => changed.includes(name));
  const ignoresLpa2 = flags.rangeEncoder === "ascending" && flags.lpa2Aware && usesRange(flags);
  if (ignoresLpa2 && isChanged("rangeEncoder", "lpa2Aware")) {
    notes.push("the ascending encoder ignores LPA2, so lpa2Aware=true has no effect");
  }
  const isHybrid = flags.noHintArgument === "ttl-unknown" && !flags.levelZeroIsHint;
  if (isHybrid && isChanged("noHintArgument", "levelZeroIsHint")) {
    notes.push("no kernel has noHintArgument=ttl-unknown with levelZeroIsHint=false");
  }
  return notes;
}

const MOST_SUGGESTIONS = 3;
/** Shorter words are part of too many names to mean one of them. */
const SHORTEST_PART = 3;

/** The hint `did you mean 'a' or 'b'?`: the nearest name, then names that contain the word. */
export function didYouMean(word: string, names: readonly string[]): string | undefined {
  const nearest = suggest(word, names);
  const part = word.toLowerCase();
  const containing =
    part.length < SHORTEST_PART ? [] : names.filter((name) => name.toLowerCase().includes(part));
  const found = [...new Set(nearest === undefined ? containing : [nearest, ...containing])]
    .slice(0, MOST_SUGGESTIONS)
    .map((name) => `'${name}'`);
  const last = found.pop();
  if (last === undefined) return undefined;
  return `did you mean ${found.length === 0 ? last : `${found.join(", ")} or ${last}`}?`;
}
