import type { EventBatch } from "../../events/columns.ts";
import { EventKind } from "../../events/kinds.ts";
import type { NameTable } from "../../events/names.ts";
import { clearRow } from "../../events/rows.ts";
import type { EventTables } from "../../events/tables.ts";
import { type DatEvent, DatEventForm } from "./dat-event.ts";
import type { DatProblems } from "./dat-problems.ts";
import { MarkerText } from "../marker-text.ts";
import { FieldValues } from "./field-values.ts";
import { PlanFields, Outcome } from "./plan-fields.ts";
import { callerSite, type ProbeSite, type ProbeSites } from "./probe-sites.ts";
import { readStockFields } from "./stock-fields.ts";

/** Turns the fields of a record into the columns of a row; the row's place and time are there already. */
export class RecordReader {
  /** Number of the record, and where it stands, for messages. */
  record = 0;
  byteOffset = 0;
  readonly #values: FieldValues;
  readonly #marker = new MarkerText();
  readonly #planFields: PlanFields;
  readonly #sites: ProbeSites;
  readonly #names: NameTable;
  readonly #problems: DatProblems;

  constructor(
    littleEndian: boolean,
    tables: EventTables,
    sites: ProbeSites,
    problems: DatProblems,
  ) {
    this.#values = new FieldValues(littleEndian);
    this.#planFields = new PlanFields(this.#values, tables.pointers, sites);
    this.#names = tables.names;
    this.#sites = sites;
    this.#problems = problems;
  }

  /** Reads the record whose payload begins at `at` and is long enough; fills kind and values. */
  read(event: DatEvent, view: DataView, at: number, batch: EventBatch, row: number): void {
    event.count += 1;
    batch.name[row] = event.nameId;
    switch (event.form) {
      case DatEventForm.stock:
        this.#readStock(event, view, at, batch, row);
        return;
      case DatEventForm.print:
        batch.name[row] = this.#names.idOf(this.#readPrint(event, view, at));
        batch.kind[row] = EventKind.marker;
        this.#readMarker(event, view, at, batch, row);
        return;
      default:
        this.#readProbe(event, view, at, batch, row);
    }
  }

  #readStock(event: DatEvent, view: DataView, at: number, batch: EventBatch, row: number): void {
    batch.kind[row] = event.stockKind;
    if (event.stockText === "none") return;
    const fields = event.stockFields;
    if (
      fields !== undefined &&
      readStockFields(event.stockText, fields, this.#values, view, at, batch, row)
    ) {
      return;
    }
    const reason = `${event.name}: other fields, or other values, than this tracepoint has`;
    this.#demote(batch, row, "MISSING_ARGUMENT", reason);
  }

  /** Gives the name of the function that wrote it, which is the event's in the kernel's text. */
  #readPrint(event: DatEvent, view: DataView, at: number): string {
    const site = this.#placeIn(event, view, at);
    event.countsByCaller.set(site, (event.countsByCaller.get(site) ?? 0) + 1);
    return site;
  }

  #readMarker(event: DatEvent, view: DataView, at: number, batch: EventBatch, row: number): void {
    const from = at + event.textAt;
    if (event.textAt < 0 || from >= view.byteLength) return;
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    const zero = bytes.indexOf(0, from);
    this.#marker.read(bytes, from, zero < 0 ? bytes.length : zero, batch, row);
  }

  /** Name of the function that wrote a `print` entry. */
  #placeIn(event: DatEvent, view: DataView, at: number): string {
    const values = this.#values;
    values.read(view, at + event.placeAt, event.placeBytes, false);
    const { high, low } = values;
    const last = event.site;
    if (last !== undefined && event.siteHigh === high && event.siteLow === low) return last.symbol;
    const symbol = this.#sites.symbolAt(high, low) ?? "tracing_mark_write";
    event.site = callerSite(symbol);
    event.siteHigh = high;
    event.siteLow = low;
    return symbol;
  }

  #readProbe(event: DatEvent, view: DataView, at: number, batch: EventBatch, row: number): void {
    const values = this.#values;
    // Not sign-extended: an address of 32 bits is one as it stands.
    values.read(view, at + event.placeAt, event.placeBytes, false);
    let { site } = event;
    if (site === undefined || event.siteHigh !== values.high || event.siteLow !== values.low) {
      site = this.#changeSite(event, values.high, values.low);
    }
    batch.kind[row] = site.kind;
    const { plan } = site;
    if (plan === undefined) {
      this.#remarkBare(event, site);
      return;
    }
    const outcome = this.#planFields.read(site, plan, view, at, batch, row);
    if (outcome === Outcome.done && plan.isClean) return;
    this.#judge(site, plan, outcome, batch, row);
  }

  #changeSite(event: DatEvent, high: number, low: number): ProbeSite {
    event.siteHigh = high;
    event.siteLow = low;
    const known = event.sites.find((entry) => entry.high === high && entry.low === low);
    if (known !== undefined) {
      event.site = known.site;
      return known.site;
    }
    const isReturn = event.form === DatEventForm.returnProbe;
    const site = this.#sites.siteOf(event.format, isReturn, high, low);
    // A damaged file could hold as many places as events.
    if (event.sites.length < 256) event.sites.push({ high, low, site });
    event.site = site;
    return site;
  }

  #remarkBare(event: DatEvent, site: ProbeSite): void {
    if (site.isUnresolved) {
      const reason = `${event.name}: no symbol at its address`;
      this.#problems.remark("UNRESOLVED_PROBE", reason, this.byteOffset, this.record);
    } else if (site.remark !== undefined) {
      this.#problems.remark("UNSUPPORTED_EVENT", site.remark, this.byteOffset, this.record);
    }
  }

  #judge(
    site: ProbeSite,
    plan: NonNullable<ProbeSite["plan"]>,
    outcome: number,
    batch: EventBatch,
    row: number,
  ): void {
    const { symbol } = site;
    for (const unknown of plan.unknown) {
      const detail = `\`${unknown}\` of ${symbol}`;
      this.#problems.remark("UNKNOWN_ARGUMENT", detail, this.byteOffset, this.record);
    }
    if (outcome === Outcome.badValue) {
      const argument = plan.names[this.#planFields.badArgument]!;
      const reason = `\`${argument}\` of ${symbol} is not a number that fits`;
      this.#demote(batch, row, "BAD_NUMBER", reason);
    } else if (plan.problem !== undefined) {
      this.#demote(batch, row, "MISSING_ARGUMENT", `${symbol}: ${plan.problem}`);
    } else if (outcome === Outcome.noContext) {
      this.#demote(batch, row, "MISSING_ARGUMENT", `${symbol}: each of its pointers is NULL`);
    }
  }

  /** An event that cannot be replayed must not be replayed wrongly: it becomes `other`. */
  #demote(
    batch: EventBatch,
    row: number,
    code: "BAD_NUMBER" | "MISSING_ARGUMENT",
    reason: string,
  ): void {
    clearRow(batch, row);
    batch.kind[row] = EventKind.other;
    this.#problems.note(code, reason, this.byteOffset, this.record);
  }
}
