import { TraceError } from "../../errors.ts";

/**
 * A line template says where an event's values stand in the lines of a program that prints its own
 * layout: `{ts_ns} {cpu} {pid} {event} {args}`. Text outside braces stands in each line as it is, a blank
 * in it for one blank or more; `{{` is a brace.
 */
export type TemplateField =
  /** Nanoseconds, a whole number. */
  | "ts_ns"
  /** Seconds with up to nine decimals. */
  | "ts_s"
  | "cpu"
  /** The thread, as `tid` of bpftrace and the pid of ftrace are. */
  | "pid"
  /** A number that is not used. */
  | "tgid"
  /** What happened: see `call-name.ts`. */
  | "event"
  /** `name=value` pairs with one blank between; there may be none. */
  | "args"
  /** The task's name, which may hold anything. */
  | "comm"
  /** A word that is not used. */
  | "skip";

export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "blank" }
  | { readonly kind: "field"; readonly field: TemplateField; readonly width: number | undefined };

export interface LineTemplate {
  /** As given. */
  readonly text: string;
  readonly parts: readonly TemplatePart[];
  /** The event of every line, where the lines do not name theirs: `{event=kvm_pgtable_stage2_unmap}`. */
  readonly fixedEvent: string | undefined;
  readonly hasCpu: boolean;
  /** What ends the line may go on in the next one, as it may hold a newline. */
  readonly endsWithComm: boolean;
}

const FIELDS: readonly TemplateField[] = [
  "ts_ns",
  "ts_s",
  "cpu",
  "pid",
  "tgid",
  "event",
  "args",
  "comm",
  "skip",
];
const REPEATABLE: readonly TemplateField[] = ["skip"];
const PIECE = /\{\{|\}\}|\{([^{}]*)\}|[{}]| +|[^{} ]+/g;
const FIELD = /^(\w+)(?::(\d+)|=(\S+))?$/;
const MAX_COMM_WIDTH = 64;

/** @throws TraceError BAD_OPTION for a template that is wrong, or by which lines could be read in two ways. */
export function parseLineTemplate(text: string): LineTemplate {
  const parts: TemplatePart[] = [];
  let fixedEvent: string | undefined;
  for (const [piece, inside] of text.matchAll(PIECE)) {
    if (inside === undefined) addText(parts, piece, text);
    else {
      const field = parseField(inside, text);
      if (field.fixedEvent === undefined) parts.push(field.part);
      else if (fixedEvent === undefined) ({ fixedEvent } = field);
      else throw wrong(text, "names two events");
    }
  }
  // What stands before or behind a fixed event leaves a blank that is in no line.
  if (parts[0]?.kind === "blank") parts.shift();
  if (parts.at(-1)?.kind === "blank") parts.pop();
  check(parts, fixedEvent, text);
  const last = parts.at(-1);
  return {
    text,
    parts,
    fixedEvent,
    hasCpu: has(parts, "cpu"),
    endsWithComm: last?.kind === "field" && last.field === "comm" && last.width === undefined,
  };
}

function addText(parts: TemplatePart[], piece: string, template: string): void {
  if (piece === "{" || piece === "}") throw wrong(template, `has a single ${piece}`);
  if (piece.startsWith(" ")) {
    if (parts.at(-1)?.kind !== "blank") parts.push({ kind: "blank" });
    return;
  }
  const text = piece === "{{" || piece === "}}" ? piece[0]! : piece;
  const before = parts.at(-1);
  if (before?.kind !== "text") parts.push({ kind: "text", text });
  else parts[parts.length - 1] = { kind: "text", text: before.text + text };
}

interface ParsedField {
  readonly part: TemplatePart;
  readonly fixedEvent: string | undefined;
}

function parseField(inside: string, template: string): ParsedField {
  const [, name, digits, value] = FIELD.exec(inside) ?? [];
  const field = FIELDS.find((known) => known === name);
  if (field === undefined) {
    throw wrong(template, `has the unknown field {${inside}}; there are ${FIELDS.join(", ")}`);
  }
  if (value !== undefined && field !== "event") throw wrong(template, `gives ${field} a value`);
  if (digits !== undefined && field !== "comm") throw wrong(template, `gives ${field} a width`);
  const width = digits === undefined ? undefined : Number(digits);
  if (width !== undefined && (width < 1 || width > MAX_COMM_WIDTH)) {
    throw wrong(template, `has a comm that is ${width} bytes wide`);
  }
  return { part: { kind: "field", field, width }, fixedEvent: value };
}

function has(parts: readonly TemplatePart[], field: TemplateField): boolean {
  return parts.some((part) => part.kind === "field" && part.field === field);
}

function check(
  parts: readonly TemplatePart[],
  fixedEvent: string | undefined,
  template: string,
): void {
  const fields = parts.flatMap((part) => (part.kind === "field" ? [part.field] : []));
  const twice = fields.find((field, i) => fields.indexOf(field) !== i);
  if (twice !== undefined && !REPEATABLE.includes(twice))
    throw wrong(template, `has ${twice} twice`);
  const times = fields.filter((field) => field === "ts_ns" || field === "ts_s");
  if (times.length !== 1) throw wrong(template, "needs one time: {ts_ns} or {ts_s}");
  if (!fields.includes("pid")) throw wrong(template, "needs {pid}: calls are told apart by thread");
  if (fields.includes("event") === (fixedEvent !== undefined)) {
    throw wrong(
      template,
      "needs the event once: {event}, or {event=FUNCTION} where lines have none",
    );
  }
  for (const [i, part] of parts.entries()) checkNeighbours(part, parts[i - 1], template);
}

function checkNeighbours(
  part: TemplatePart,
  before: TemplatePart | undefined,
  template: string,
): void {
  if (part.kind !== "field") return;
  if (before?.kind === "field" && before.width === undefined) {
    throw wrong(template, `has nothing between ${before.field} and ${part.field}`);
  }
  if (part.field === "args" && before?.kind !== "blank") {
    throw wrong(template, "needs a blank before {args}");
  }
}

function wrong(template: string, what: string): TraceError {
  return new TraceError(
    "BAD_OPTION",
    `the line template '${template}' ${what}`,
    undefined,
    "a template looks like '{ts_ns} {cpu} {pid} {event} {args}'; {comm:16} is a name in 16 columns",
  );
}
