import { openBytes } from "./open-bytes.ts";

/** A line of a text, as it stands there. */
export interface PickedLine {
  /** Where it begins in the unpacked text. */
  readonly byteOffset: number;
  /** Without its end; cut after MAX_SHOWN bytes. Bytes that are not UTF-8 are replaced. */
  readonly text: string;
}

/** Most bytes of a line that are kept. */
const MAX_SHOWN = 300;

/**
 * The wanted lines (1-based) of a text file; reads it again, up to the last of them.
 * @throws TraceError as openBytes does.
 */
export async function pickLines(
  path: string,
  wanted: ReadonlySet<number>,
): Promise<ReadonlyMap<number, PickedLine>> {
  const found = new Map<number, PickedLine>();
  let last = 0;
  for (const line of wanted) last = Math.max(last, line);
  let line = 1;
  let lineStart = 0;
  let chunkStart = 0;
  let pending: Buffer[] = [];
  const take = (bytes: Uint8Array): void => {
    if (wanted.has(line)) pending.push(Buffer.from(bytes));
  };
  const end = (): void => {
    if (!wanted.has(line)) return;
    const bytes = Buffer.concat(pending).subarray(0, MAX_SHOWN);
    found.set(line, { byteOffset: lineStart, text: bytes.toString("utf8") });
    pending = [];
  };
  const source = await openBytes(path);
  try {
    for await (const chunk of source.chunks) {
      let start = 0;
      while (line <= last) {
        const lineEnd = chunk.indexOf(10, start);
        if (lineEnd < 0) break;
        take(chunk.subarray(start, lineEnd));
        end();
        line += 1;
        start = lineEnd + 1;
        lineStart = chunkStart + start;
      }
      if (line > last) break;
      take(chunk.subarray(start));
      chunkStart += chunk.length;
    }
    if (pending.length > 0) end();
  } finally {
    await source.close();
  }
  return found;
}
