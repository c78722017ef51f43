import { createHash } from "node:crypto";
import type { Companion } from "../../ingest/beside/companions.ts";
import { SCHEMA_VERSION } from "../../reports/schema.ts";
import type { ToolIdentity } from "../../reports/tool.ts";
import type { ParameterFile, Parameters } from "./analysis.ts";

/** Grows by one when the same trace and parameters give another result document. */
export const UNIT_VERSION = 1;

/** Everything that decides a result. Where a trace stands and what it is called is not among it. */
export interface KeyParts {
  readonly tool: ToolIdentity;
  readonly sha256: string;
  readonly companions: readonly Companion[];
  readonly parameters: Parameters;
  readonly parameterFiles: readonly ParameterFile[];
}

/** A key is also a file name: nothing else may pass for one. */
const KEY = /^[0-9a-f]{64}$/;

export function isKey(text: string): boolean {
  return KEY.test(text);
}

/**
 * Address of a result by what goes into it, 64 hexadecimal digits: the same trace with the same files
 * beside it, parameters, tool and result schema has one result, wherever and whenever it is computed.
 */
export function itemKey(parts: KeyParts): string {
  const { tool, sha256, companions, parameters, parameterFiles } = parts;
  const names = Object.keys(parameters).sort();
  const canonical = [
    ["unit", UNIT_VERSION, SCHEMA_VERSION, tool.name, tool.version],
    sha256,
    companions.map(({ name, bytes, sha256: digest }) => [name, bytes, digest]),
    names.map((name) => [name, [parameters[name]].flat()]),
    parameterFiles.map(({ option, sha256: digest }) => [option, digest]),
  ];
  return createHash("sha256").update(JSON.stringify(canonical)).digest("hex");
}
