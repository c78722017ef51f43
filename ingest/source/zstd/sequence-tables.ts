import type { BlockSource } from "./block-source.ts";
import { FseCounts, FseTable, type SymbolMeaning } from "./fse-table.ts";
import { ZstdDamage } from "./zstd-error.ts";

/** Bases that follow one another: each code begins where the one before it ends. */
function meaningOf(first: number, extraBits: readonly number[], maxLog: number): SymbolMeaning {
  let base = first;
  const bases = extraBits.map((bits) => {
    const own = base;
    base += 2 ** bits;
    return own;
  });
  return { bases: Int32Array.from(bases), extraBits: Uint8Array.from(extraBits), maxLog };
}

function times(count: number, value: number): readonly number[] {
  return Array.from({ length: count }, () => value);
}

const LITERAL_LENGTHS = meaningOf(
  0,
  [...times(16, 0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
  9,
);
const MATCH_LENGTHS = meaningOf(
  3,
  [...times(32, 0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
  9,
);
/** Code n stands for 2^n and n more bits. Windows beyond 2^27 are refused, so larger codes are damage. */
const OFFSETS: SymbolMeaning = {
  bases: Int32Array.from({ length: 29 }, (_, code) => 2 ** code),
  extraBits: Uint8Array.from({ length: 29 }, (_, code) => code),
  maxLog: 8,
};

const USUAL_LITERAL_LENGTHS: readonly number[] = [
  4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1,
  -1, -1, -1, -1,
];
const USUAL_MATCH_LENGTHS: readonly number[] = [
  1,
  4,
  3,
  2,
  2,
  2,
  2,
  2,
  2,
  ...times(37, 1),
  ...times(7, -1),
];
const USUAL_OFFSETS: readonly number[] = [
  ...times(6, 1),
  2,
  2,
  2,
  ...times(15, 1),
  ...times(5, -1),
];

const MODE_USUAL = 0;
const MODE_ONE_SYMBOL = 1;
const MODE_OWN_TABLE = 2;

/** The table that is in use for one part of the sequences, and the format's own. */
export class SequenceTable {
  /** In use: of this block, or of an earlier one. */
  current: FseTable;
  readonly #usual: FseTable;
  readonly #own: FseTable;
  readonly #codes: number;
  readonly #maxLog: number;
  readonly #counts: FseCounts;

  constructor(
    meaning: SymbolMeaning,
    usual: readonly number[],
    usualLog: number,
    codes: number,
    counts: FseCounts,
  ) {
    this.#usual = new FseTable(meaning);
    this.#usual.fill(Int16Array.from(usual), usual.length, usualLog);
    this.#own = new FseTable(meaning);
    this.current = this.#own;
    this.#codes = codes;
    this.#maxLog = meaning.maxLog;
    this.#counts = counts;
  }

  /** A frame begins: there is nothing to repeat. */
  forget(): void {
    this.#own.isFilled = false;
    this.current = this.#own;
  }

  /** Takes the table that the mode says. @returns where its description ends. @throws ZstdDamage. */
  choose(mode: number, source: BlockSource, from: number, to: number): number {
    const own = this.#own;
    switch (mode) {
      case MODE_USUAL:
        this.current = this.#usual;
        return from;
      case MODE_ONE_SYMBOL:
        if (from >= to) throw new ZstdDamage("sequences without their table");
        own.fillWithOne(source.bytes[from]!);
        this.current = own;
        return from + 1;
      case MODE_OWN_TABLE: {
        const counts = this.#counts;
        const end = counts.read(source.bytes, from, to, this.#codes, this.#maxLog);
        own.fill(counts.counts, counts.symbols, counts.log);
        this.current = own;
        return end;
      }
      default:
        if (!this.current.isFilled) throw new ZstdDamage("sequences that repeat no table");
        return from;
    }
  }
}

/** The three tables of sequences. */
export class SequenceTables {
  readonly #counts = new FseCounts();
  readonly literalLengths: SequenceTable = new SequenceTable(
    LITERAL_LENGTHS,
    USUAL_LITERAL_LENGTHS,
    6,
    36,
    this.#counts,
  );
  readonly offsets: SequenceTable = new SequenceTable(OFFSETS, USUAL_OFFSETS, 5, 29, this.#counts);
  readonly matchLengths: SequenceTable = new SequenceTable(
    MATCH_LENGTHS,
    USUAL_MATCH_LENGTHS,
    6,
    53,
    this.#counts,
  );

  forget(): void {
    this.literalLengths.forget();
    this.offsets.forget();
    this.matchLengths.forget();
  }
}
