import type { EventBatch } from "../../events/columns.ts";
import { EVENT_KINDS, EventKind } from "../../events/kinds.ts";
import type { PointerTable } from "../../events/pointers.ts";
import {
  type FunctionMeaning,
  KERNEL_FUNCTIONS,
  meaningOfReturn,
  meaningOfSymbol,
  type Need,
} from "../../vocabulary/functions.ts";
import { IGNORED_ARGUMENTS, roleOfArgument } from "../../vocabulary/roles.ts";
import {
  appliedFunctionIndex,
  parseHalves,
  parseInt32,
  parseQuantity,
  parseSigned,
} from "./cells.ts";
import type { CsvHeader } from "./header.ts";

const RETURN_SUFFIX = "_ret";

/** Meanings of kinds that are no kernel function's. */
const STOCK_MEANINGS: readonly FunctionMeaning[] = [
  { kind: "guest_fault", takes: ["address"], needs: ["addr"] },
  { kind: "access_fault", takes: ["address"], needs: ["addr"] },
  { kind: "unmap_hva", takes: ["address", "length", "end"], needs: [] },
  { kind: "age_hva", takes: ["address", "length", "end"], needs: [] },
  { kind: "set_spte_hva", takes: ["address"], needs: [] },
  { kind: "test_age_hva", takes: ["address"], needs: [] },
];

/** Meaning of an `event` cell: a kind's name, or a kernel function's, with or without `_ret`. */
export function meaningOfEvent(event: string, isReturn: boolean): FunctionMeaning | undefined {
  if (!isReturn && event.endsWith(RETURN_SUFFIX)) {
    return meaningOfEvent(event.slice(0, -RETURN_SUFFIX.length), true);
  }
  const meaning = meaningOfSymbol(event) ?? meaningOfKind(event);
  if (meaning === undefined || !isReturn) return meaning;
  const returnKind = meaning.returnKind;
  return returnKind === undefined ? undefined : meaningOfReturn(returnKind);
}

/** Meaning of a kind by its name alone. */
export function meaningOfKind(name: string): FunctionMeaning | undefined {
  const kind = EVENT_KINDS.find((candidate) => candidate === name);
  if (kind === undefined) return undefined;
  for (const meaning of [...KERNEL_FUNCTIONS.values(), ...STOCK_MEANINGS]) {
    if (meaning.kind === kind) return meaning;
  }
  return { kind, takes: [], needs: [] };
}

/** What became of a row. */
export interface RowProblem {
  readonly code: "BAD_NUMBER" | "MISSING_ARGUMENT";
  readonly reason: string;
}

type Store = (cell: string, batch: EventBatch, row: number) => boolean;

export interface CellPlan {
  readonly index: number;
  readonly name: string;
  /** Columns that it gives. */
  readonly fills: readonly string[];
  /** The one column that it is the number of; undefined where it takes more to store it. */
  readonly plain: PlainColumn | undefined;
  readonly store: Store;
}

/** Columns whose cells are numbers; `arg0int` is an arg0 that is a C int. */
export const PLAIN_COLUMNS = [
  "pgt",
  "mmu",
  "kvm",
  "addr",
  "len",
  "phys",
  "prot",
  "arg0",
  "arg0int",
  "arg1",
  "arg2",
  "arg3",
] as const;
export type PlainColumn = (typeof PLAIN_COLUMNS)[number];

/** How the cells of one kind of event go into the columns of a row. */
export class RowPlan {
  readonly kind: number;
  /** Columns of the header that mean nothing for this kind. */
  readonly strange: readonly number[];
  readonly cells: readonly CellPlan[];
  readonly needs: readonly Need[];
  #end: number | undefined;

  constructor(meaning: FunctionMeaning, header: CsvHeader, pointers: PointerTable) {
    this.kind = EventKind[meaning.kind];
    // An entry that is nothing is 0, which the event table leaves empty; the tracepoint names no VM.
    this.needs =
      meaning.kind === "spte_changed"
        ? meaning.needs.filter((need) => need !== "prot" && need !== "context")
        : meaning.needs;
    const { time, event, cpu, pid, kind, line } = header;
    const fixed = new Set([time, event, cpu, pid, kind, line]);
    const others = header.names
      .map((name, index) => ({ name, index }))
      .filter(({ index }) => !fixed.has(index));
    const plans = others.map(({ name, index }) => this.#planCell(name, index, meaning, pointers));
    this.cells = plans.filter((plan) => plan !== undefined);
    const planned = new Set(this.cells.map((cell) => cell.index));
    this.strange = others
      .filter(({ name, index }) => !planned.has(index) && !isIgnored(name, meaning, header))
      .map(({ index }) => index);
  }

  /** Fills row `row`; a problem leaves it dirty. */
  fill(cells: readonly string[], batch: EventBatch, row: number): RowProblem | undefined {
    const filledBy = new Map<string, string>();
    this.#end = undefined;
    for (const { index, name, fills, store } of this.cells) {
      const cell = cells[index]!;
      if (cell === "") continue;
      for (const target of fills) {
        const column = target === "end" ? "len" : target;
        const earlier = filledBy.get(column);
        if (earlier !== undefined) {
          return {
            code: "BAD_NUMBER",
            reason: `columns \`${earlier}\` and \`${name}\` both give ${column}`,
          };
        }
        filledBy.set(column, name);
      }
      if (!store(cell, batch, row)) {
        return { code: "BAD_NUMBER", reason: `\`${name}\` is not a number that fits` };
      }
    }
    return this.#checkEnd(batch, row) ?? this.#checkNeeds(filledBy, batch, row);
  }

  #checkEnd(batch: EventBatch, row: number): RowProblem | undefined {
    if (this.#end === undefined) return undefined;
    const length = this.#end - batch.addr[row]!;
    batch.len[row] = length;
    return length >= 0
      ? undefined
      : { code: "BAD_NUMBER", reason: "the end is not behind a start" };
  }

  #checkNeeds(
    filled: ReadonlyMap<string, string>,
    batch: EventBatch,
    row: number,
  ): RowProblem | undefined {
    const hasContext = batch.pgt[row] !== 0 || batch.mmu[row] !== 0 || batch.kvm[row] !== 0;
    const missing = this.needs.filter((need) =>
      need === "context" ? !hasContext : !filled.has(need),
    );
    if (missing.length === 0) return undefined;
    const words = missing.map((need) => (need === "context" ? "pgt, mmu or kvm" : need));
    return { code: "MISSING_ARGUMENT", reason: `no column gives ${words.join(", ")}` };
  }

