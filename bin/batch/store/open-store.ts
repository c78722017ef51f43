import { FolderStore } from "./folder-store.ts";
import type { ResultStore } from "./result-store.ts";
import { openS3Store, parseS3Place } from "./s3-store.ts";

/** A folder, or `s3://BUCKET/PREFIX`. @throws TraceError BAD_OPTION. */
export async function openStore(text: string): Promise<ResultStore> {
  const place = parseS3Place(text);
  return place === undefined ? new FolderStore(text) : openS3Store(place, process.env);
}
