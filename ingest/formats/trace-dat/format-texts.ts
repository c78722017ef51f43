import { type ByteReader, latin1 } from "./byte-reader.ts";

/** A field of an event as its format text declares it. */
export interface FormatField {
  readonly name: string;
  /** C type with the array part, such as `u64` or `__data_loc char[]`. */
  readonly type: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly isSigned: boolean;
}

/** One event's format. */
export interface EventFormat {
  readonly id: number;
  readonly name: string;
  readonly fields: readonly FormatField[];
}

/** A whole format text; the fields and the print format are not looked at yet. */
const FORMAT = /name: ([^\n]+)\nID: (\d+)\nformat:\n([^]*?)\nprint fmt: /g;
const FIELD =
  /^\tfield:(.*?)\s?(\w+)((?:\[[^\]]*\])*);\s*offset:(\d+);\s*size:(\d+);(?:\s*signed:([01]);)?$/;

/**
 * The formats of all events by id. Their texts are found by their own shape, so that a damaged length
 * around them costs one format at most.
 */
export class FormatTexts {
  readonly #texts = new Map<number, { readonly name: string; readonly fields: string }>();

  /** Adds every whole format text that stands in these bytes. */
  addAll(bytes: Uint8Array): void {
    for (const [, name = "", id = "", fields = ""] of latin1(bytes).matchAll(FORMAT)) {
      this.#texts.set(Number(id), { name, fields });
    }
  }

  get count(): number {
    return this.#texts.size;
  }

  /** Whether any event is a probe, whose function only the symbol table tells. */
  get hasProbes(): boolean {
    return [...this.#texts.values()].some(({ fields }) => fields.includes("__probe_"));
  }

  /** The format of an event id; undefined where the file does not describe it. */
  get(id: number): EventFormat | undefined {
    const text = this.#texts.get(id);
    if (text === undefined) return undefined;
    return { id, name: text.name, fields: fieldsOf(text.fields) };
  }
}

/** Fields in a text of format lines; lines that are none are left out. */
export function fieldsOf(text: string): readonly FormatField[] {
  const fields: FormatField[] = [];
  for (const line of text.split("\n")) {
    const found = FIELD.exec(line);
    if (found === null) continue;
    const [, type = "", name = "", array = "", offset, size, signed] = found;
    fields.push({
      name,
      type: `${type}${array}`,
      offset: Number(offset),
      sizeBytes: Number(size),
      isSigned: signed === "1",
    });
  }
  return fields;
}

/** Walks over `u32 count` format texts with their lengths; gives how many. @throws DatDamage. */
export function skipFormats(reader: ByteReader): number {
  const count = reader.u32();
  for (let i = 0; i < count; i += 1) reader.skip(reader.u64());
  return count;
}

/** Walks over the formats of all systems; gives how many. @throws DatDamage. */
export function skipSystems(reader: ByteReader): number {
  const systems = reader.u32();
  let count = 0;
  for (let i = 0; i < systems; i += 1) {
    reader.text();
    count += skipFormats(reader);
  }
  return count;
}
