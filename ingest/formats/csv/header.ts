import { TraceError } from "../../errors.ts";
import { ARGUMENT_ROLES, IGNORED_ARGUMENTS } from "../../vocabulary/roles.ts";

/** A column of the CSV format. */
export interface CsvColumn {
  readonly name: string;
  readonly meaning: string;
  readonly required: boolean;
}

/**
 * The columns of an event CSV, in the order in which a writer puts them. Values are decimal, or
 * hexadecimal with 0x; an empty cell is an absent value. Beside these names a column may bear any name
 * of the argument vocabulary (`size`, `level`, `mask`, `ret`, …): its meaning follows from the event.
 */
export const CSV_COLUMNS: readonly CsvColumn[] = [
  {
    name: "ts_ns",
    meaning: "time in ns, an integer (or give ts_s, decimal seconds)",
    required: true,
  },
  { name: "cpu", meaning: "CPU number", required: false },
  { name: "pid", meaning: "thread id", required: false },
  {
    name: "event",
    meaning: "kind of event, or kernel function; `_ret` behind either is its return",
    required: true,
  },
  { name: "pgt", meaning: "struct kvm_pgtable, a pointer", required: false },
  { name: "mmu", meaning: "struct kvm_s2_mmu, a pointer", required: false },
  { name: "kvm", meaning: "struct kvm, a pointer", required: false },
  {
    name: "addr",
    meaning: "start address; bytes, or pages where the kind says so",
    required: false,
  },
  { name: "len", meaning: "length; bytes, or pages where the kind says so", required: false },
  { name: "phys", meaning: "output address in bytes", required: false },
  { name: "prot", meaning: "enum kvm_pgtable_prot, 64 bits", required: false },
  { name: "arg0", meaning: "by kind", required: false },
  { name: "arg1", meaning: "by kind", required: false },
  { name: "arg2", meaning: "by kind", required: false },
  { name: "arg3", meaning: "by kind", required: false },
];

/** Decimal seconds in place of `ts_ns`. */
export const SECONDS_COLUMN: string = "ts_s";

/** Places of the columns in a file's header. */
export interface CsvHeader {
  readonly names: readonly string[];
  readonly time: number;
  readonly timeIsSeconds: boolean;
  readonly cpu: number | undefined;
  readonly pid: number | undefined;
  readonly event: number;
  /** Columns that no vocabulary knows. */
  readonly unknown: readonly string[];
}

/**
 * Checks a header.
 * @throws TraceError WRONG_FORMAT for a missing or repeated column.
 */
export function readHeader(cells: readonly string[], path: string): CsvHeader {
  const names = cells.map((cell) => cell.trim());
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) throw wrong(path, `the header names column \`${repeated}\` twice`);
  const place = (name: string): number | undefined => {
    const at = names.indexOf(name);
    return at < 0 ? undefined : at;
  };
  const [ns, seconds, event] = [place("ts_ns"), place(SECONDS_COLUMN), place("event")];
  if (ns !== undefined && seconds !== undefined)
    throw wrong(path, "the header has both ts_ns and ts_s");
  const time = ns ?? seconds;
  if (time === undefined) throw wrong(path, "the header has neither ts_ns nor ts_s");
  if (event === undefined) throw wrong(path, "the header has no column `event`");
  const known = knownNames();
  return {
    names,
    time,
    timeIsSeconds: ns === undefined,
    cpu: place("cpu"),
    pid: place("pid"),
    event,
    unknown: names.filter((name) => !known.has(name)),
  };
}

function knownNames(): ReadonlySet<string> {
  const roleNames = Object.values(ARGUMENT_ROLES).flatMap((role) => role.names);
  const columns = CSV_COLUMNS.map((column) => column.name);
  return new Set([...columns, SECONDS_COLUMN, ...roleNames, ...IGNORED_ARGUMENTS]);
}

function wrong(path: string, sentence: string): TraceError {
  const columns = CSV_COLUMNS.map((column) => column.name).join(",");
  return new TraceError("WRONG_FORMAT", sentence, path, `columns are: ${columns}`);
}
