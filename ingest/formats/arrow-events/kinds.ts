import { TraceError } from "../../errors.ts";
import { EVENT_KINDS } from "../../events/kinds.ts";
import { ArrowDamage, type BatchLayout } from "./messages.ts";

/** Codes of the kinds that this version writes, in its order. */
export function ownKinds(): Uint8Array {
  return Uint8Array.from(EVENT_KINDS, (_, code) => code);
}

/**
 * Codes of the kinds that a file's dictionary names, by their places in it.
 * @throws TraceError WRONG_FORMAT for a kind that this version does not have; ArrowDamage.
 */
export function kindsOf(body: Uint8Array, layout: BatchLayout, path: string): Uint8Array {
  const [, offsets, texts] = layout.buffers;
  if (offsets === undefined || texts === undefined || offsets[1] < (layout.rows + 1) * 4) {
    throw new ArrowDamage("a dictionary without texts");
  }
  if (layout.rows > 256) throw new ArrowDamage("a dictionary with more kinds than there can be");
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  return Uint8Array.from({ length: layout.rows }, (_, i) => {
    const start = view.getInt32(offsets[0] + i * 4, true);
    const end = view.getInt32(offsets[0] + i * 4 + 4, true);
    if (start < 0 || end < start || end > texts[1]) throw new ArrowDamage("a kind outside");
    const name = Buffer.from(body.subarray(texts[0] + start, texts[0] + end)).toString("utf8");
    const code = (EVENT_KINDS as readonly string[]).indexOf(name);
    if (code >= 0) return code;
    throw new TraceError(
      "WRONG_FORMAT",
      `this event table has events of a kind that this version does not know: ${name.slice(0, 40)}`,
      path,
      "read it with the version that wrote it, or convert the trace again",
    );
  });
}
