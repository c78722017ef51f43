import { ByteReader, DatDamage, latin1 } from "./byte-reader.ts";
import { clockOf, type BufferTable, type DatContents } from "./contents.ts";
import { addStatistics } from "./cpu-statistics.ts";
import { isPageSize } from "./preamble.ts";
import { readOffset, readTicksToNs, readTimeShift } from "./time-options.ts";

/** Ids of the options that are used; in version 7 they are also ids of sections. */
export const OptionId = {
  done: 0,
  cpuStat: 2,
  buffer: 3,
  traceClock: 4,
  offset: 7,
  cpuCount: 8,
  timeShift: 12,
  tscToNs: 14,
  strings: 15,
  headerInfo: 16,
  ftraceEvents: 17,
  eventFormats: 18,
  kallsyms: 19,
} as const;

/** One option: what it is and its bytes, which the reader stands in front of. */
export interface DatOption {
  readonly id: number;
  readonly reader: ByteReader;
}

/**
 * Cuts a list of options into its parts. In version 6 the list ends with a bare id 0; in version 7 an
 * option of id 0 holds the offset of the next list. What follows a damaged length cannot be told.
 * @throws DatDamage behind the last sound option.
 */
export function* optionsIn(list: ByteReader, isVersion6: boolean): Generator<DatOption> {
  while (list.remaining > 0) {
    const id = list.u16();
    if (id === OptionId.done && isVersion6) return;
    const bytes = list.take(list.u32());
    yield { id, reader: new ByteReader(bytes, list.littleEndian) };
  }
}

/** Takes what the options that both versions have say; the buffer of statistics runs along. */
export class OptionTaker {
  readonly #contents: DatContents;
  #statisticsOf = "";

  constructor(contents: DatContents) {
    this.#contents = contents;
  }

  take({ id, reader }: DatOption): void {
    const contents = this.#contents;
    switch (id) {
      case OptionId.cpuStat:
        this.#statisticsOf = addStatistics(contents.statistics, textOf(reader), this.#statisticsOf);
        break;
      case OptionId.traceClock:
        contents.traceClock = clockOf(textOf(reader));
        break;
      case OptionId.cpuCount:
        contents.cpuCount = reader.u32();
        break;
      case OptionId.offset:
        this.#takeTimes("an offset to be added to its times", () => {
          contents.times.offsetNs += readOffset(reader);
        });
        break;
      case OptionId.timeShift:
        this.#takeTimes("a shift of its times to those of another trace", () => {
          contents.times.shift = readTimeShift(reader);
        });
        break;
      case OptionId.tscToNs:
        this.#takeTimes("factors that turn its clock's ticks into ns", () => {
          contents.times.ticks = readTicksToNs(reader);
        });
        break;
      default:
        break;
    }
  }

  /** What is damaged in these costs no other option: it is told of as not applied. */
  #takeTimes(what: string, take: () => void): void {
    try {
      take();
    } catch (error) {
      if (!(error instanceof DatDamage)) throw error;
      this.#contents.unapplied.push(`${what} (damaged: ${error.message})`);
    }
  }
}

/** The option of version 7 that says where a buffer's pages stand. @throws DatDamage. */
export function readBufferOption(reader: ByteReader): BufferTable {
  reader.u64(); // Offset of the section that holds the regions.
  const name = reader.text();
  const clock = clockOf(reader.text());
  const pageBytes = reader.u32();
  const count = reader.u32();
  const regions = [];
  for (let i = 0; i < count; i += 1) {
    regions.push({ cpu: reader.u32(), offset: reader.u64(), lengthBytes: reader.u64() });
  }
  return { name, clock, pageBytes: isPageSize(pageBytes) ? pageBytes : 0, regions };
}

function textOf(reader: ByteReader): string {
  return latin1(reader.bytes).replace(/\0[^]*$/, "");
}
