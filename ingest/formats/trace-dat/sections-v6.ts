import type { RandomBytes } from "../../source/random-bytes.ts";
import { TraceError } from "../../errors.ts";
import { ByteReader, DatDamage, latin1 } from "./byte-reader.ts";
import { type BufferTable, clockOf, type DatContents, emptyContents } from "./contents.ts";
import type { DatProblems } from "./dat-problems.ts";
import { findBytes } from "./find-bytes.ts";
import { skipFormats, skipSystems } from "./format-texts.ts";
import { OptionId, OptionTaker, optionsIn } from "./options.ts";
import type { Preamble } from "./preamble.ts";

/** The kinds of what follows the options, each 10 bytes. */
const OPTIONS_MARK = "options  \0";
const PAGES_MARK = "flyrecord\0";
const TEXT_MARK = "latency  \0";
const MARK_BYTES = 10;
/** The metadata of version 6 has no size of its own; it is read in one piece of at most this much. */
const MAX_METADATA_BYTES = 96 * 1024 * 1024;
const METADATA_STEP_BYTES = 16 * 1024 * 1024;
const MAX_CPUS = 65_535;

/** Reads the metadata of version 6, whose parts follow each other in a fixed order. */
export class SectionsV6 {
  readonly contents: DatContents = emptyContents();
  readonly #file: RandomBytes;
  readonly #preamble: Preamble;
  readonly #problems: DatProblems;
  readonly #path: string;

  constructor(file: RandomBytes, preamble: Preamble, problems: DatProblems, path: string) {
    this.#file = file;
    this.#preamble = preamble;
    this.#problems = problems;
    this.#path = path;
  }

  /** @throws TraceError UNSUPPORTED_LAYOUT for a file that holds text instead of pages. */
  async read(): Promise<void> {
    const start = this.#preamble.endOffset;
    const end = Math.min(this.#file.sizeBytes, MAX_METADATA_BYTES);
    const bytes = await this.#readMetadata(start, end);
    const reader = new ByteReader(bytes, this.#preamble.littleEndian);
    try {
      this.#readFixed(reader);
    } catch (error) {
      this.#report(start, error);
      this.#salvage(bytes);
      reader.at = Math.max(0, findBytes(bytes, OPTIONS_MARK, 0));
    }
    await this.#readTail(reader, start);
  }

  /** Up to the pages, whose mark ends the metadata, so that no page is read as such. */
  async #readMetadata(start: number, end: number): Promise<Uint8Array> {
    for (let size = METADATA_STEP_BYTES; ; size *= 2) {
      const bytes = await this.#file.read(start, Math.min(size, end - start));
      if (start + size >= end || findBytes(bytes, PAGES_MARK, 0) >= 0) return bytes;
    }
  }

  #readFixed(reader: ByteReader): void {
    const { contents } = this;
    this.#expect(reader, "header_page");
    contents.headerPage = latin1(reader.take(reader.u64()));
    this.#expect(reader, "header_event");
    reader.skip(reader.u64());
    const formatsFrom = reader.at;
    skipFormats(reader);
    skipSystems(reader);
    contents.formatBytes.push(reader.bytes.subarray(formatsFrom, reader.at));
    contents.kallsyms = reader.take(reader.u32());
    reader.skip(reader.u32()); // Formats of trace_printk.
    reader.skip(reader.u64()); // Names of tasks.
    contents.cpuCount = reader.u32();
    if (contents.cpuCount > MAX_CPUS) {
      throw new DatDamage(`${contents.cpuCount} CPUs`, reader.at - 4);
    }
  }

  /** What can still be found where a length is damaged: texts have their own shape. */
  #salvage(bytes: Uint8Array): void {
    const { contents } = this;
    const optionsAt = findBytes(bytes, OPTIONS_MARK, 0);
    const whole = optionsAt < 0 ? bytes : bytes.subarray(0, optionsAt);
    contents.formatBytes.length = 0;
    contents.formatBytes.push(whole);
    contents.kallsyms ??= whole;
    if (optionsAt < 4) return;
    const count = new ByteReader(bytes, this.#preamble.littleEndian, optionsAt - 4).u32();
    contents.cpuCount = count <= MAX_CPUS ? count : 0;
  }

