import { FseCounts, FseTable, highBit } from "./fse-table.ts";
import { ZstdDamage } from "./zstd-error.ts";

/** Longest code of a literal, in bits. */
const MAX_BITS = 11;
const MAX_WEIGHT_LOG = 6;
const WEIGHTS = 256;

/** Bits a code has at most, and the symbols of all codes: `symbol | length << 8` by the next `bits` bits. */
export class HuffmanTable {
  readonly cells: Uint16Array = new Uint16Array(1 << MAX_BITS);
  bits = 0;
  /** False until it has been filled: literals without a table of their own cannot be read. */
  isFilled = false;
  readonly #weights = new Uint8Array(WEIGHTS);
  readonly #ranks = new Uint16Array(MAX_BITS + 2);
  readonly #counts = new FseCounts();
  readonly #weightTable = new FseTable({
    bases: Int32Array.from({ length: 16 }, (_, weight) => weight),
    extraBits: new Uint8Array(16),
    maxLog: MAX_WEIGHT_LOG,
  });

  /**
   * Reads a table's description at `from`, which must end at or before `to`.
   * @returns where it ends. @throws ZstdDamage.
   */
  read(bytes: Uint8Array, from: number, to: number): number {
    if (from >= to) throw new ZstdDamage("literals without their table");
    const head = bytes[from]!;
    const isPacked = head < 128;
    const end = from + 1 + (isPacked ? head : (head - 126) >> 1);
    if (end > to) throw new ZstdDamage("a table of literals runs beyond its block");
    const count = isPacked
      ? this.#readPacked(bytes, from + 1, end)
      : this.#readPlain(bytes, from + 1, head - 127);
    this.#fill(count);
    return end;
  }

  #readPlain(bytes: Uint8Array, from: number, count: number): number {
    for (let i = 0; i < count; i += 1) {
      const pair = bytes[from + (i >> 1)]!;
      this.#weights[i] = (i & 1) === 0 ? pair >> 4 : pair & 15;
    }
    return count;
  }

  /** Weights by finite state entropy, two states in turn, from the end of the bits to their beginning. */
  #readPacked(bytes: Uint8Array, from: number, to: number): number {
    const counts = this.#counts;
    const table = this.#weightTable;
    const begin = counts.read(bytes, from, to, MAX_BITS + 2, MAX_WEIGHT_LOG);
    table.fill(counts.counts, counts.symbols, counts.log);
    const last = begin < to ? bytes[to - 1]! : 0;
    if (last === 0) throw new ZstdDamage("a table of literals without its end mark");
    let bits = (to - 1 - begin) * 8 + highBit(last);
    const take = (count: number): number => {
      bits -= count;
      const at = begin + (bits >> 3);
      // In front of the first bit stand zeros.
      const word = (at >= begin ? bytes[at]! : 0) | (at + 1 >= begin ? bytes[at + 1]! << 8 : 0);
      return (word >>> (bits & 7)) & ((1 << count) - 1);
    };
    let state = take(table.log) << 1;
    let other = take(table.log) << 1;
    if (bits < 0) throw new ZstdDamage("a table of literals that is too short");
    for (let i = 0; i < WEIGHTS - 2; ) {
      const cell = table.cells[state]!;
      this.#weights[i] = table.cells[state + 1]!;
      i += 1;
      state = other;
      other = (cell & 0xffff) + (take((cell >>> 16) & 0xff) << 1);
      if (bits >= 0) continue;
      this.#weights[i] = table.cells[state + 1]!;
      return i + 1;
    }
    throw new ZstdDamage("a table of more literals than there are");
  }

  /** The last weight follows from the others: together they fill the table. */
  #fill(given: number): void {
    const weights = this.#weights;
    const ranks = this.#ranks;
    ranks.fill(0);
    let sum = 0;
    for (let i = 0; i < given; i += 1) {
      const weight = weights[i]!;
      if (weight > MAX_BITS) throw new ZstdDamage(`a literal of weight ${weight}`);
      ranks[weight]! += 1;
      if (weight > 0) sum += 1 << (weight - 1);
    }
    const bits = sum === 0 ? 0 : highBit(sum) + 1;
    const left = (1 << bits) - sum;
    if (sum === 0 || bits > MAX_BITS || (left & (left - 1)) !== 0) {
      throw new ZstdDamage("a table of literals that does not add up");
    }
    const last = highBit(left) + 1;
    weights[given] = last;
    ranks[last]! += 1;
    if (ranks[1]! < 2 || (ranks[1]! & 1) !== 0) {
      throw new ZstdDamage("a table of literals that does not add up");
    }
    this.#fillCells(given + 1, bits);
  }

  #fillCells(symbols: number, bits: number): void {
    const weights = this.#weights;
    const ranks = this.#ranks;
    const { cells } = this;
    let next = 0;
    for (let weight = 1; weight <= bits; weight += 1) {
      const count = ranks[weight]!;
      ranks[weight] = next;
      next += count << (weight - 1);
    }
    for (let symbol = 0; symbol < symbols; symbol += 1) {
      const weight = weights[symbol]!;
      if (weight === 0) continue;
      const from = ranks[weight]!;
      const to = from + (1 << (weight - 1));
      const cell = symbol | ((bits + 1 - weight) << 8);
      for (let i = from; i < to; i += 1) cells[i] = cell;
      ranks[weight] = to;
    }
    this.bits = bits;
    this.isFilled = true;
  }
}
