/** What a block of LZ4 sequences gave. */
export interface Lz4Outcome {
  /** Where the unpacked bytes end. */
  readonly end: number;
  /** Undefined where the block was used up; otherwise what is wrong with it, in words. */
  readonly problem: string | undefined;
}

const SHORTEST_MATCH = 4;
/** Above this one move of the engine is faster than a loop. */
const SHORT_COPY = 32;

/**
 * Unpacks the sequences of one block into `out` at `from`, never behind `limit`; matches may reach back to
 * the beginning of `out`, or to `oldest`. A block that is cut or damaged gives what came before.
 */
export function unpackLz4Block(
  block: Uint8Array,
  out: Uint8Array,
  from: number,
  limit: number,
  oldest: number,
): Lz4Outcome {
  const size = block.length;
  let at = 0;
  let to = from;
  while (at < size) {
    const token = block[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && at < size) literals += more = block[at++]!;
    }
    const end = at + literals;
    if (to + literals > limit)
      return { end: to, problem: "a block unpacks to more than its frame allows" };
    if (end > size) {
      out.set(block.subarray(at, size), to);
      return { end: to + size - at, problem: "a block ends within a sequence" };
    }
    if (literals > SHORT_COPY) out.set(block.subarray(at, end), to);
    else for (let i = 0; i < literals; i += 1) out[to + i] = block[at + i]!;
    to += literals;
    at = end;
    if (at === size) return { end: to, problem: undefined };
    const distance = block[at]! | (block[at + 1]! << 8);
    at += 2;
    let length = (token & 15) + SHORTEST_MATCH;
    if (length === 15 + SHORTEST_MATCH) {
      let more = 255;
      while (more === 255 && at < size) length += more = block[at++]!;
    }
    if (at > size) return { end: to, problem: "a block ends within a sequence" };
    const source = to - distance;
    if (distance === 0 || source < oldest)
      return { end: to, problem: "a match from before the beginning" };
    if (to + length > limit)
      return { end: to, problem: "a block unpacks to more than its frame allows" };
    to = copyMatch(out, source, to, length);
  }
  return { end: to, problem: "a block ends within a sequence" };
}

/** A match may overlap what it makes: then it repeats. */
function copyMatch(out: Uint8Array, source: number, to: number, length: number): number {
  const end = to + length;
  if (length > SHORT_COPY && to - source >= length) {
    out.copyWithin(to, source, source + length);
    return end;
  }
  for (let i = source, o = to; o < end; i += 1, o += 1) out[o] = out[i]!;
  return end;
}
