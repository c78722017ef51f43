import { TraceError } from "../../errors.ts";
import {
  EVENT_TABLE_COLUMNS,
  EVENT_TABLE_VERSION,
  type EventTableType,
} from "../../events/event-table.ts";
import { EVENT_TABLE_KEYS } from "../../events/event-table-metadata.ts";
import type { FlatTable } from "./flat-table.ts";
import { metadataOf } from "./messages.ts";

const TYPE_INT = 2;
const TYPE_UTF8 = 5;
const INTEGERS: ReadonlyMap<string, EventTableType> = new Map<string, EventTableType>([
  ["64 true", "int64"],
  ["64 false", "uint64"],
  ["32 true", "int32"],
  ["32 false", "uint32"],
  ["16 false", "uint16"],
]);

/**
 * Checks that a schema is that of an event table of this version.
 * @returns the clock value that times count from.
 * @throws TraceError WRONG_FORMAT saying what differs; RangeError where the schema is damaged.
 */
export function checkSchema(schema: FlatTable, path: string): bigint {
  const metadata = metadataOf(schema, 2);
  const version = metadata.get(EVENT_TABLE_KEYS.VERSION);
  const base = metadata.get(EVENT_TABLE_KEYS.BASE_NS) ?? "";
  if (version === undefined) {
    throw wrong(path, "this Arrow file is no event table: its schema does not say so");
  }
  if (version !== String(EVENT_TABLE_VERSION)) {
    const sentence = `this is an event table of version ${version.slice(0, 20)}, not ${EVENT_TABLE_VERSION}`;
    throw wrong(path, sentence, "write it again from the trace with this version's convert");
  }
  if (schema.int16(0) !== 0) throw wrong(path, "this event table is big endian, which is not read");
  if (!/^-?\d{1,20}$/.test(base)) throw wrong(path, "this event table does not tell its clock");
  const found = schema.tables(1).map((field) => `${field.text(0) ?? ""}: ${typeOf(field)}`);
  const expected = EVENT_TABLE_COLUMNS.map(({ name, type }) => `${name}: ${type}`);
  const at = expected.findIndex((text, i) => text !== found[i]);
  if (at >= 0 || found.length !== expected.length) {
    const place = at < 0 ? expected.length : at;
    const [want, got] = [expected[place] ?? "no more columns", found[place] ?? "no more columns"];
    throw wrong(path, `column ${place + 1} of this event table should be ${want}, and is ${got}`);
  }
  return BigInt(base);
}

function typeOf(field: FlatTable): string {
  const type = field.uint8(2);
  const details = field.table(3);
  const dictionary = field.table(4);
  if (dictionary !== undefined) {
    const index = dictionary.table(1);
    const isByte = index !== undefined && index.int32(0) === 8 && index.uint8(1) === 0;
    return type === TYPE_UTF8 && isByte ? "kind" : "another dictionary";
  }
  if (type === TYPE_UTF8) return "utf8";
  if (type !== TYPE_INT || details === undefined) return `Arrow type ${type}`;
  const shape = `${details.int32(0)} ${details.uint8(1) !== 0}`;
  return INTEGERS.get(shape) ?? `int of ${shape}`;
}

function wrong(path: string, sentence: string, hint?: string): TraceError {
  return new TraceError("WRONG_FORMAT", sentence, path, hint);
}
