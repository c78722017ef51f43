import { createReadStream } from "node:fs";
import { buffer } from "node:stream/consumers";
import * as v from "valibot";
import { TraceError } from "../../ingest/errors.ts";
import type { Policy } from "./flags.ts";
import {
  acceptedValues,
  clashIn,
  didYouMean,
  FLAG_NAMES,
  isFlagName,
  isFlagValue,
  withFlags,
  type FlagChange,
  type FlagValue,
} from "./overrides.ts";
import { findPolicy, POLICIES } from "./registry.ts";
import { AUTO, isReservedElsewhere } from "./select.ts";

/**
 * A user's own policies: a JSON object, or an array of them, each a shipped policy with other flags.
 *
 *     { "id": "range-cutover-64k", "base": "range-6.9", "summary": "VM from 64k pages on",
 *       "flags": { "rangeCutoverPages": 65536, "unmap": "leaf" } }
 */

export const MAX_POLICY_FILE_BYTES: number = 1024 * 1024;

/** `recorded` stands in reports for what the trace itself recorded. */
const TAKEN_IDS: ReadonlySet<string> = new Set([AUTO, "recorded"]);

const record = v.custom<Record<string, unknown>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "is not an object",
);

const flagEntries = Object.fromEntries(
  FLAG_NAMES.map((name) => {
    const isAccepted = (value: unknown): boolean => isFlagValue(name, value);
    const message = (issue: v.BaseIssue<unknown>): string =>
      `takes ${acceptedValues(name)}, not ${shown(issue.input)}`;
    return [name, v.exactOptional(v.custom<FlagValue>(isAccepted, message))];
  }),
);

const policyEntries = {
  id: v.pipe(
    v.string("is not a text"),
    v.regex(
      /^[a-z0-9][a-z0-9._-]*$/,
      "is not made of a-z, 0-9, '.', '_', '-' with a letter or a digit first",
    ),
  ),
  base: v.string("is not a text"),
  summary: v.pipe(v.string("is not a text"), v.check(isOneLine, "is not one line of text")),
  flags: v.pipe(record, v.strictObject(flagEntries, keyMessage)),
};

const policySchema = v.pipe(record, v.strictObject(policyEntries, keyMessage));
type PolicyEntry = v.InferOutput<typeof policySchema>;

/**
 * Reads the policies of a file, in its order.
 * @throws TraceError BAD_POLICY_FILE, with the line where the text is not JSON.
 */
export async function readPolicyFile(path: string): Promise<Policy[]> {
  const parsed = parseJson(await readText(path), path);
  const isList = Array.isArray(parsed);
  const entries: readonly unknown[] = isList ? parsed : [parsed];
  if (entries.length === 0) throw bad(path, "the list has no policy in it");
  const ids = new Set<string>();
  return entries.map((entry, index) => {
    const place = isList ? `policy ${index + 1} of the list: ` : "";
    const policy = policyOf(entry, path, place);
    if (ids.has(policy.id)) throw bad(path, `${place}id '${policy.id}' is defined twice`);
    ids.add(policy.id);
    return policy;
  });
}

function policyOf(entry: unknown, path: string, place: string): Policy {
  const result = v.safeParse(policySchema, entry);
  if (!result.success) {
    const [issue] = result.issues;
    const name = v.getDotPath(issue) ?? "a policy";
    throw bad(path, `${place}${name} ${issue.message}`, hintFor(issue));
  }
  const { id, summary, base: baseId } = result.output;
  if (TAKEN_IDS.has(id) || findPolicy(id) !== undefined || isReservedElsewhere(id)) {
    throw bad(path, `${place}id '${id}' is taken by tlbi-replay itself`, "choose another id");
  }
  const base = findPolicy(baseId);
  if (base === undefined) {
    const ids = POLICIES.map((policy) => policy.id);
    const sentence = `base '${baseId}' is not a shipped policy; those are ${ids.join(", ")}`;
    throw bad(path, place + sentence, didYouMean(baseId, ids));
  }
  const { flags, detail } = withFlags(base, changesOf(result.output), `on ${base.id}`);
  const clash = clashIn(flags);
  if (clash !== undefined) throw bad(path, `${place}${clash.sentence}`, clash.hint);
  return { id, summary, flags, detail: detail ?? `as ${base.id}` };
}

function changesOf(entry: PolicyEntry): readonly FlagChange[] {
  return Object.entries(entry.flags).flatMap(([name, value]) =>
    isFlagName(name) && value !== undefined ? [{ name, value }] : [],
  );
}

function isOneLine(text: string): boolean {
  return text.trim() !== "" && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text);
}

/** Of an object with fixed keys: one is missing, or one is not among them. */
function keyMessage(issue: v.StrictObjectIssue): string {
  return isUnknownKey(issue) ? "is not a known key" : "is missing";
}

function isUnknownKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === "strict_object" && issue.expected === "never";
}

function hintFor(issue: v.BaseIssue<unknown>): string | undefined {
  const key = issue.path?.at(-1)?.key;
  if (typeof key !== "string" || !isUnknownKey(issue)) return undefined;
  const names = issue.path?.length === 1 ? Object.keys(policyEntries) : FLAG_NAMES;
  return didYouMean(key, names) ?? `the keys here are ${names.join(", ")}`;
}

const LONGEST_SHOWN = 60;

function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value);
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}

async function readText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    // `end` is included: one byte more than allowed tells that there is more.
    bytes = await buffer(createReadStream(path, { end: MAX_POLICY_FILE_BYTES }));
  } catch (error) {
    throw bad(path, whyUnreadable(error));
  }
  if (bytes.length > MAX_POLICY_FILE_BYTES) {
    throw bad(path, "this policy file is larger than 1 MiB");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw bad(path, "this policy file is not UTF-8 text");
  }
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT") return "there is no such policy file";
  if (code === "EACCES" || code === "EPERM") return "this policy file may not be read by this user";
  if (code === "EISDIR") return "this is a directory, not a policy file";
  return `this policy file cannot be read${code === "" ? "" : ` (${code})`}`;
}

function parseJson(text: string, path: string): unknown {
  if (text.trim() === "") throw bad(path, "this policy file is empty");
  try {
    return JSON.parse(text);
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error);
    const offset = offsetOf(told, text);
    const where = offset === undefined ? path : `${path}:${lineOf(text, offset)}`;
    throw bad(where, `this policy file is not JSON: ${told.replace(POSITION, "")}`);
  }
}

/** Where JSON.parse stopped; V8 tells it for most mistakes, newer versions with line and column too. */
const POSITION: RegExp = /(?: in JSON)? at position (\d+)(?: \(line \d+ column \d+\))?$/;

function offsetOf(told: string, text: string): number | undefined {
  if (told === "Unexpected end of JSON input") return text.trimEnd().length;
  const position = POSITION.exec(told)?.[1];
  return position === undefined ? undefined : Number(position);
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

function bad(where: string, sentence: string, hint?: string): TraceError {
  return new TraceError("BAD_POLICY_FILE", sentence, where, hint);
}