  /** Options and the tables of pages. */
  async #readTail(reader: ByteReader, start: number): Promise<void> {
    const instances: { readonly name: string; readonly offset: number }[] = [];
    try {
      let mark = this.#mark(reader);
      if (mark === OPTIONS_MARK) {
        this.#readOptions(reader, instances, start);
        mark = this.#mark(reader);
      }
      if (mark === TEXT_MARK) {
        throw new TraceError(
          "UNSUPPORTED_LAYOUT",
          "this trace.dat holds the text of a latency trace instead of events",
          this.#path,
        );
      }
      if (mark !== PAGES_MARK) throw new DatDamage("the table of pages should follow", reader.at);
      this.contents.buffers.push(this.#readTable(reader, ""));
    } catch (error) {
      this.#report(start, error);
      this.#salvageTable(reader.bytes, start);
    }
    for (const { name, offset } of instances) await this.#readInstance(name, offset);
  }

  #readOptions(
    reader: ByteReader,
    instances: { readonly name: string; readonly offset: number }[],
    start: number,
  ): void {
    const taker = new OptionTaker(this.contents);
    try {
      for (const option of optionsIn(reader, true)) {
        if (option.id === OptionId.buffer) {
          instances.push({ offset: option.reader.u64(), name: option.reader.text() });
        } else taker.take(option);
      }
    } catch (error) {
      this.#report(start, error);
      const pagesAt = findBytes(reader.bytes, PAGES_MARK, 0);
      if (pagesAt >= 0) reader.at = pagesAt;
    }
  }

  async #readInstance(name: string, offset: number): Promise<void> {
    try {
      const roomBytes = MARK_BYTES + 16 * this.contents.cpuCount + 8 + 4096;
      const bytes = await this.#file.read(offset, roomBytes);
      const reader = new ByteReader(bytes, this.#preamble.littleEndian);
      if (this.#mark(reader) !== PAGES_MARK) throw new DatDamage("no table of pages", 0);
      this.contents.buffers.push(this.#readTable(reader, name));
    } catch (error) {
      this.#report(offset, error);
    }
  }

  #readTable(reader: ByteReader, name: string): BufferTable {
    const regions = [];
    for (let cpu = 0; cpu < this.contents.cpuCount; cpu += 1) {
      regions.push({ cpu, offset: reader.u64(), lengthBytes: reader.u64() });
    }
    let clock = this.contents.traceClock;
    // Older files end here; a damaged text must not cost the table.
    if (reader.remaining >= 8) {
      const lengthBytes = new ByteReader(reader.bytes, reader.littleEndian, reader.at).u64();
      if (lengthBytes < 64 && lengthBytes <= reader.remaining - 8) {
        reader.skip(8);
        clock = clockOf(latin1(reader.take(lengthBytes)).replace(/\0[^]*$/, "")) ?? clock;
      }
    }
    return { name, clock, pageBytes: 0, regions };
  }

  #salvageTable(bytes: Uint8Array, start: number): void {
    if (this.contents.buffers.length > 0) return;
    const pagesAt = findBytes(bytes, PAGES_MARK, 0);
    if (pagesAt < 0) return;
    try {
      const reader = new ByteReader(bytes, this.#preamble.littleEndian, pagesAt + MARK_BYTES);
      this.contents.buffers.push(this.#readTable(reader, ""));
    } catch (error) {
      this.#report(start, error);
    }
  }

  #mark(reader: ByteReader): string {
    return latin1(reader.take(MARK_BYTES));
  }

  #expect(reader: ByteReader, name: string): void {
    const { at } = reader;
    const found = reader.text();
    if (found !== name) throw new DatDamage(`\`${name}\` should stand here`, at);
  }

  #report(start: number, error: unknown): void {
    if (!(error instanceof DatDamage)) throw error;
    this.#problems.note("DAMAGED_METADATA", error.message, start + error.at);
  }
}
