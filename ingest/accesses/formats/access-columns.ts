import { TraceError } from "../../errors.ts";

/** What a column of an access table may give. */
export type AccessField =
  | "ts_ns"
  | "ts_s"
  | "thread"
  | "asid"
  | "va"
  | "ipa"
  | "va_page"
  | "ipa_page"
  | "rw"
  | "size"
  | "repeat";

/** The columns of our own tables of accesses, CSV and Arrow; every other name means nothing. */
export const ACCESS_COLUMNS: readonly {
  readonly field: AccessField;
  readonly names: readonly string[];
  readonly meaning: string;
}[] = [
  { field: "ts_ns", names: ["ts_ns"], meaning: "time, integer nanoseconds of any clock" },
  { field: "ts_s", names: ["ts_s"], meaning: "the same in decimal seconds (CSV only)" },
  {
    field: "thread",
    names: ["vcpu", "thread", "tid", "cpu"],
    meaning: "vCPU or thread; absent: 0",
  },
  { field: "asid", names: ["asid"], meaning: "address space, 0…65535; absent: 0" },
  { field: "va", names: ["va", "addr"], meaning: "virtual address, decimal or 0x" },
  { field: "ipa", names: ["ipa", "gpa"], meaning: "guest physical address, in its place" },
  {
    field: "va_page",
    names: ["va_page"],
    meaning: "its page number (address / page size), in its place",
  },
  { field: "ipa_page", names: ["ipa_page"], meaning: "the same of an IPA" },
  {
    field: "rw",
    names: ["rw"],
    meaning: "r or 0: read, w or 1: write, x or 2: fetch; absent: read",
  },
  { field: "size", names: ["size"], meaning: "bytes, at most 64 KiB; absent: one page is touched" },
  { field: "repeat", names: ["repeat"], meaning: "so many in a row; absent: 1" },
];

const ADDRESSES = ["va", "ipa", "va_page", "ipa_page"] as const;
export type AddressField = (typeof ADDRESSES)[number];

/** Where the columns of a table stand. */
export interface AccessColumns {
  /** Place of each field that there is. */
  readonly places: ReadonlyMap<AccessField, number>;
  readonly address: AddressField;
  /** Columns that mean nothing. */
  readonly unknown: readonly string[];
  /** What no column tells, as sentences. */
  readonly assumed: readonly string[];
}

/**
 * Checks the names of a table's columns.
 * @throws TraceError WRONG_FORMAT for a table without exactly one address, or with two columns of one meaning.
 */
export function readAccessColumns(names: readonly string[], path: string): AccessColumns {
  const places = new Map<AccessField, number>();
  const unknown: string[] = [];
  for (const [place, raw] of names.entries()) {
    const name = raw.trim().toLowerCase();
    const column = ACCESS_COLUMNS.find((candidate) => candidate.names.includes(name));
    if (column === undefined) unknown.push(raw);
    else if (places.has(column.field)) throw wrong(path, `two columns give ${column.field}`);
    else places.set(column.field, place);
  }
  const addresses = ADDRESSES.filter((field) => places.has(field));
  const [address] = addresses;
  if (address === undefined) throw wrong(path, "no column gives an address");
  if (addresses.length > 1) throw wrong(path, `${addresses.join(" and ")} both give the address`);
  if (places.has("ts_ns") && places.has("ts_s"))
    throw wrong(path, "ts_ns and ts_s both give the time");
  const assumed: string[] = [];
  if (!places.has("rw")) assumed.push("no column rw: every access is taken for a read");
  return { places, address, unknown, assumed };
}

/** Whether a header names a table of accesses. */
export function isAccessHeader(names: readonly string[]): boolean {
  const lower = names.map((name) => name.trim().toLowerCase());
  return lower.some(isAddress) && !lower.includes("event");
}

function isAddress(name: string): boolean {
  const column = ACCESS_COLUMNS.find(({ names }) => names.includes(name));
  return ADDRESSES.some((field) => field === column?.field);
}

function wrong(path: string, sentence: string): TraceError {
  const columns = ACCESS_COLUMNS.map(({ names }) => names[0]).join(", ");
  return new TraceError(
    "WRONG_FORMAT",
    sentence,
    path,
    `columns of a table of accesses: ${columns}`,
  );
}
