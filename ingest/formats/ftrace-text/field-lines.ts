import type { KernelSymbols } from "../../beside/kernel-symbols.ts";
import type { ProbeNames } from "../../beside/probe-names.ts";
import { meaningOfSymbol } from "../../vocabulary/functions.ts";
import { TRACEPOINTS } from "../../vocabulary/tracepoints.ts";
import { COLON, EQUALS, literal, matchesAt, NEWLINE, SPACE, textOf } from "../bytes.ts";
import { MAX_LINE_BYTES } from "../text/line-splitter.ts";
import { READ_AHEAD_BYTES } from "../words.ts";
import { NamedProbes, type Place, placesAt } from "../text/named-probes.ts";
import { FieldArgument } from "./field-arguments.ts";
import { Carry, FieldProbe } from "./field-probe.ts";
import { tracepointText } from "./field-tracepoints.ts";

/** What became of an event's text. */
export const FieldText = { translated: 0, asItIs: 1, unusable: 2 } as const;

const PROBE_IP = literal("__probe_ip=");
const PROBE_FUNC = literal("__probe_func=");
/** What the option prints for entries that have no fields; type 5 is what markers are. */
const UNKNOWN_TYPE = literal("UNKNOWN TYPE ");
const MARKER_TYPE = "5";
const UNSIGNED_BYTE_MAX = 127;
const NO_FIELDS = "fields that cannot be read (text among them has no end that could be told)";
/** A function's name is longer than its address: room for some in the longest line. */
const ROOM_BYTES = 64 * 1024;

/**
 * Rewrites what the trace option `fields` prints into what the default layout prints, so that both are
 * read by the same rules: `map: __probe_ip=0xffff80008009f0a8 (-14…) addr=0x1000 (4096)` into
 * `map: (kvm_pgtable_stage2_map+0x0/0x0) addr=0x1000`.
 */
export class FieldLines {
  /** The event's text in the default layout, `length` bytes of it and a line end as a guard. */
  readonly text: Uint8Array = new Uint8Array(MAX_LINE_BYTES + ROOM_BYTES + READ_AHEAD_BYTES);
  length = 0;
  /** Why the last text was unusable. */
  reason = "";
  readonly #symbols: KernelSymbols;
  readonly #named: NamedProbes;
  readonly #probes = new Map<number, FieldProbe[]>();
  readonly #argument = new FieldArgument();

  constructor(names: ProbeNames) {
    this.#symbols = names.symbols;
    this.#named = new NamedProbes(names);
  }

  /** Rewrites `name: fields` at `from`…`end`; gives a value of FieldText. */
  translate(bytes: Uint8Array, from: number, end: number): number {
    this.length = 0;
    let colon = from;
    while (colon < end && bytes[colon] !== COLON && bytes[colon]! > SPACE) colon += 1;
    if (bytes[colon] !== COLON) return this.#translateUnknown(bytes, from, end);
    const fieldsFrom = colon + 2;
    const isReturn = matchesAt(bytes, fieldsFrom, PROBE_FUNC);
    if (isReturn || matchesAt(bytes, fieldsFrom, PROBE_IP)) {
      return this.#translateProbe(bytes, from, colon, end, isReturn);
    }
    return this.#translateTracepoint(bytes, from, colon, end);
  }

