import { Lzma } from "./lzma.ts";
import { LzmaWindow } from "./lzma-window.ts";
import type { Wanted } from "./pulled-decoder.ts";
import type { Emit } from "./stream-decoder.ts";

const END = 0;
const STORED_RESETS_DICTIONARY = 1;
const STORED = 2;

/** What of the decoder a chunk begins anew, in the order of the control byte's values. */
const RESETS_STATE = 1;
const HAS_PROPERTIES = 2;
const RESETS_DICTIONARY = 3;

/** Unpacks the LZMA2 chunks of one block; gives how many stored bytes they had. */
export function* lzma2(dictionaryBytes: number, emit: Emit): Generator<Wanted, number, Uint8Array> {
  const window = new LzmaWindow(dictionaryBytes);
  const lzma = new Lzma(window);
  let stored = 0;
  // The first chunk resets the dictionary, the first compressed one has properties.
  let hasDictionary = false;
  let hasProperties = false;
  for (;;) {
    const control = (yield { bytes: 1 })[0]!;
    stored += 1;
    if (control === END) return stored;
    const isPacked = control >= 0x80;
    if (!isPacked && control > STORED) throw new Error("a chunk of an unknown kind");
    const resets = isPacked ? (control >> 5) & 3 : 0;
    if (control === STORED_RESETS_DICTIONARY || resets === RESETS_DICTIONARY) {
      window.reset();
      hasDictionary = true;
    }
    if (!hasDictionary) throw new Error("a first chunk that does not begin anew");
    const sizes = yield { bytes: isPacked ? 4 : 2 };
    stored += sizes.length;
    const low = ((sizes[0]! << 8) | sizes[1]!) + 1;
    const unpackedBytes = isPacked ? low + ((control & 0x1f) << 16) : low;
    const packedBytes = isPacked ? ((sizes[2]! << 8) | sizes[3]!) + 1 : unpackedBytes;
    if (resets >= HAS_PROPERTIES) {
      lzma.configure((yield { bytes: 1 })[0]!);
      hasProperties = true;
      stored += 1;
    }
    if (isPacked && !hasProperties) throw new Error("a chunk without settings");
    if (resets >= RESETS_STATE) lzma.resetState();
    const chunk = yield { bytes: packedBytes, takesFewer: true };
    stored += chunk.length;
    window.reserve();
    const from = window.position;
    let problem: string | undefined;
    if (isPacked) problem = lzma.unpack(chunk, unpackedBytes);
    else window.putAll(chunk);
    if (window.position > from) emit(window.bytes.slice(from, window.position));
    if (problem !== undefined && chunk.length === packedBytes) throw new Error(problem);
  }
}
