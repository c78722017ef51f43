import { openBytes } from "./open-bytes.ts";

/** Most bytes of a line that are shown. */
const MAX_SHOWN = 200;

/**
 * The lines around each of the wanted ones (1-based), each with its number in front and a `>` at the
 * wanted one; reads the trace again, up to the last of them.
 */
export async function linesAround(
  path: string,
  wanted: readonly number[],
  radius: number,
): Promise<Map<number, readonly string[]>> {
  const last = Math.max(...wanted) + radius;
  const keep = new Set<number>();
  for (const line of wanted) {
    for (let n = line - radius; n <= line + radius; n += 1) keep.add(n);
  }
  const texts = new Map<number, string>();
  let line = 1;
  let pending: Buffer[] = [];
  const source = await openBytes(path);
  try {
    for await (const chunk of source.chunks) {
      let start = 0;
      while (line <= last) {
        const end = chunk.indexOf(10, start);
        if (keep.has(line))
          pending.push(Buffer.from(chunk.subarray(start, end < 0 ? undefined : end)));
        if (end < 0) break;
        if (keep.has(line))
          texts.set(line, Buffer.concat(pending).subarray(0, MAX_SHOWN).toString("latin1"));
        pending = [];
        line += 1;
        start = end + 1;
      }
      if (line > last) break;
    }
  } finally {
    await source.close();
  }
  return new Map(wanted.map((n) => [n, contextOf(n, radius, texts)]));
}

function contextOf(
  wanted: number,
  radius: number,
  texts: ReadonlyMap<number, string>,
): readonly string[] {
  const lines: string[] = [];
  for (let n = wanted - radius; n <= wanted + radius; n += 1) {
    const text = texts.get(n);
    if (text !== undefined) lines.push(`${n === wanted ? ">" : " "} ${n}: ${text}`);
  }
  return lines;
}
