/** `encode <addr> <size>`: the TLBI instructions that KVM/arm64 issues for one stage-2 range, worked out by hand. */
import type { Argv, CommandModule } from "yargs";
import { countDsbs, countTlbis } from "../../replay/tlbi/instructions.ts";
import type { PrimitiveCall } from "../../replay/tlbi/instructions.ts";
import { listInstructions } from "../../replay/tlbi/listing.ts";
import { Primitive } from "../../replay/tlbi/primitives.ts";
import { countRangeCalls, rangeCallPages } from "../../replay/tlbi/range-calls.ts";
import { MAX_RANGE_PAGES } from "../../replay/tlbi/range-encoder.ts";
import { CPU_FEATURES, FORMATS, hex, planEncode } from "./encode-plan.ts";
import type { EncodeArguments, EncodePlan } from "./encode-plan.ts";

/** One instruction. Addresses and operands are hexadecimal text; `null` where the instruction has no such field. */
export interface EncodeRow {
  /** Kernel call, from 1. */
  readonly call: number;
  /** Place within the call, from 1. */
  readonly seq: number;
  readonly instruction: string;
  readonly operand: string;
  readonly scale: number | null;
  readonly num: number | null;
  readonly ipa: string | null;
  /** Host pages that the operand really names. */
  readonly pages: number | null;
}

export interface EncodeTotals {
  readonly calls: number;
  readonly tlbi: number;
  readonly dsb: number;
}

const COLUMNS: readonly { readonly name: keyof EncodeRow; readonly width: number }[] = [
  { name: "call", width: 6 },
  { name: "seq", width: 3 },
  { name: "instruction", width: -12 },
  { name: "operand", width: 18 },
  { name: "scale", width: 5 },
  { name: "num", width: 3 },
  { name: "ipa", width: 15 },
  { name: "pages", width: 7 },
];

export const encodeCommand: CommandModule<object, EncodeArguments> = {
  command: "encode <addr> <size>",
  describe: "Show the TLBI instructions of one range",
  builder: buildOptions,
  handler: (args) => {
    const plan = planEncode(args);
    for (const note of plan.notes) process.stderr.write(`note: ${note}\n`);
    for (const note of encodeWarnings(plan)) process.stderr.write(`note: ${note}\n`);
    writeInPieces(formatEncode(plan));
    if (plan.format === "csv") process.stderr.write(`${totalsSentence(encodeTotals(plan))}\n`);
  },
};

/** One write per line would be one system call per line. */
function writeInPieces(texts: Iterable<string>): void {
  const pieceLength = 65_536;
  let piece = "";
  for (const text of texts) {
    piece += text;
    if (piece.length < pieceLength) continue;
    process.stdout.write(piece);
    piece = "";
  }
  if (piece !== "") process.stdout.write(piece);
}

function buildOptions(yargs: Argv<object>): Argv<EncodeArguments> {
  return yargs
    .positional("addr", {
      type: "string",
      demandOption: true,
      describe: "first IPA: hexadecimal, decimal, with K, M, G, T, or p for pages",
    })
    .positional("size", {
      type: "string",
      demandOption: true,
      describe: "length, written like the address; rounded up to whole pages",
    })
    .option("page-size", {
      type: "string",
      default: "4k",
      requiresArg: true,
      describe: "host page size: 4k, 16k or 64k",
    })
    .option("cpu", {
      type: "string",
      default: "tlbirange,fwb,ttl,lpa2",
      requiresArg: true,
      describe: `CPU features, of ${CPU_FEATURES.join(", ")}; or none`,
    })
    .option("encoder", {
      type: "string",
      default: "clamped",
      requiresArg: true,
      describe: "ascending (6.6.0, 6.7), descending (6.8.0) or clamped (6.6.29, 6.9 and later)",
    })
    .option("format", {
      type: "string",
      default: "table",
      requiresArg: true,
      describe: FORMATS.join(", "),
    });
}

