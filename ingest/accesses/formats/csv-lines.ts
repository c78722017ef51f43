import type { Diagnostics } from "../../diagnostics.ts";
import type { ByteSource } from "../../source/open-bytes.ts";

const NEWLINE = 10;
const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);
/** A line longer than this is handed on in parts: who reads it refuses it anyway. */
const MAX_HELD_BYTES = 128 * 1024;

/**
 * The content of a text without its byte order mark, cut behind line ends. A last line without an end is given
 * only where the source is whole: a number at a cut end may have lost digits and still look like one.
 */
export async function* lineChunks(
  source: ByteSource,
  diagnostics: Diagnostics,
): AsyncGenerator<Uint8Array, void, undefined> {
  const marked = BYTE_ORDER_MARK.equals(source.head.subarray(0, BYTE_ORDER_MARK.length));
  let skip = marked ? BYTE_ORDER_MARK.length : 0;
  let held = Buffer.alloc(0);
  let offset = 0;
  for await (const chunk of source.chunks) {
    const from = Math.min(skip, chunk.length);
    skip -= from;
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    offset += chunk.length;
    if (end > from) {
      if (held.length > 0) yield held;
      held = Buffer.alloc(0);
      yield chunk.subarray(from, end);
    }
    held = Buffer.concat([held, chunk.subarray(Math.max(from, end))]);
    if (held.length <= MAX_HELD_BYTES) continue;
    yield held;
    held = Buffer.alloc(0);
  }
  const damage = source.damage();
  if (damage !== undefined) {
    diagnostics.add("DAMAGED_COMPRESSION", damage.reason, 0, damage.byteOffset);
    if (held.length > 0)
      diagnostics.add("TRUNCATED", "the cut last line is not used", 0, offset - held.length);
  } else if (held.length > 0) {
    diagnostics.add("UNTERMINATED_LINE", "the last line has no newline", 0, offset - held.length);
    yield held;
  }
}
