import type { RandomBytes } from "../../source/random-bytes.ts";
import { SECTION_HEADER_BYTES } from "./sections-v7.ts";

/** Kinds of sections so far (31 leaves room); the other numbers below them are options. */
const LARGEST_KIND = 31;
const LARGEST_FLAGS = 1;
/** Descriptions are offsets into a section of short texts. */
const LARGEST_DESCRIPTION = 1 << 16;
const SCAN_BYTES = 1024 * 1024;
/** Headers that only look like some are rare, but a file can be made of them. */
const MAX_FOLLOWED = 1000;

/**
 * Finds the next section of a version 7 file whose chain of sizes is broken: bytes that look like a
 * header, with a length behind which another one stands, or the end of the file.
 * @returns its offset, `undefined` where there is none from `from` on.
 */
export async function nextSectionFrom(
  file: RandomBytes,
  from: number,
  littleEndian: boolean,
): Promise<number | undefined> {
  let followed = 0;
  for (let begin = from; begin + SECTION_HEADER_BYTES <= file.sizeBytes; begin += SCAN_BYTES) {
    const block = await file.read(begin, SCAN_BYTES + SECTION_HEADER_BYTES - 1);
    const view = new DataView(block.buffer, block.byteOffset, block.length);
    for (let at = 0; at + SECTION_HEADER_BYTES <= block.length; at += 1) {
      const end = sectionEnd(view, at, begin, file.sizeBytes, littleEndian);
      if (end < 0) continue;
      followed += 1;
      if (followed > MAX_FOLLOWED) return undefined;
      if (await isSectionOrEnd(file, end, littleEndian)) return begin + at;
    }
  }
  return undefined;
}

async function isSectionOrEnd(
  file: RandomBytes,
  offset: number,
  littleEndian: boolean,
): Promise<boolean> {
  if (offset === file.sizeBytes) return true;
  const bytes = await file.read(offset, SECTION_HEADER_BYTES);
  if (bytes.length < SECTION_HEADER_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return sectionEnd(view, 0, offset, file.sizeBytes, littleEndian) >= 0;
}

/** End of the section whose header stands at `at` of a block; -1 where these bytes are no header. */
function sectionEnd(
  view: DataView,
  at: number,
  blockOffset: number,
  fileBytes: number,
  littleEndian: boolean,
): number {
  if (view.getUint16(at, littleEndian) > LARGEST_KIND) return -1;
  if (view.getUint16(at + 2, littleEndian) > LARGEST_FLAGS) return -1;
  if (view.getUint32(at + 4, littleEndian) > LARGEST_DESCRIPTION) return -1;
  const low = view.getUint32(at + (littleEndian ? 8 : 12), littleEndian);
  const high = view.getUint32(at + (littleEndian ? 12 : 8), littleEndian);
  if (high !== 0 || low === 0) return -1;
  const end = blockOffset + at + SECTION_HEADER_BYTES + low;
  return end <= fileBytes ? end : -1;
}
