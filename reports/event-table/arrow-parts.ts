import { crc32 } from "node:zlib";
import type * as Arrow from "apache-arrow";
import {
  EVENT_TABLE_COLUMNS,
  EVENT_TABLE_VERSION,
  type EventTableColumn,
  type EventTableType,
} from "../../ingest/events/event-table.ts";
import {
  CHECKSUM_KEY,
  EVENT_TABLE_KEYS,
  layoutText,
} from "../../ingest/events/event-table-metadata.ts";
import { EVENT_KINDS } from "../../ingest/events/kinds.ts";
import type { TableColumns, WideColumn } from "./columns.ts";

/** The library's module: it takes long to load, and is loaded only where an Arrow file is written. */
export type ArrowModule = typeof Arrow;

const NO_BYTES = new Uint8Array(0);
/** Given on purpose: the library would number dictionaries across the whole process. */
const KIND_DICTIONARY_ID = 0;

/** Schema of the event table, and how its rows become record batches. */
export class ArrowParts {
  readonly #arrow: ArrowModule;
  readonly #types: readonly Arrow.DataType[];
  readonly #fields: readonly Arrow.Field[];
  readonly #kinds: Arrow.Vector<Arrow.Utf8>;
  readonly #baseNs: bigint;

  constructor(arrow: ArrowModule, baseNs: bigint) {
    this.#arrow = arrow;
    this.#baseNs = baseNs;
    this.#kinds = arrow.makeVector(
      arrow.makeData({ type: new arrow.Utf8(), ...textsOf(EVENT_KINDS) }),
    );
    this.#types = EVENT_TABLE_COLUMNS.map((column) => this.#typeOf(column));
    this.#fields = EVENT_TABLE_COLUMNS.map(({ name, nullable, unit, meaning }, i) => {
      const metadata = new Map([
        ["unit", unit],
        ["meaning", meaning],
      ]);
      return new arrow.Field(name, this.#types[i]!, nullable, metadata);
    });
  }

  /** @param trace what is known of the trace, once it is known. */
  schema(trace?: string): Arrow.Schema {
    const metadata = new Map<string, string>([
      [EVENT_TABLE_KEYS.VERSION, String(EVENT_TABLE_VERSION)],
      [EVENT_TABLE_KEYS.BASE_NS, String(this.#baseNs)],
    ]);
    if (trace !== undefined) metadata.set(EVENT_TABLE_KEYS.TRACE, trace);
    return new this.#arrow.Schema([...this.#fields], metadata);
  }

  /** A batch over the columns' own memory: write it before they change. */
  batch(schema: Arrow.Schema, columns: TableColumns): Arrow.RecordBatch {
    const { length } = columns;
    const [time, ...rest] = this.#types;
    const children = [
      this.#fixed(time!, new BigInt64Array(columns.time.buffer), length),
      ...this.#children(rest, columns),
    ];
    const type = new this.#arrow.Struct([...this.#fields]);
    const data = this.#arrow.makeData({ type, length, nullCount: 0, children });
    return new this.#arrow.RecordBatch(schema, data);
  }

  #children(types: readonly Arrow.DataType[], columns: TableColumns): Arrow.Data[] {
    const { length, names } = columns;
    const [cpu, pid, event, kind, line, ...wide] = types;
    const wideColumns: readonly WideColumn[] = [
      ...columns.pointers,
      ...columns.numbers,
      columns.prot,
      ...columns.args,
    ];
    return [
      this.#fixed(cpu!, columns.cpu, length, columns.cpuNulls, columns.cpuValidity),
      this.#fixed(pid!, columns.pid, length, columns.pidNulls, columns.pidValidity),
      this.#arrow.makeData({
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is made of the `event` column
        type: event as Arrow.Utf8,
        length,
        nullCount: 0,
        valueOffsets: names.offsets,
        data: names.bytes.subarray(0, names.used),
      }),
      this.#arrow.makeData({
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is made of the `kind` column
        type: kind as Arrow.Dictionary<Arrow.Utf8, Arrow.Uint8>,
        length,
        nullCount: 0,
        data: columns.kind,
        dictionary: this.#kinds,
      }),
      this.#fixed(line!, columns.line, length),
      ...wide.map((type, i) => {
        const { words, nullCount, validity } = wideColumns[i]!;
        return this.#fixed(type, new BigUint64Array(words.buffer), length, nullCount, validity);
      }),
    ];
  }

  #fixed(
    type: Arrow.DataType,
    data: ArrayBufferView,
    length: number,
    nullCount = 0,
    nullBitmap: Uint8Array = NO_BYTES,
  ): Arrow.Data {
    const shape = { length, nullCount, ...(nullCount > 0 ? { nullBitmap } : {}) };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types are those of #typeOf
    return this.#arrow.makeData({ type: type as Arrow.Int, ...shape, data: data as never });
  }

  #typeOf({ type }: EventTableColumn): Arrow.DataType {
    const arrow = this.#arrow;
    const types: Readonly<Record<EventTableType, () => Arrow.DataType>> = {
      int64: () => new arrow.Int64(),
      uint64: () => new arrow.Uint64(),
      int32: () => new arrow.Int32(),
      uint32: () => new arrow.Uint32(),
      uint16: () => new arrow.Uint16(),
      utf8: () => new arrow.Utf8(),
      kind: () => new arrow.Dictionary(new arrow.Utf8(), new arrow.Uint8(), KIND_DICTIONARY_ID),
    };
    return types[type]();
  }
}

function textsOf(texts: readonly string[]): {
  length: number;
  nullCount: 0;
  valueOffsets: Int32Array;
  data: Uint8Array;
} {
  const bytes = texts.map((text) => Buffer.from(text, "utf8"));
  const valueOffsets = new Int32Array(texts.length + 1);
  bytes.forEach((text, i) => {
    valueOffsets[i + 1] = valueOffsets[i]! + text.length;
  });
  return {
    length: texts.length,
    nullCount: 0,
    valueOffsets,
    data: Uint8Array.from(Buffer.concat(bytes)),
  };
}

const PADDING = new Uint8Array(8);

/** CRC-32 of a body: the buffers, each padded to 8 bytes with zeros. */
function bodyChecksum(buffers: readonly ArrayBufferView[]): number {
  let sum = 0;
  for (const { buffer, byteOffset, byteLength } of buffers) {
    // zlib begins anew where it is given no memory.
    if (byteLength === 0) continue;
    sum = crc32(new Uint8Array(buffer, byteOffset, byteLength), sum);
    const padding = -byteLength & 7;
    if (padding > 0) sum = crc32(PADDING.subarray(0, padding), sum);
  }
  return sum;
}

/** What the library has put together of a batch. */
export type AssembledBatch = ReturnType<Arrow.RecordBatchFileWriter["_assembleRecordBatch"]>;

/** The checksum of a batch, as its metadata has it. */
export function checksumMetadata(assembled: AssembledBatch): [key: string, value: string] {
  const { nodes, bufferRegions, buffers } = assembled;
  const layout = layoutText(
    nodes[0]?.length ?? 0,
    nodes.map(({ nullCount }) => nullCount),
    bufferRegions.map(({ offset, length }) => [offset, length]),
  );
  const sum = crc32(layout, bodyChecksum(buffers));
  return [CHECKSUM_KEY, sum.toString(16).padStart(8, "0")];
}