  #planCell(
    name: string,
    index: number,
    meaning: FunctionMeaning,
    pointers: PointerTable,
  ): CellPlan | undefined {
    const direct = this.#directStore(name, meaning, pointers);
    if (direct !== undefined) {
      return { index, name, fills: [name], plain: plainColumn(name, meaning), store: direct };
    }
    const role = roleOfArgument(name, meaning.takes);
    if (role === undefined) return undefined;
    const fills = role.column.split("+");
    const cell = { index, name, fills, plain: undefined };
    if (role.reading === "symbol") return { ...cell, store: storeApplied };
    if (role.column === "end") return { ...cell, store: this.#storeEnd };
    if (role.column === "arg1+arg2") return { ...cell, store: storeMask };
    if (role.column === "mmu+kvm") {
      const [mmu, kvm] = [storePointer("mmu", pointers), storePointer("kvm", pointers)];
      return {
        ...cell,
        store: (text, batch, row) => mmu(text, batch, row) && kvm(text, batch, row),
      };
    }
    const store = this.#directStore(role.column, meaning, pointers);
    const plain = plainColumn(role.column, meaning);
    return store === undefined ? undefined : { index, name, fills, plain, store };
  }

  /** How a cell goes into the column of that name; undefined where there is no such column. */
  #directStore(
    column: string,
    meaning: FunctionMeaning,
    pointers: PointerTable,
  ): Store | undefined {
    switch (column) {
      case "pgt":
      case "mmu":
      case "kvm":
        return storePointer(column, pointers);
      case "addr":
      case "len":
      case "phys":
        return storeNumber(column, parseQuantity);
      case "prot":
        return storeProt;
      case "arg0":
        return storeNumber(column, isInt32(meaning) ? parseInt32 : parseSigned);
      case "arg1":
      case "arg2":
      case "arg3":
        return storeNumber(column, parseSigned);
      default:
        return undefined;
    }
  }

  readonly #storeEnd: Store = (cell) => {
    this.#end = parseQuantity(cell);
    return this.#end !== undefined;
  };
}

function plainColumn(column: string, meaning: FunctionMeaning): PlainColumn | undefined {
  if (column === "arg0" && isInt32(meaning)) return "arg0int";
  return PLAIN_COLUMNS.find((name) => name === column && name !== "arg0int");
}

/** `ret`, `level` and `change` are C ints: 0xffffffff is -1. */
function isInt32(meaning: FunctionMeaning): boolean {
  return meaning.takes.some((role) => role === "returned" || role === "level" || role === "change");
}

function isIgnored(name: string, meaning: FunctionMeaning, header: CsvHeader): boolean {
  return (
    IGNORED_ARGUMENTS.includes(name) ||
    header.unknown.includes(name) ||
    meaning.ignores?.includes(name) === true
  );
}

function storePointer(column: "pgt" | "mmu" | "kvm", pointers: PointerTable): Store {
  return (cell, batch, row) => {
    const halves = parseHalves(cell);
    if (halves === undefined) return false;
    batch[column][row] = pointers.intern(halves.high, halves.low);
    return true;
  };
}

type NumberColumn = "addr" | "len" | "phys" | "arg0" | "arg1" | "arg2" | "arg3";

function storeNumber(column: NumberColumn, parse: (cell: string) => number | undefined): Store {
  return (cell, batch, row) => {
    const value = parse(cell);
    if (value === undefined) return false;
    batch[column][row] = value;
    return true;
  };
}

const storeProt: Store = (cell, batch, row) => {
  const halves = parseHalves(cell);
  if (halves === undefined) return false;
  batch.prot[row] = halves.low;
  batch.protHigh[row] = halves.high;
  return true;
};

const storeMask: Store = (cell, batch, row) => {
  const halves = parseHalves(cell);
  if (halves === undefined) return false;
  batch.arg1[row] = halves.low;
  batch.arg2[row] = halves.high;
  return true;
};

const storeApplied: Store = (cell, batch, row) => {
  batch.arg0[row] = appliedFunctionIndex(cell);
  return true;
};