  #translateUnknown(bytes: Uint8Array, from: number, end: number): number {
    if (end - from <= UNKNOWN_TYPE.length || !matchesAt(bytes, from, UNKNOWN_TYPE)) {
      return FieldText.asItIs;
    }
    const type = textOf(bytes, from + UNKNOWN_TYPE.length, end);
    if (!/^\d{1,5}$/.test(type)) return FieldText.asItIs;
    this.#put(literal(type === MARKER_TYPE ? "print: " : `unknown_type_${type}: `));
    return this.#done();
  }

  #translateTracepoint(bytes: Uint8Array, from: number, colon: number, end: number): number {
    const text = TRACEPOINTS.get(textOf(bytes, from, Math.min(colon, from + 64)))?.text ?? "none";
    if (text === "none") return FieldText.asItIs;
    const fields = new Map<string, string>();
    const argument = this.#argument;
    for (let at = colon + 1; at < end; at = argument.end) {
      if (bytes[at] !== SPACE || !argument.read(bytes, at + 1, end)) return this.#fail(NO_FIELDS);
      const { nameFrom, nameEnd, valueFrom, valueEnd } = argument;
      fields.set(textOf(bytes, nameFrom, nameEnd), textOf(bytes, valueFrom, valueEnd));
    }
    const translated = tracepointText(text, fields);
    if (translated === undefined) return this.#fail("fields that this tracepoint does not have");
    this.#putRange(bytes, from, colon);
    this.#put(literal(`: ${translated}`));
    return this.#done();
  }

  #translateProbe(
    bytes: Uint8Array,
    from: number,
    colon: number,
    end: number,
    isReturn: boolean,
  ): number {
    const argument = this.#argument;
    if (!argument.read(bytes, colon + 2, end)) return this.#fail(NO_FIELDS);
    const { valueFrom, valueEnd } = argument;
    const headerEnd = argument.end;
    // The address that a function returns to is of no use.
    if (isReturn && !argument.read(bytes, headerEnd + 1, end)) return this.#fail(NO_FIELDS);
    const argumentsFrom = argument.end;
    let probe = this.#known(bytes, from, headerEnd);
    if (probe === undefined) {
      const digits = textOf(bytes, valueFrom + 2, valueEnd).replace(/^0+/, "") || "0";
      const header = bytes.slice(from, headerEnd);
      const event = textOf(bytes, from, colon);
      probe = new FieldProbe(header, event, digits, isReturn, this.#named);
      this.#probes.get(hashOf(bytes, from, headerEnd))!.push(probe);
    }
    if (probe.start === undefined) return this.#fail(probe.reason);
    this.#put(probe.start);
    if (probe.hasArguments && !this.#putArguments(probe, bytes, argumentsFrom, end)) {
      return this.#fail(NO_FIELDS);
    }
    return this.#done();
  }

  #known(bytes: Uint8Array, from: number, headerEnd: number): FieldProbe | undefined {
    const hash = hashOf(bytes, from, headerEnd);
    const probes = this.#probes.get(hash);
    if (probes === undefined) this.#probes.set(hash, []);
    const isIt = ({ header }: FieldProbe): boolean =>
      header.length === headerEnd - from && matchesAt(bytes, from, header);
    return probes?.find(isIt);
  }

  #putArguments(probe: FieldProbe, bytes: Uint8Array, from: number, end: number): boolean {
    const argument = this.#argument;
    for (let at = from, index = 0; at < end; at = argument.end, index += 1) {
      if (bytes[at] !== SPACE || !argument.read(bytes, at + 1, end)) return false;
      const { nameFrom, nameEnd, valueFrom, valueEnd } = argument;
      const carry = probe.carryOf(index, bytes, nameFrom, nameEnd);
      this.#putByte(SPACE);
      this.#putRange(bytes, nameFrom, nameEnd);
      if (carry === Carry.symbol) this.#putSymbol(textOf(bytes, valueFrom + 2, valueEnd));
      else {
        this.#putByte(EQUALS);
        this.#putRange(bytes, valueFrom, valueEnd);
        const isSigned = carry === Carry.signed && argument.isByte;
        if (isSigned && Number(textOf(bytes, valueFrom, valueEnd)) > UNSIGNED_BYTE_MAX)
          this.#put(literal("_without_sign"));
      }
    }
    return true;
  }

  /** Behind the argument's name. An address that no symbol names is not given out as another function. */
  #putSymbol(digits: string): void {
    const place = functionAt(this.#symbols, digits || "0");
    const offset = place === undefined ? "" : `+0x${place.offset.toString(16)}/0x0`;
    this.#put(literal(place === undefined ? `_address=0x${digits}` : `=${place.symbol}${offset}`));
  }

  #put(bytes: Uint8Array): void {
    this.#putRange(bytes, 0, bytes.length);
  }

  #putRange(bytes: Uint8Array, from: number, to: number): void {
    const room = MAX_LINE_BYTES + ROOM_BYTES - this.length - 1;
    for (let at = from; at < to && at - from < room; at += 1) {
      this.text[this.length + at - from] = bytes[at]!;
    }
    this.length += to - from;
  }

  #putByte(byte: number): void {
    this.text[this.length] = byte;
    this.length += 1;
  }

  #done(): number {
    if (this.length >= MAX_LINE_BYTES + ROOM_BYTES) return this.#fail("longer than a line may be");
    this.text[this.length] = NEWLINE;
    return FieldText.translated;
  }

  #fail(reason: string): number {
    this.reason = reason;
    return FieldText.unusable;
  }
}

/** The function at an address; of several names, one that the replay knows. */
function functionAt(symbols: KernelSymbols, digits: string): Place | undefined {
  const places = placesAt(symbols, BigInt(`0x${digits}`));
  return places.find(({ symbol }) => meaningOfSymbol(symbol) !== undefined) ?? places[0];
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0;
  for (let at = from; at < to; at += 1) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
  return hash;
}
