/** What `encode` is asked for: the arguments, checked and turned into host pages and an encoder. */
import { TraceError } from "../../ingest/errors.ts";
import { usesLpa2Base } from "../../replay/tlbi/range-encoder.ts";
import type { PageShift, RangeAlgorithm, RangeEncoding } from "../../replay/tlbi/range-encoder.ts";

const ENCODERS: readonly RangeAlgorithm[] = ["ascending", "descending", "clamped"];
export const FORMATS = ["table", "csv", "json"] as const;
export const CPU_FEATURES: readonly string[] = ["tlbirange", "fwb", "ttl", "lpa2", "dic"];
// Maps, not objects: the keys come from the user, and an object also answers to "constructor".
const PAGE_SHIFTS: ReadonlyMap<string, PageShift> = new Map([
  ["4k", 12],
  ["16k", 14],
  ["64k", 16],
]);
const SUFFIX_SHIFTS: ReadonlyMap<string, bigint> = new Map([
  ["k", 10n],
  ["m", 20n],
  ["g", 30n],
  ["t", 40n],
]);

export type EncodeFormat = (typeof FORMATS)[number];

/** The command's arguments as typed, before any check. */
export interface EncodeArguments {
  addr: string;
  size: string;
  "page-size": string;
  cpu: string;
  encoder: string;
  format: string;
}

/** A checked request: which host pages, invalidated by which encoder. */
export interface EncodePlan {
  readonly encoding: RangeEncoding;
  readonly hasRange: boolean;
  readonly firstPage: number;
  readonly lenPages: number;
  readonly format: EncodeFormat;
  /** Sentences for stderr: what was rounded or left out. */
  readonly notes: readonly string[];
}

/**
 * Checks the arguments: the start is rounded down and the end up to whole pages.
 * @throws TraceError BAD_OPTION, with a sentence that names the argument.
 */
export function planEncode(args: EncodeArguments): EncodePlan {
  refuseRepeated(args);
  const pageSize = args["page-size"];
  const pageShift = PAGE_SHIFTS.get(pageSize.toLowerCase());
  if (pageShift === undefined) {
    throw badOption(`--page-size is 4k, 16k or 64k, not "${pageSize}"`);
  }
  const cpu = parseCpuFeatures(args.cpu);
  const encoding = { algorithm: chooseAlgorithm(args), pageShift, lpa2: cpu.has("lpa2") };
  const format = FORMATS.find((known) => known === args.format);
  if (format === undefined) {
    throw badOption(`--format is ${FORMATS.join(", ")}, not "${args.format}"`);
  }
  const startBytes = parseBytes("address", args.addr, pageShift);
  const sizeBytes = parseBytes("size", args.size, pageShift);
  if (sizeBytes === 0n) throw badOption("the size is 0: there is nothing to invalidate");
  return {
    encoding,
    hasRange: cpu.has("tlbirange"),
    ...roundToPages(encoding, startBytes, sizeBytes),
    format,
  };
}

/** yargs makes an array of an option that is given twice. */
function refuseRepeated(args: EncodeArguments): void {
  for (const name of ["page-size", "cpu", "encoder", "format"] as const) {
    if (typeof args[name] !== "string") throw badOption(`--${name} takes one value`);
  }
}

/** Kernel versions will choose here too; until then `--encoder` alone does. */
function chooseAlgorithm(args: EncodeArguments): RangeAlgorithm {
  const algorithm = ENCODERS.find((known) => known === args.encoder);
  if (algorithm === undefined) {
    throw badOption(`--encoder is ${ENCODERS.join(", ")}, not "${args.encoder}"`);
  }
  return algorithm;
}

function parseCpuFeatures(list: string): ReadonlySet<string> {
  if (list.trim() === "none") return new Set();
  const names = list.split(",").map((name) => name.trim().toLowerCase());
  for (const name of names) {
    if (CPU_FEATURES.includes(name)) continue;
    throw badOption(`--cpu knows ${CPU_FEATURES.join(", ")} and none, not "${name}"`);
  }
  return new Set(names);
}

/** Exact whatever the length: a number would round above 2^53. Suffix `p` counts host pages. */
function parseBytes(what: string, text: string, pageShift: PageShift): bigint {
  const match = /^(0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)(?:([kmgtKMGT])(?:iB)?|(p))?$/.exec(text.trim());
  const digits = match?.[1];
  if (match === null || digits === undefined) {
    throw badOption(
      `"${text}" is no ${what}: write it like 0x40000000, 4096, 2M, 1G or 512p (pages)`,
    );
  }
  const suffixShift = SUFFIX_SHIFTS.get(match[2]?.toLowerCase() ?? "") ?? 0n;
  return BigInt(digits) << (match[3] === undefined ? suffixShift : BigInt(pageShift));
}

function roundToPages(
  encoding: RangeEncoding,
  startBytes: bigint,
  sizeBytes: bigint,
): Pick<EncodePlan, "firstPage" | "lenPages" | "notes"> {
  const shift = BigInt(encoding.pageShift);
  const pageBytes = 1n << shift;
  const endBytes = startBytes + sizeBytes;
  const firstPage = startBytes >> shift;
  const endPage = (endBytes + pageBytes - 1n) >> shift;
  const ipaBits = usesLpa2Base(encoding) || encoding.pageShift === 16 ? 52n : 48n;
  if (endPage << shift > 1n << ipaBits) {
    throw badOption(
      `the range ends at ${hex(endBytes)}, above the ${ipaBits}-bit IPA space of this configuration`,
    );
  }
  const notes: string[] = [];
  if (firstPage << shift !== startBytes) {
    notes.push(`start rounded down to the page at ${hex(firstPage << shift)}`);
  }
  if (endPage << shift !== endBytes) {
    notes.push(`end rounded up to ${hex(endPage << shift)}: ${endPage - firstPage} pages`);
  }
  return { firstPage: Number(firstPage), lenPages: Number(endPage - firstPage), notes };
}

/** `0x…` without leading zeros. */
export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function badOption(sentence: string): TraceError {
  return new TraceError("BAD_OPTION", sentence);
}
