import { open } from "node:fs/promises";
import * as v from "valibot";
import { TraceError } from "../../ingest/errors.ts";
import type { Companion } from "../../ingest/beside/companions.ts";
import type { ToolIdentity } from "../../reports/tool.ts";
import { type ParameterFile, type Parameters, parseParameters } from "./analysis.ts";
import { isKey, itemKey } from "./item-key.ts";

/**
 * What a batch is to do: written by `batch plan`, read by everything else. It is untrusted when it is
 * read: keys are computed anew, and paths are looked at before they are opened (`trace-root.ts`).
 */

export const MANIFEST_FORMAT = "tlbi-replay/batch-manifest";
export const MANIFEST_VERSION = 1;
/** A million traces; more is split into several manifests. */
const MAX_MANIFEST_BYTES = 1024 ** 3;

const text = v.pipe(v.string(), v.maxLength(4096));
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const key = v.pipe(v.string(), v.check(isKey, "is not a key"));
const parameters = v.record(text, v.union([text, v.array(text)]));

/** A trace and all that decides its result. */
export interface BatchItem {
  /** Address of the result. */
  readonly key: string;
  /** Below the root, with `/`. */
  readonly trace: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly companions: readonly Companion[];
  readonly host_model: string | null;
  readonly vm_type: string | null;
  readonly kernel: string | null;
  /** Free columns, by name; every item has the same. */
  readonly labels: Readonly<Record<string, string>>;
  /** Options of this trace alone; they win over the parameters. */
  readonly options: Parameters;
}

/** What every item of a manifest shares; a job on a queue carries it too. */
export interface SharedPart {
  readonly tool: ToolIdentity;
  /** Folder that all traces are in, absolute. */
  readonly root: string;
  readonly parameters: Parameters;
  readonly parameter_files: readonly ParameterFile[];
}

export interface Duplicate {
  readonly trace: string;
  /** The trace that is counted. */
  readonly same_as: string;
  /** The two are said to come from different machines. */
  readonly labels_differ: boolean;
}

export interface RefusedTrace {
  readonly trace: string;
  readonly code: string;
  readonly message: string;
}

export interface Manifest extends SharedPart {
  readonly format: typeof MANIFEST_FORMAT;
  readonly version: typeof MANIFEST_VERSION;
  /** Names of the free columns, in order. */
  readonly label_names: readonly string[];
  /** By trace, each key once. */
  readonly items: readonly BatchItem[];
  /** Traces whose result is that of another item: they are counted once. */
  readonly duplicates: readonly Duplicate[];
  /** What was named and cannot be worked on. */
  readonly refused: readonly RefusedTrace[];
}

const itemSchema = v.strictObject({
  key,
  trace: text,
  bytes: size,
  sha256: digest,
  companions: v.array(v.strictObject({ name: text, bytes: size, sha256: digest })),
  host_model: v.nullable(text),
  vm_type: v.nullable(text),
  kernel: v.nullable(text),
  labels: v.record(text, text),
  // Those of a fleet's CSV, and no others: an entry must not name a file to be read.
  options: v.record(v.picklist(["kernel", "cpu", "page-size", "ipa-bits"]), text),
});

const sharedSchema = v.strictObject({
  tool: v.strictObject({ name: text, version: text }),
  root: text,
  parameters,
  parameter_files: v.array(v.strictObject({ option: text, path: text, sha256: digest })),
});

/** An item as it comes from elsewhere. */
export const ITEM_SCHEMA: v.GenericSchema<unknown, BatchItem> = itemSchema;
export const SHARED_SCHEMA: v.GenericSchema<unknown, SharedPart> = sharedSchema;

const MANIFEST_SCHEMA = v.strictObject({
  format: v.literal(MANIFEST_FORMAT),
  version: v.literal(MANIFEST_VERSION),
  ...sharedSchema.entries,
  label_names: v.array(text),
  items: v.array(itemSchema),
  duplicates: v.array(v.strictObject({ trace: text, same_as: text, labels_differ: v.boolean() })),
  refused: v.array(v.strictObject({ trace: text, code: text, message: text })),
});

export function manifestJson(manifest: Manifest): string {
  const { items, ...head } = manifest;
  // One line an item: a manifest of thousands can be looked at, compared and cut by hand.
  const lines = items.map((item) => `    ${JSON.stringify(item)}`).join(",\n");
  const start = JSON.stringify({ ...head, items: [] }, null, 2).replace(/"items": \[\]\n\}$/, "");
  return `${start}"items": [${lines === "" ? "" : `\n${lines}\n  `}]\n}\n`;
}

/** @throws TraceError UNREADABLE, BAD_MANIFEST. */
export async function readManifest(path: string): Promise<Manifest> {
  return parseManifest(await boundedText(path), path);
}

/** @throws TraceError BAD_MANIFEST. */
export function parseManifest(json: string, path: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw bad(path, "it is not JSON");
  }
  const parsed = v.safeParse(MANIFEST_SCHEMA, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw bad(path, `${v.getDotPath(issue) ?? "it"}: ${issue.message}`);
  }
  const manifest: Manifest = parsed.output;
  const seen = new Set<string>();
  for (const item of manifest.items) {
    if (item.key !== keyOf(item, manifest)) {
      throw bad(path, `the key of ${item.trace} is not that of what the entry says`);
    }
    if (seen.has(item.key)) throw bad(path, `${item.trace} stands in it twice`);
    seen.add(item.key);
    parseParameters({ ...manifest.parameters, ...item.options });
  }
  return manifest;
}

/** The key that an item must have. */
export function keyOf(item: Omit<BatchItem, "key">, shared: SharedPart): string {
  return itemKey({
    tool: shared.tool,
    sha256: item.sha256,
    companions: item.companions,
    parameters: { ...shared.parameters, ...item.options },
    parameterFiles: shared.parameter_files,
  });
}

function bad(path: string, why: string): TraceError {
  return new TraceError(
    "BAD_MANIFEST",
    `this is not a batch manifest: ${why}`,
    path,
    "`tlbi-replay batch plan` writes one",
  );
}

async function boundedText(path: string): Promise<string> {
  const file = await open(path).catch((error: unknown) => {
    const why = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new TraceError("UNREADABLE", `the manifest cannot be read (${why})`, path);
  });
  try {
    const { size: bytes } = await file.stat();
    if (bytes > MAX_MANIFEST_BYTES) throw bad(path, "it is larger than 1 GiB");
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
