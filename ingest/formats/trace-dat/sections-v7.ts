import type { RandomBytes } from "../../source/random-bytes.ts";
import { ByteReader, DatDamage, latin1 } from "./byte-reader.ts";
import { type DatContents, emptyContents } from "./contents.ts";
import type { DatProblems } from "./dat-problems.ts";
import { skipFormats, skipSystems } from "./format-texts.ts";
import { OptionId, OptionTaker, optionsIn, readBufferOption } from "./options.ts";
import type { Preamble } from "./preamble.ts";
import type { Packing } from "./unpack.ts";

/** id u16, flags u16, description u32, size u64. */
export const SECTION_HEADER_BYTES = 16;
/** No section of metadata is larger; one that says so is damaged. */
const MAX_SECTION_BYTES = 256 * 1024 * 1024;
const IS_PACKED = 1;
/** Lists of options are chained; a chain in a circle ends here. */
const MAX_LISTS = 1024;

/** Header of a section and where its content stands. */
export interface SectionHeader {
  readonly id: number;
  readonly isPacked: boolean;
  readonly offset: number;
  readonly lengthBytes: number;
}

/** Reads the metadata of version 7, by its chain of options. */
export class SectionsV7 {
  readonly contents: DatContents = emptyContents();
  /** False where the chain of options is broken: there may be more than was found. */
  isWhole = true;
  readonly #file: RandomBytes;
  readonly #preamble: Preamble;
  readonly #packing: Packing | undefined;
  readonly #problems: DatProblems;
  readonly #taker: OptionTaker;

  constructor(
    file: RandomBytes,
    preamble: Preamble,
    packing: Packing | undefined,
    problems: DatProblems,
  ) {
    this.#file = file;
    this.#preamble = preamble;
    this.#packing = packing;
    this.#problems = problems;
    this.#taker = new OptionTaker(this.contents);
  }

  /** Follows the chain of options and reads the sections that they name. */
  async read(): Promise<void> {
    let next = this.#preamble.optionsOffset;
    const seen = new Set<number>();
    while (next !== 0 && !seen.has(next) && seen.size < MAX_LISTS) {
      seen.add(next);
      next = await this.#readOptions(next);
    }
  }

  /** Reads a section of known kind; damage is reported and costs only this section. */
  async readSection(offset: number, wanted: number): Promise<void> {
    try {
      const header = await this.headerAt(offset);
      if (header.id !== wanted) {
        throw new DatDamage(`a section of kind ${header.id} instead of ${wanted}`, 0);
      }
      const reader = new ByteReader(await this.content(header), this.#preamble.littleEndian);
      this.#takeSection(wanted, reader);
    } catch (error) {
      this.#report(`section of kind ${wanted}`, offset, error);
    }
  }

  /** @throws DatDamage where there is no room for a header. */
  async headerAt(offset: number): Promise<SectionHeader> {
    const bytes = await this.#file.read(offset, SECTION_HEADER_BYTES);
    const reader = new ByteReader(bytes, this.#preamble.littleEndian);
    const id = reader.u16();
    const flags = reader.u16();
    reader.u32();
    const lengthBytes = reader.u64();
    const isPacked = (flags & IS_PACKED) !== 0;
    return { id, isPacked, offset: offset + SECTION_HEADER_BYTES, lengthBytes };
  }

  /** The content of a section of metadata, unpacked. @throws DatDamage, Error for damaged packing. */
  async content(header: SectionHeader): Promise<Uint8Array> {
    if (header.lengthBytes > MAX_SECTION_BYTES) {
      throw new DatDamage(`${header.lengthBytes} bytes long`, 0);
    }
    const stored = await this.#file.read(header.offset, header.lengthBytes);
    if (!header.isPacked || this.#packing === undefined) {
      if (stored.length < header.lengthBytes) throw new DatDamage("cut off", stored.length);
      return stored;
    }
    const reader = new ByteReader(stored, this.#preamble.littleEndian);
    const packedBytes = reader.u32();
    const unpackedBytes = reader.u32();
    if (unpackedBytes > MAX_SECTION_BYTES) throw new DatDamage(`${unpackedBytes} bytes long`, 4);
    const target = { bytes: new Uint8Array(0) };
    return this.#packing.unpack(reader.take(packedBytes), unpackedBytes, target);
  }

  async #readOptions(offset: number): Promise<number> {
    let next = 0;
    try {
      const header = await this.headerAt(offset);
      if (header.id !== OptionId.done) throw new DatDamage("no list of options", 0);
      const list = new ByteReader(await this.content(header), this.#preamble.littleEndian);
      for (const option of optionsIn(list, false)) {
        if (option.id === OptionId.done) {
          if (option.reader.remaining >= 8) next = option.reader.u64();
        } else await this.takeOption(option.id, option.reader);
      }
    } catch (error) {
      this.isWhole = false;
      this.#report("list of options", offset, error);
    }
    return next;
  }

  /** Takes one option, and the section it names. @throws DatDamage. */
  async takeOption(id: number, reader: ByteReader): Promise<void> {
    switch (id) {
      case OptionId.buffer:
        this.contents.buffers.push(readBufferOption(reader));
        break;
      case OptionId.headerInfo:
      case OptionId.ftraceEvents:
      case OptionId.eventFormats:
      case OptionId.kallsyms:
        await this.readSection(reader.u64(), id);
        break;
      default:
        this.#taker.take({ id, reader });
    }
  }

  #takeSection(id: number, reader: ByteReader): void {
    const { contents } = this;
    switch (id) {
      case OptionId.headerInfo:
        reader.text();
        contents.headerPage = latin1(reader.take(reader.u64()));
        break;
      case OptionId.ftraceEvents:
        contents.formatBytes.push(reader.bytes);
        skipFormats(reader);
        break;
      case OptionId.eventFormats:
        contents.formatBytes.push(reader.bytes);
        skipSystems(reader);
        break;
      default: // OptionId.kallsyms
        reader.u32();
        contents.kallsyms = reader.bytes.subarray(reader.at);
    }
  }

  #report(what: string, offset: number, error: unknown): void {
    if (!(error instanceof Error) || error.name === "TraceError") throw error;
    this.#problems.note("DAMAGED_METADATA", `the ${what} here: ${error.message}`, offset);
  }
}
