import { parse } from "csv-parse/sync";

import { TraceError } from "../../errors.ts";
import {
  KVM_MEM_LOG_DIRTY_PAGES,
  KVM_MEM_READONLY,
  type MemslotFact,
  type MemslotTable,
} from "./memslot.ts";

/** Columns and the other names that they go by. */
const COLUMNS = {
  vm: ["vm", "kvm", "guest"],
  slot: ["slot", "id", "slot_id"],
  asId: ["as_id"],
  ipa: ["ipa", "gpa", "guest_phys_addr"],
  gfn: ["gfn", "base_gfn"],
  bytes: ["bytes", "size", "memory_size", "len"],
  pages: ["pages", "npages"],
  hva: ["hva", "userspace_addr"],
  backing: ["backing", "page_size", "backing_bytes"],
  flags: ["flags"],
  pid: ["pid", "tgid"],
  from: ["from_s"],
  to: ["to_s"],
} as const;
type Column = keyof typeof COLUMNS;

/**
 * Memslots of a CSV with a header. Needed: `ipa` (bytes) or `gfn` (pages), `bytes` or `pages`. Wanted:
 * `hva`. May be: `vm`, `slot`, `as_id`, `backing` (bytes, `2M`, `1G`), `flags` (of the uapi: 1 dirty
 * logging, 2 read-only), `pid`, `from_s` and `to_s` (seconds of the trace's clock). Numbers are decimal or
 * `0x…`; an empty cell says nothing.
 * @throws TraceError BAD_OPTION with the line, for anything that cannot be used: no memslot is left out.
 */
export function readMemslotCsv(text: string, path: string, pageBytes: number): MemslotTable {
  const rows = recordsOf(text, path);
  const header = rows[0]?.cells ?? [];
  const places = placesOf(header, path);
  const slots = rows.slice(1).map(({ cells, line }) => {
    const row = new Row(cells, places, `${path}:${line}`);
    return slotOf(row, pageBytes);
  });
  return { slots, form: "csv", notes: [] };
}

interface CsvLine {
  readonly cells: readonly string[];
  readonly line: number;
}

function recordsOf(text: string, path: string): readonly CsvLine[] {
  const found: CsvLine[] = [];
  try {
    parse(text, {
      bom: true,
      trim: true,
      comment: "#",
      skip_empty_lines: true,
      on_record: (record: string[], { lines }) => {
        found.push({ cells: record, line: lines });
        return null;
      },
    });
  } catch (error) {
    throw new TraceError("BAD_OPTION", error instanceof Error ? error.message : "no CSV", path);
  }
  return found;
}

function placesOf(header: readonly string[], path: string): ReadonlyMap<Column, number> {
  const places = new Map<Column, number>();
  for (const [at, name] of header.entries()) {
    const column = columnOf(name.toLowerCase());
    if (column === undefined) {
      throw new TraceError("BAD_OPTION", `'${name}' is no column of a memslot table`, path, HINT);
    }
    if (places.has(column)) {
      throw new TraceError("BAD_OPTION", `two columns say the same as '${name}'`, path);
    }
    places.set(column, at);
  }
  if (!(places.has("ipa") || places.has("gfn")) || !(places.has("bytes") || places.has("pages"))) {
    const message = "a memslot table needs the columns ipa (or gfn) and bytes (or pages)";
    throw new TraceError("BAD_OPTION", message, path, HINT);
  }
  return places;
}

const HINT = `columns are ${Object.values(COLUMNS)
  .map(([name]) => name)
  .join(", ")}`;

function columnOf(name: string): Column | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets which keys there are
  const columns = Object.keys(COLUMNS) as readonly Column[];
  return columns.find((column) => COLUMNS[column].some((alias) => alias === name));
}

function slotOf(row: Row, pageBytes: number): MemslotFact {
  const asId = row.number("asId") ?? 0;
  if (asId !== 0) throw row.refuse("arm64 has one address space: as_id is 0");
  const ipaBytes = row.number("ipa") ?? scaled(row.number("gfn"), pageBytes);
  const lenBytes = row.size("bytes") ?? scaled(row.number("pages"), pageBytes);
  if (ipaBytes === undefined || lenBytes === undefined || lenBytes === 0) {
    throw row.refuse("a memslot without its guest address or its size");
  }
  const hvaBytes = row.number("hva");
  for (const value of [ipaBytes, lenBytes, hvaBytes ?? 0]) {
    if (value % pageBytes !== 0) throw row.refuse(`${value} is no multiple of the page size`);
  }
  const flags = row.number("flags");
  return {
    vm: row.text("vm") ?? "vm",
    slot: row.number("slot"),
    ipaBytes,
    lenBytes,
    hvaBytes,
    backingBytes: row.size("backing"),
    isReadOnly: flags !== undefined && (flags & KVM_MEM_READONLY) !== 0,
    isLogged: flags === undefined ? undefined : (flags & KVM_MEM_LOG_DIRTY_PAGES) !== 0,
    pid: row.number("pid"),
    fromNs: row.seconds("from"),
    toNs: row.seconds("to"),
  };
}

function scaled(pages: number | undefined, pageBytes: number): number | undefined {
  return pages === undefined ? undefined : pages * pageBytes;
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ["k", 2 ** 10],
  ["m", 2 ** 20],
  ["g", 2 ** 30],
  ["t", 2 ** 40],
]);

/** The cells of one line, by column. */
class Row {
  readonly #cells: readonly string[];
  readonly #places: ReadonlyMap<Column, number>;
  readonly #where: string;

  constructor(cells: readonly string[], places: ReadonlyMap<Column, number>, where: string) {
    this.#cells = cells;
    this.#places = places;
    this.#where = where;
  }

  refuse(message: string): TraceError {
    return new TraceError("BAD_OPTION", message, this.#where);
  }

  text(column: Column): string | undefined {
    const at = this.#places.get(column);
    const cell = at === undefined ? "" : (this.#cells[at] ?? "");
    return cell === "" ? undefined : cell;
  }

  number(column: Column): number | undefined {
    const text = this.text(column);
    if (text === undefined) return undefined;
    const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw this.refuse(`'${text}' is not a number`);
    return value;
  }

  /** A number of bytes, also as `2M` or `1GiB`. */
  size(column: Column): number | undefined {
    const text = this.text(column);
    const [, digits, unit] = /^(\d+)([kmgt])(?:i?b)?$/i.exec(text ?? "") ?? [];
    if (digits === undefined || unit === undefined) return this.number(column);
    return Number(digits) * UNITS.get(unit.toLowerCase())!;
  }

  /** Decimal seconds, exactly, in nanoseconds. */
  seconds(column: Column): bigint | undefined {
    const text = this.text(column);
    if (text === undefined) return undefined;
    const [, whole, fraction = ""] = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text) ?? [];
    if (whole === undefined) throw this.refuse(`'${text}' is not a time in seconds`);
    return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
  }
}
