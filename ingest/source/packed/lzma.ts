import { EVEN_PROBABILITY, RangeCoder } from "./range-coder.ts";
import type { LzmaWindow } from "./lzma-window.ts";

/** Of the LZMA state machine: what the last operations were. */
const STATES = 12;
const FIRST_STATE_AFTER_MATCH = 7;
const MAX_POSITION_STATES = 16;
const LENGTH_STATES = 4;
const DISTANCE_MODELS = 115;
const ALIGN_BITS = 4;
const SHORTEST_MATCH = 2;

/** Probabilities of the lengths of matches: a choice, another, then a tree. */
class LengthModel {
  readonly #choice = new Uint16Array(2);
  readonly #low = new Uint16Array(MAX_POSITION_STATES * 8);
  readonly #middle = new Uint16Array(MAX_POSITION_STATES * 8);
  readonly #high = new Uint16Array(256);

  reset(): void {
    for (const model of [this.#choice, this.#low, this.#middle, this.#high]) {
      model.fill(EVEN_PROBABILITY);
    }
  }

  read(coder: RangeCoder, positionState: number): number {
    if (coder.bit(this.#choice, 0) === 0) {
      return SHORTEST_MATCH + coder.tree(this.#low, positionState * 8, 3);
    }
    if (coder.bit(this.#choice, 1) === 0) {
      return SHORTEST_MATCH + 8 + coder.tree(this.#middle, positionState * 8, 3);
    }
    return SHORTEST_MATCH + 16 + coder.tree(this.#high, 0, 8);
  }
}

/** Unpacks LZMA data into a window: https://github.com/tukaani-project/xz, doc/lzma-file-format.txt */
export class Lzma {
  readonly #coder = new RangeCoder();
  readonly #window: LzmaWindow;
  readonly #isMatch = new Uint16Array(STATES * MAX_POSITION_STATES);
  readonly #isRepeat = new Uint16Array(STATES);
  /** Whether it is not the last, second, third distance again. */
  readonly #isNot0 = new Uint16Array(STATES);
  readonly #isNot1 = new Uint16Array(STATES);
  readonly #isNot2 = new Uint16Array(STATES);
  readonly #isLong0 = new Uint16Array(STATES * MAX_POSITION_STATES);
  readonly #slots = new Uint16Array(LENGTH_STATES * 64);
  readonly #distances = new Uint16Array(DISTANCE_MODELS);
  readonly #align = new Uint16Array(1 << ALIGN_BITS);
  readonly #matchLengths = new LengthModel();
  readonly #repeatLengths = new LengthModel();
  #literals = new Uint16Array(0);
  #literalContextBits = 0;
  #literalMask = 0;
  #positionMask = 0;
  #state = 0;
  #distance0 = 0;
  #distance1 = 0;
  #distance2 = 0;
  #distance3 = 0;

  constructor(window: LzmaWindow) {
    this.#window = window;
  }

  /** Takes the settings that a chunk gives. @throws Error where there are none such. */
  configure(properties: number): void {
    const literalContextBits = properties % 9;
    const literalPositionBits = Math.floor(properties / 9) % 5;
    const positionBits = Math.floor(properties / 45);
    if (properties > 224 || literalContextBits + literalPositionBits > 4) {
      throw new Error("settings that are none");
    }
    this.#literalContextBits = literalContextBits;
    this.#literalMask = (1 << literalPositionBits) - 1;
    this.#positionMask = (1 << positionBits) - 1;
    this.#literals = new Uint16Array(0x300 << (literalContextBits + literalPositionBits));
  }

  /** Forgets what was learned. */
  resetState(): void {
    const models = [this.#isMatch, this.#isRepeat, this.#isNot0, this.#isNot1, this.#isNot2];
    for (const model of [...models, this.#isLong0, this.#slots, this.#distances, this.#align]) {
      model.fill(EVEN_PROBABILITY);
    }
    this.#literals.fill(EVEN_PROBABILITY);
    this.#matchLengths.reset();
    this.#repeatLengths.reset();
    this.#state = 0;
    this.#distance0 = 0;
    this.#distance1 = 0;
    this.#distance2 = 0;
    this.#distance3 = 0;
  }

  /**
   * Unpacks `packed` until `unpackedBytes` are in the window; gives what is wrong, in words. What came before
   * is in the window.
   */
  unpack(packed: Uint8Array, unpackedBytes: number): string | undefined {
    const coder = this.#coder;
    const window = this.#window;
    const end = window.position + unpackedBytes;
    coder.start(packed, 0);
    while (window.position < end) {
      const before = window.position;
      const problem = this.#readOne(end);
      if (coder.isBeyond) {
        window.position = before;
        return "a chunk ends within its data";
      }
      if (problem !== undefined) return problem;
    }
    return coder.isFinished ? undefined : "a chunk with more data than it says";
  }

  /** A literal or a match. */
  #readOne(end: number): string | undefined {
    const coder = this.#coder;
    const window = this.#window;
    const state = this.#state;
    const positionState = window.total & this.#positionMask;
    if (coder.bit(this.#isMatch, state * MAX_POSITION_STATES + positionState) === 0) {
      this.#readLiteral();
      return undefined;
    }
    let length: number;
    if (coder.bit(this.#isRepeat, state) === 0) {
      length = this.#matchLengths.read(coder, positionState);
      this.#readDistance(length);
      this.#state = state < FIRST_STATE_AFTER_MATCH ? 7 : 10;
    } else if (this.#readRepeat(positionState)) {
      length = this.#repeatLengths.read(coder, positionState);
      this.#state = state < FIRST_STATE_AFTER_MATCH ? 8 : 11;
    } else {
      length = 1;
      this.#state = state < FIRST_STATE_AFTER_MATCH ? 9 : 11;
    }
    if (this.#distance0 >= window.reach) return "a match from before the beginning";
    if (length > end - window.position) return "a match over the chunk's end";
    window.repeat(this.#distance0 + 1, length);
    return undefined;
  }

  #readLiteral(): void {
    const coder = this.#coder;
    const window = this.#window;
    const { bytes, position } = window;
    const previous = window.reach > 0 ? bytes[position - 1]! : 0;
    const bits = this.#literalContextBits;
    const context = ((window.total & this.#literalMask) << bits) + (previous >> (8 - bits));
    const base = 0x300 * context;
    const literals = this.#literals;
    let symbol = 1;
    if (this.#state >= FIRST_STATE_AFTER_MATCH) {
      // What stands at the last distance is likely, and its bits are part of the context.
      let matched = bytes[position - this.#distance0 - 1]!;
      while (symbol < 0x100) {
        const expected = (matched >> 7) & 1;
        matched <<= 1;
        const bit = coder.bit(literals, base + ((1 + expected) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (bit !== expected) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | coder.bit(literals, base + symbol);
    window.put(symbol & 0xff);
    const state = this.#state;
    this.#state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
  }

  #readDistance(length: number): void {
    const coder = this.#coder;
    this.#distance3 = this.#distance2;
    this.#distance2 = this.#distance1;
    this.#distance1 = this.#distance0;
    const lengthState = Math.min(length - SHORTEST_MATCH, LENGTH_STATES - 1);
    const slot = coder.tree(this.#slots, lengthState * 64, 6);
    if (slot < 4) {
      this.#distance0 = slot;
      return;
    }
    const lowBits = (slot >> 1) - 1;
    const base = ((2 | (slot & 1)) << lowBits) >>> 0;
    if (slot < 14) {
      this.#distance0 = base + coder.reverseTree(this.#distances, base - slot, lowBits);
      return;
    }
    const middle = coder.direct(lowBits - ALIGN_BITS) * (1 << ALIGN_BITS);
    this.#distance0 = base + middle + coder.reverseTree(this.#align, 0, ALIGN_BITS);
  }

  /** One of the last four distances again; false: just one byte from the last one. */
  #readRepeat(positionState: number): boolean {
    const coder = this.#coder;
    const state = this.#state;
    if (coder.bit(this.#isNot0, state) === 0) {
      return coder.bit(this.#isLong0, state * MAX_POSITION_STATES + positionState) === 1;
    }
    let distance: number;
    if (coder.bit(this.#isNot1, state) === 0) distance = this.#distance1;
    else {
      if (coder.bit(this.#isNot2, state) === 0) distance = this.#distance2;
      else {
        distance = this.#distance3;
        this.#distance3 = this.#distance2;
      }
      this.#distance2 = this.#distance1;
    }
    this.#distance1 = this.#distance0;
    this.#distance0 = distance;
    return true;
  }
}
