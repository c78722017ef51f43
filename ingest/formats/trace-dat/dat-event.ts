import { EventKind } from "../../events/kinds.ts";
import type { NameTable } from "../../events/names.ts";
import { TRACEPOINTS, type TracepointText } from "../../vocabulary/tracepoints.ts";
import { numberBytesOf } from "./field-values.ts";
import { isLaidOut, X86_TRACEPOINT_FIELDS } from "../../vocabulary/x86-tracepoints.ts";
import type { EventFormat, FormatField } from "./format-texts.ts";
import type { ProbeSite } from "./probe-sites.ts";

/** How an event's record is read. */
export const DatEventForm = { stock: 0, probe: 1, returnProbe: 2, print: 3 } as const;

/** The name that the kernel's text gives to its own entries. */
const TEXT_NAMES: ReadonlyMap<string, string> = new Map([
  ["kernel_stack", "<stack trace>"],
  ["user_stack", "<user stack trace>"],
]);

/** Fields that stand in for the numbers in a stock tracepoint's text. */
const STOCK_FIELDS: Readonly<Record<TracepointText, readonly string[]>> = {
  none: [],
  marker: [],
  guestFault: ["ipa", "hsr"],
  accessFault: ["ipa"],
  hvaRange: ["start", "end"],
  hvaOne: ["hva"],
  userspaceExit: ["reason", "errno"],
  vcpuNumber: ["vcpu_id"],
  spteChanged: fieldsOf("spteChanged"),
  setSpte: fieldsOf("setSpte"),
  splitHugePage: fieldsOf("splitHugePage"),
  pageFault: fieldsOf("pageFault"),
  fastPageFault: fieldsOf("fastPageFault"),
  nestedEret: ["hcr_el2"],
};

function fieldsOf(text: keyof typeof X86_TRACEPOINT_FIELDS): readonly string[] {
  return X86_TRACEPOINT_FIELDS[text].map(({ field }) => field);
}

/** A site and the address that it belongs to, in two signed halves. */
export interface ProbeSiteAt {
  readonly high: number;
  readonly low: number;
  readonly site: ProbeSite;
}

/** One event id of a file: what its records mean and where in them the values stand. */
export class DatEvent {
  readonly format: EventFormat;
  readonly name: string;
  /** Its id in the reader's NameTable. */
  readonly nameId: number;
  readonly form: number;
  count = 0;
  /** Bytes that a record has at least. */
  readonly neededBytes: number;
  /** Stock tracepoints. */
  readonly stockKind: number;
  readonly stockText: TracepointText;
  /** Fields of STOCK_FIELDS, in that order; undefined: this kernel's event lacks one. */
  readonly stockFields: readonly FormatField[] | undefined;
  /** Field that holds the probed address (or, for a return, the function's); of `print` the caller's. */
  readonly placeAt: number;
  readonly placeBytes: number;
  /** Of `print`: where its text begins; -1 where it has none. */
  readonly textAt: number;
  /** Sites by address; the last one used is `site`. */
  readonly sites: ProbeSiteAt[] = [];
  site: ProbeSite | undefined;
  siteHigh = 0;
  siteLow = 0;
  /** Of `print`: events by the name of the function that wrote them. */
  readonly countsByCaller: Map<string, number> = new Map<string, number>();

  constructor(format: EventFormat, pidEnd: number, names: NameTable) {
    this.format = format;
    this.name = TEXT_NAMES.get(format.name) ?? format.name;
    this.nameId = names.idOf(this.name);
    const place = placeOf(format);
    this.form = place?.form ?? DatEventForm.stock;
    this.placeAt = place?.field.offset ?? 0;
    this.placeBytes = place?.field.sizeBytes ?? 0;
    this.textAt = format.fields.find((field) => field.name === "buf")?.offset ?? -1;
    const stock = TRACEPOINTS.get(format.name);
    this.stockKind = EventKind[stock?.kind ?? "other"];
    this.stockText = stock?.text ?? "none";
    this.stockFields = stockFieldsOf(format, this.stockText);
    const read = this.form === DatEventForm.stock ? (this.stockFields ?? []) : numbersOf(format);
    this.neededBytes = Math.max(pidEnd, ...read.map((field) => field.offset + field.sizeBytes));
  }
}

function placeOf(
  format: EventFormat,
): { readonly form: number; readonly field: FormatField } | undefined {
  const find = (name: string): FormatField | undefined =>
    format.fields.find((field) => field.name === name && numberBytesOf(field) >= 4);
  const entry = find("__probe_ip");
  if (entry !== undefined) return { form: DatEventForm.probe, field: entry };
  const returned = find("__probe_func");
  if (returned !== undefined) return { form: DatEventForm.returnProbe, field: returned };
  const caller = format.name === "print" ? find("ip") : undefined;
  return caller === undefined ? undefined : { form: DatEventForm.print, field: caller };
}

function numbersOf(format: EventFormat): readonly FormatField[] {
  return format.fields.filter((field) => numberBytesOf(field) > 0);
}

function stockFieldsOf(
  format: EventFormat,
  text: TracepointText,
): readonly FormatField[] | undefined {
  const known = STOCK_FIELDS[text].map((name) =>
    format.fields.find((field) => field.name === name && numberBytesOf(field) > 0),
  );
  const fields = known.filter((field) => field !== undefined);
  if (fields.length === known.length) return fields;
  // An older kernel's event: what it does not have is left out.
  const missing = STOCK_FIELDS[text].filter((_, i) => known[i] === undefined);
  return missing.every((name) => isOptionalField(text, name)) ? fields : undefined;
}

function isOptionalField(text: TracepointText, name: string): boolean {
  const laidOut = isLaidOut(text) ? X86_TRACEPOINT_FIELDS[text] : [];
  return laidOut.some(({ field, isOptional }) => field === name && isOptional === true);
}
