import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Beyond this a file beside a trace is not what its name says. */
const MAX_SIDE_FILE_BYTES = 64 * 1024 * 1024;

/**
 * Text of a file beside a trace; undefined where it is not there. One that cannot be used is a note,
 * never an error.
 * @param names of what is in the directory.
 */
export async function readSideFile(
  directory: string,
  name: string,
  names: readonly string[],
  notes: string[],
): Promise<string | undefined> {
  if (!names.includes(name)) return undefined;
  const path = join(directory, name);
  try {
    const { size } = await stat(path);
    if (size <= MAX_SIDE_FILE_BYTES) return await readFile(path, "utf8");
    notes.push(`${name} is too large (${size} bytes) and was not used`);
  } catch {
    notes.push(`${name} cannot be read and was not used`);
  }
  return undefined;
}
