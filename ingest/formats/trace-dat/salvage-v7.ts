import type { RandomBytes } from "../../source/random-bytes.ts";
import { ByteReader, DatDamage } from "./byte-reader.ts";
import type { BufferTable, CpuRegion } from "./contents.ts";
import type { DatProblems } from "./dat-problems.ts";
import { alignUp } from "./find-bytes.ts";
import { OptionId, optionsIn } from "./options.ts";
import type { Preamble } from "./preamble.ts";
import { nextSectionFrom } from "./next-section.ts";
import { SECTION_HEADER_BYTES, type SectionHeader, type SectionsV7 } from "./sections-v7.ts";

const LARGEST_SECTION_ID = 64;
const CHUNK_HEADER_BYTES = 8;
/** Bytes that are read at once to look at page headers. */
const SURVEY_BYTES = 1024 * 1024;

/**
 * Finds what the broken chain of options does not lead to. All sections of version 7 follow each other
 * from the file's beginning, each with its size: walking them finds metadata and pages again.
 */
export class SalvageV7 {
  readonly #file: RandomBytes;
  readonly #preamble: Preamble;
  readonly #sections: SectionsV7;
  readonly #problems: DatProblems;
  /** Bytes that damage put in (or took out, negative) so far: what stood at a page's place no longer does. */
  #shiftBytes = 0;

  constructor(file: RandomBytes, preamble: Preamble, sections: SectionsV7, problems: DatProblems) {
    this.#file = file;
    this.#preamble = preamble;
    this.#sections = sections;
    this.#problems = problems;
  }

  async run(): Promise<void> {
    let at = this.#preamble.endOffset;
    let contentFrom = at;
    while (at + SECTION_HEADER_BYTES <= this.#file.sizeBytes) {
      const header = await this.#headerAt(at);
      if (header === undefined) {
        // Bytes may be missing in the last section's content, or too many.
        const next = await this.#nextSection(contentFrom, at);
        if (next === undefined) return;
        this.#shiftBytes += next - at;
        at = next;
        continue;
      }
      await this.#visit(header, at);
      contentFrom = header.offset;
      at = header.offset + header.lengthBytes;
    }
  }

