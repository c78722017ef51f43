import { ZstdDamage } from "./zstd-error.ts";

/** Position of the highest 1 bit. */
export function highBit(value: number): number {
  return 31 - Math.clz32(value);
}

/** What the symbols of a table stand for: a number each, to which some extra bits are added. */
export interface SymbolMeaning {
  readonly bases: Int32Array;
  readonly extraBits: Uint8Array;
  /** Of the largest table that the format allows. */
  readonly maxLog: number;
}

/**
 * A decoding table of finite state entropy. A state is an index into `cells`, already doubled; its first
 * word holds the part of the next state that is known (bits 0…15, doubled), the number of bits that
 * complete it (16…23) and the number of extra bits (24…31); its second word is the symbol's number.
 */
export class FseTable {
  readonly cells: Int32Array;
  /** Bits of the first state; 0: one state for ever. */
  log = 0;
  /** False until it has been filled: nothing can be repeated from it. */
  isFilled = false;
  readonly #meaning: SymbolMeaning;
  readonly #symbols: Uint8Array;
  readonly #next: Uint16Array;

  constructor(meaning: SymbolMeaning) {
    this.#meaning = meaning;
    this.cells = new Int32Array(2 << meaning.maxLog);
    this.#symbols = new Uint8Array(1 << meaning.maxLog);
    this.#next = new Uint16Array(meaning.bases.length);
  }

  /** Every state gives the same symbol. */
  fillWithOne(symbol: number): void {
    const { bases, extraBits } = this.#meaning;
    if (symbol >= bases.length) throw new ZstdDamage(`a code ${symbol} that does not exist`);
    this.log = 0;
    this.cells[0] = extraBits[symbol]! << 24;
    this.cells[1] = bases[symbol]!;
    this.isFilled = true;
  }

  /** @param counts probability of each of the first `symbols`; -1 is less than one. */
  fill(counts: Int16Array, symbols: number, log: number): void {
    const size = 1 << log;
    const mask = size - 1;
    const spread = this.#symbols;
    const next = this.#next;
    let high = size - 1;
    for (let symbol = 0; symbol < symbols; symbol += 1) {
      const count = counts[symbol]!;
      next[symbol] = count === -1 ? 1 : count;
      if (count === -1) {
        spread[high] = symbol;
        high -= 1;
      }
    }
    const step = (size >> 1) + (size >> 3) + 3;
    let at = 0;
    for (let symbol = 0; symbol < symbols; symbol += 1) {
      for (let i = counts[symbol]!; i > 0; i -= 1) {
        spread[at] = symbol;
        do at = (at + step) & mask;
        while (at > high);
      }
    }
    this.#fillCells(size, log);
    this.log = log;
    this.isFilled = true;
  }

  #fillCells(size: number, log: number): void {
    const { cells } = this;
    const { bases, extraBits } = this.#meaning;
    const spread = this.#symbols;
    const next = this.#next;
    for (let state = 0; state < size; state += 1) {
      const symbol = spread[state]!;
      const from = next[symbol]!;
      next[symbol] = from + 1;
      const bits = log - highBit(from);
      const known = (from << bits) - size;
      cells[2 * state] = (known << 1) | (bits << 16) | (extraBits[symbol]! << 24);
      cells[2 * state + 1] = bases[symbol]!;
    }
  }
}

/** Reads the description of a table's probabilities. One reader serves all tables. */
export class FseCounts {
  readonly counts: Int16Array = new Int16Array(256);
  symbols = 0;
  log = 0;

  /**
   * Reads from `from`; the description must end at or before `to`.
   * @returns where it ends. @throws ZstdDamage.
   */
  read(bytes: Uint8Array, from: number, to: number, maxSymbols: number, maxLog: number): number {
    const { counts } = this;
    const peek = (bit: number): number => {
      const at = from + (bit >> 3);
      if (at >= to) throw new ZstdDamage("a table of codes runs beyond its block");
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
      return word >>> (bit & 7);
    };
    const log = (peek(0) & 15) + 5;
    if (log > maxLog) throw new ZstdDamage(`a table of codes of ${log} bits`);
    let bit = 4;
    let left = 1 << log;
    let symbol = 0;
    while (left > 0) {
      if (symbol >= maxSymbols) throw new ZstdDamage("a table with more codes than there are");
      const bits = highBit(left + 1) + 1;
      const word = peek(bit);
      const short = word & ((1 << (bits - 1)) - 1);
      const limit = (1 << bits) - 2 - left;
      let value = word & ((1 << bits) - 1);
      if (short < limit) {
        value = short;
        bit += bits - 1;
      } else {
        if (value >= 1 << (bits - 1)) value -= limit;
        bit += bits;
      }
      const count = value - 1;
      counts[symbol] = count;
      symbol += 1;
      left -= Math.abs(count);
      if (count !== 0) continue;
      for (let zeros = 3; zeros === 3; bit += 2) {
        zeros = peek(bit) & 3;
        if (symbol + zeros > maxSymbols) {
          throw new ZstdDamage("a table with more codes than there are");
        }
        counts.fill(0, symbol, symbol + zeros);
        symbol += zeros;
      }
    }
    const end = from + ((bit + 7) >> 3);
    if (left < 0 || end > to)
      throw new ZstdDamage("a table of codes whose probabilities are wrong");
    this.symbols = symbol;
    this.log = log;
    return end;
  }
}
