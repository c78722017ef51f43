import { TraceError } from "../../errors.ts";
import { EVENT_TABLE_COLUMNS } from "../../events/event-table.ts";
import { ARGUMENT_ROLES, IGNORED_ARGUMENTS } from "../../vocabulary/roles.ts";

/** A column of the CSV format. */
export interface CsvColumn {
  readonly name: string;
  readonly meaning: string;
  readonly required: boolean;
}

/**
 * The columns of an event CSV, in the order in which a writer puts them: those of the event table. Values
 * are decimal, or hexadecimal with 0x; an empty cell is an absent value. With a `kind` the event's name is
 * only a name; without one the name says what the event means: a kind, or a kernel function, and `_ret`
 * behind either is its return. Beside these a column may bear any name of the argument vocabulary (`size`,
 * `level`, `mask`, `ret`, …): its meaning follows from the event. `line` is not read: lines are this file's.
 */
export const CSV_COLUMNS: readonly CsvColumn[] = EVENT_TABLE_COLUMNS.map(({ name, meaning }) => ({
  name,
  meaning,
  required: name === "ts_ns" || name === "event",
}));

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
  readonly kind: number | undefined;
  readonly line: number | undefined;
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
    kind: place("kind"),
    line: place("line"),
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