/** What a reader must know about the rows: no range support, a defect of the encoder. Sentences for stderr. */
export function encodeWarnings(plan: EncodePlan): string[] {
  if (!plan.hasRange) {
    return ["without FEAT_TLBIRANGE a range flush is one flush of the whole VMID"];
  }
  // Pieces keep the alignment of the first, so all full ones share its fate.
  const fullCalls = Math.floor(plan.lenPages / MAX_RANGE_PAGES);
  if (fullCalls === 0) return [];
  const calls = fullCalls === 1 ? "call 1" : `calls 1 to ${fullCalls}`;
  const rows = listInstructions(Primitive.RANGE, callAt(plan, 0));
  return rows.filter((row) => row.note.startsWith("corrupt")).map((row) => `${calls}: ${row.note}`);
}

/** The instructions in execution order, made while they are read: a large range has millions. */
export function* encodeRows(plan: EncodePlan): Generator<EncodeRow> {
  const shift = BigInt(plan.encoding.pageShift);
  for (let index = 0; index < callCount(plan); index += 1) {
    let seq = 0;
    for (const row of listInstructions(primitiveOf(plan), callAt(plan, index))) {
      seq += 1;
      const { instruction, scale, num, pages, ipaPage } = row;
      const ipa = ipaPage === null ? null : hex(BigInt(ipaPage) << shift);
      yield {
        call: index + 1,
        seq,
        instruction,
        operand: hex(row.operand),
        scale,
        num,
        ipa,
        pages,
      };
    }
  }
}

/** Calls, TLBIs and DSBs of the whole range. */
export function encodeTotals(plan: EncodePlan): EncodeTotals {
  const totals = { calls: callCount(plan), tlbi: 0, dsb: 0 };
  for (let index = 0; index < totals.calls; index += 1) {
    const call = callAt(plan, index);
    totals.tlbi += countTlbis(primitiveOf(plan), call);
    totals.dsb += countDsbs(primitiveOf(plan), call);
  }
  return totals;
}

/** The text for stdout, in pieces. JSON is one object; CSV has the rows only. */
export function* formatEncode(plan: EncodePlan): Generator<string> {
  if (plan.format === "json") {
    yield '{"rows":[';
    let separator = "\n";
    for (const row of encodeRows(plan)) {
      yield separator + JSON.stringify(row);
      separator = ",\n";
    }
    yield `\n],"totals":${JSON.stringify(encodeTotals(plan))}}\n`;
    return;
  }
  const line = plan.format === "csv" ? csvLine : tableLine;
  yield line(COLUMNS.map((column) => column.name));
  for (const row of encodeRows(plan)) {
    yield line(COLUMNS.map((column) => String(row[column.name] ?? "")));
  }
  if (plan.format === "table") yield `${totalsSentence(encodeTotals(plan))}\n`;
}

function csvLine(cells: readonly string[]): string {
  return `${cells.join(",")}\n`;
}

function tableLine(cells: readonly string[]): string {
  const padded = COLUMNS.map(({ width }, i) => {
    const cell = cells[i] ?? "";
    return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
  });
  return `${padded.join("  ").trimEnd()}\n`;
}

function totalsSentence(totals: EncodeTotals): string {
  return `calls ${totals.calls}, TLBI ${totals.tlbi}, DSB ${totals.dsb}`;
}

function primitiveOf(plan: EncodePlan): number {
  return plan.hasRange ? Primitive.RANGE : Primitive.VM;
}

function callCount(plan: EncodePlan): number {
  return plan.hasRange ? countRangeCalls(plan.lenPages) : 1;
}

function callAt(plan: EncodePlan, index: number): PrimitiveCall {
  return {
    encoding: plan.encoding,
    ipaPage: plan.firstPage + index * MAX_RANGE_PAGES,
    lenPages: rangeCallPages(plan.lenPages, index),
  };
}
