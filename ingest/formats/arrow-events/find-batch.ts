import { EVENT_TABLE_COLUMNS } from "../../events/event-table.ts";
import type { RandomBytes } from "../../source/random-bytes.ts";
import { ArrowDamage, readMessage } from "./messages.ts";

const WINDOW_BYTES: number = 1024 * 1024;

/** Offset of the next whole record batch at or behind `from`; undefined where there is none. */
export async function findBatch(
  file: RandomBytes,
  from: number,
  limit: number,
): Promise<number | undefined> {
  for (let start = from - (from % 8); start < limit; start += WINDOW_BYTES) {
    const window = await file.read(start, Math.min(WINDOW_BYTES, limit - start));
    const words = new Int32Array(window.buffer, window.byteOffset, window.length >> 2);
    for (let word = 0; word + 1 < words.length; word += 2) {
      // Minus one, and behind it the length of a description: few other places look like that.
      if (words[word] !== -1 || words[word + 1]! <= 0 || words[word + 1]! % 8 !== 0) continue;
      const offset = start + word * 4;
      if (offset >= from && (await isBatch(file, offset, limit))) return offset;
    }
  }
  return undefined;
}

async function isBatch(file: RandomBytes, offset: number, limit: number): Promise<boolean> {
  try {
    const { type, layout } = await readMessage(file, offset, limit);
    return type === "batch" && layout?.nullCounts.length === EVENT_TABLE_COLUMNS.length;
  } catch (error) {
    if (error instanceof ArrowDamage) return false;
    throw error;
  }
}
