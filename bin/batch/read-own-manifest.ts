import { TraceError } from "../../ingest/errors.ts";
import { toolIdentity } from "../version.ts";
import { type Manifest, readManifest } from "./manifest.ts";

/** A manifest of this very tool: another version would give other results under the same addresses. */
export async function readOwnManifest(path: string): Promise<Manifest> {
  const manifest = await readManifest(path);
  const own = toolIdentity();
  const { name, version } = manifest.tool;
  if (name === own.name && version === own.version) return manifest;
  throw new TraceError(
    "BAD_MANIFEST",
    `it was planned by ${name} ${version}, and this is ${own.name} ${own.version}`,
    path,
    "plan the batch again",
  );
}
