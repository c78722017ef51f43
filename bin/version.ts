import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { SCHEMA_VERSION } from "../reports/schema.ts";
import type { ToolIdentity } from "../reports/tool.ts";

const NAME = "tlbi-replay";

/** Name and version of this tool, from its own package.json, whether it runs built or from source. */
export function toolIdentity(): ToolIdentity {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const version = versionIn(path.join(folder, "package.json"));
    if (version !== undefined) return { name: NAME, version };
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error(`the package.json of ${NAME} is missing`);
    folder = parent;
  }
}

/** What `--version` prints. */
export function versionText(): string {
  const { name, version } = toolIdentity();
  return `${name} ${version} (result schema ${SCHEMA_VERSION}, node ${process.version})`;
}

function versionIn(file: string): string | undefined {
  if (!fs.existsSync(file)) return undefined;
  const parsed: unknown = JSON.parse(fs.readFileSync(file, "utf8"));
  if (typeof parsed !== "object" || parsed === null) return undefined;
  if (!("name" in parsed) || parsed.name !== NAME || !("version" in parsed)) return undefined;
  return String(parsed.version);
}