  async #headerAt(at: number): Promise<SectionHeader | undefined> {
    try {
      const header = await this.#sections.headerAt(at);
      if (header.id <= LARGEST_SECTION_ID && header.lengthBytes > 0) return header;
    } catch (error) {
      if (!(error instanceof DatDamage)) throw error;
    }
    return undefined;
  }

  /** Gives up at its `at`, where a section should begin, once no other is found. */
  async #nextSection(from: number, at: number): Promise<number | undefined> {
    const next = await nextSectionFrom(this.#file, from, this.#preamble.littleEndian);
    const found = next === undefined ? "the rest is not read" : `the next one stands at ${next}`;
    this.#problems.note("DAMAGED_METADATA", `no section begins here; ${found}`, at);
    return next;
  }

  async #visit(header: SectionHeader, at: number): Promise<void> {
    const { contents } = this.#sections;
    switch (header.id) {
      case OptionId.done:
        await this.#visitOptions(header);
        break;
      case OptionId.buffer:
        await this.#visitPages(header);
        break;
      case OptionId.headerInfo:
        if (contents.headerPage === undefined) await this.#sections.readSection(at, header.id);
        break;
      case OptionId.kallsyms:
        if (contents.kallsyms === undefined) await this.#sections.readSection(at, header.id);
        break;
      case OptionId.ftraceEvents:
      case OptionId.eventFormats:
        if (contents.formatBytes.length < 2) await this.#sections.readSection(at, header.id);
        break;
      default:
        break;
    }
  }

  /** Only what the chain has not given: statistics would otherwise be taken twice, which is harmless. */
  async #visitOptions(header: SectionHeader): Promise<void> {
    const { contents } = this.#sections;
    try {
      const bytes = await this.#sections.content(header);
      for (const { id, reader } of optionsIn(
        new ByteReader(bytes, this.#preamble.littleEndian),
        false,
      )) {
        if (id === OptionId.cpuCount || id === OptionId.cpuStat || id === OptionId.traceClock) {
          await this.#sections.takeOption(id, reader);
        }
        if (id === OptionId.buffer && contents.buffers.length === 0) {
          await this.#sections.takeOption(id, reader);
        }
      }
    } catch (error) {
      if (!(error instanceof Error) || error.name === "TraceError") throw error;
      this.#problems.note("DAMAGED_METADATA", `options: ${error.message}`, header.offset);
    }
  }

  async #visitPages(header: SectionHeader): Promise<void> {
    const { buffers } = this.#sections.contents;
    const end = Math.min(header.offset + header.lengthBytes, this.#file.sizeBytes);
    const isKnown = buffers.some(({ regions }) =>
      regions.some(({ offset }) => offset >= header.offset && offset < end),
    );
    if (isKnown) return;
    const regions = header.isPacked
      ? await this.#packedRegions(header.offset, end)
      : await this.#plainRegions(header.offset, end);
    if (regions.length === 0) return;
    const table: BufferTable = {
      name: buffers.length === 0 ? "" : `at offset ${header.offset}`,
      clock: this.#sections.contents.traceClock,
      pageBytes: 0,
      regions,
    };
    buffers.push(table);
    const what = `${regions.length} runs of pages taken for those of CPU 0 to ${regions.length - 1}`;
    this.#problems.note("ASSUMED", `the list of CPUs is lost: ${what}`, header.offset);
  }

  /** Each CPU's chunks begin at a page's place with their number, so that they can be told apart. */
  async #packedRegions(from: number, end: number): Promise<readonly CpuRegion[]> {
    const { littleEndian } = this.#preamble;
    const regions: CpuRegion[] = [];
    let at = this.#pagePlace(from);
    while (at + 4 + CHUNK_HEADER_BYTES <= end) {
      const start = at;
      const chunks = new ByteReader(await this.#file.read(at, 4), littleEndian).u32();
      if (chunks === 0 || chunks > (end - at) / CHUNK_HEADER_BYTES) break;
      at += 4;
      for (let i = 0; i < chunks && at + CHUNK_HEADER_BYTES <= end; i += 1) {
        const bytes = await this.#file.read(at, CHUNK_HEADER_BYTES);
        at += CHUNK_HEADER_BYTES + new ByteReader(bytes, littleEndian).u32();
      }
      const lengthBytes = Math.min(at, end) - start;
      regions.push({ cpu: regions.length, offset: start, lengthBytes });
      at = this.#pagePlace(at);
    }
    return regions;
  }

  /** The first place from `offset` on that was a multiple of the page size when the file was written. */
  #pagePlace(offset: number): number {
    return alignUp(offset - this.#shiftBytes, this.#preamble.pageBytes) + this.#shiftBytes;
  }

  /** One CPU's pages are in order of time: where time goes back, the next CPU's begin. */
  async #plainRegions(from: number, end: number): Promise<readonly CpuRegion[]> {
    const { littleEndian, pageBytes } = this.#preamble;
    const starts: number[] = [];
    let last = -1;
    let at = this.#pagePlace(from);
    while (at + pageBytes <= end) {
      const block = await this.#file.read(at, Math.min(SURVEY_BYTES, end - at));
      const view = new DataView(block.buffer, block.byteOffset, block.length);
      for (let page = 0; page + pageBytes <= block.length; page += pageBytes) {
        const time = Number(view.getBigUint64(page, littleEndian));
        if (time < last || starts.length === 0) starts.push(at + page);
        last = time;
      }
      at += Math.max(pageBytes, block.length - (block.length % pageBytes));
    }
    return starts.map((offset, cpu) => {
      const lengthBytes = (starts[cpu + 1] ?? end) - offset;
      return { cpu, offset, lengthBytes };
    });
  }
}
