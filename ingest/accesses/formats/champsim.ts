import { Diagnostics } from "../../diagnostics.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import { type AccessBatch, FETCH, READ, WRITE } from "../access-batch.ts";
import type {
  AccessInfo,
  AccessReader,
  ReadAccessesOptions,
  SequenceFormat,
} from "../access-format.ts";
import { AccessRows } from "../access-rows.ts";
import { noteTags } from "../tags.ts";

/**
 * ChampSim's input_instr: 64 bytes, little endian: ip, is_branch, branch_taken, 2 destination and 4
 * source registers, 2 destination and 4 source addresses of memory (0: none).
 */
const RECORD_BYTES = 64;
const BRANCH_AT = 8;
const TAKEN_AT = 9;
const DESTINATIONS_AT = 16;
const SOURCES_AT = 32;

class ChampsimReader implements AccessReader {
  readonly diagnostics: Diagnostics;
  readonly #source: ByteSource;
  readonly #rows: AccessRows;
  readonly #record = new Uint8Array(RECORD_BYTES);
  readonly #recordView = new DataView(this.#record.buffer);
  /** Bytes of an unfinished record. */
  #kept = 0;

  constructor(source: ByteSource, options: ReadAccessesOptions) {
    this.#source = source;
    this.diagnostics = new Diagnostics(source.path);
    this.#rows = new AccessRows(options.pageBytes ?? 4096, options.withFetches ?? false);
  }

  async *batches(): AsyncGenerator<AccessBatch, void, undefined> {
    const rows = this.#rows;
    for await (const chunk of this.#source.chunks) {
      for (let at = this.#finishRecord(chunk); at < chunk.length; ) {
        at = this.#readWhole(chunk, at);
        if (rows.hasRoom) continue;
        yield rows.batch;
        rows.batch.length = 0;
      }
    }
    this.#end();
    if (rows.batch.length > 0) yield rows.batch;
    rows.batch.length = 0;
  }

  info(): AccessInfo {
    const { stored, path, compression } = this.#source;
    return {
      path,
      format: "champsim",
      compression,
      bytes: stored.bytes,
      sha256: stored.sha256(),
      records: this.#rows.record,
      counts: this.#rows.counts(),
      address: "va",
      baseNs: undefined,
      pageBytes: this.#rows.pages.pageBytes,
    };
  }

  /** Completes the record that the last chunk began; gives where the next begins. */
  #finishRecord(chunk: Uint8Array): number {
    if (this.#kept === 0) return 0;
    const wanted = Math.min(RECORD_BYTES - this.#kept, chunk.length);
    this.#record.set(chunk.subarray(0, wanted), this.#kept);
    this.#kept += wanted;
    if (this.#kept === RECORD_BYTES) {
      this.#kept = 0;
      this.#take(this.#recordView, 0);
    }
    return wanted;
  }

  /** Records from `at` on while there is room; the bytes of an unfinished one are kept. */
  #readWhole(chunk: Uint8Array, from: number): number {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = from;
    while (at + RECORD_BYTES <= chunk.length && this.#rows.hasRoom) {
      this.#take(view, at);
      at += RECORD_BYTES;
    }
    if (at + RECORD_BYTES <= chunk.length) return at;
    this.#kept = chunk.length - at;
    this.#record.set(chunk.subarray(at));
    return chunk.length;
  }

  #take(view: DataView, at: number): void {
    const rows = this.#rows;
    rows.record += 1;
    if (!isRecord(view, at)) {
      this.#lose("the marks of a branch are no booleans");
      return;
    }
    let isSound = rows.add(FETCH, view.getUint32(at + 4, true), view.getUint32(at, true), 1);
    let operands = 0;
    for (let place = SOURCES_AT; place < RECORD_BYTES; place += 8) {
      const result = this.#operand(view, at + place, READ);
      isSound &&= result !== undefined;
      operands += result ?? 0;
    }
    for (let place = DESTINATIONS_AT; place < SOURCES_AT; place += 8) {
      const result = this.#operand(view, at + place, WRITE);
      isSound &&= result !== undefined;
      operands += result ?? 0;
    }
    if (operands === 0) rows.others += 1;
    if (!isSound) this.#lose("an address that cannot be one");
  }

  /** 1: an access; 0: none; undefined: an address that cannot be. */
  #operand(view: DataView, at: number, kind: number): number | undefined {
    const low = view.getUint32(at, true);
    const high = view.getUint32(at + 4, true);
    if (low === 0 && high === 0) return 0;
    return this.#rows.add(kind, high, low, 1) ? 1 : undefined;
  }

  #lose(reason: string): void {
    const { record } = this.#rows;
    if (this.diagnostics.count("DAMAGED_RECORD") >= 16) this.diagnostics.tally("DAMAGED_RECORD", 1);
    else this.diagnostics.add("DAMAGED_RECORD", reason, record, (record - 1) * RECORD_BYTES);
  }

  #end(): void {
    const offset = this.#rows.record * RECORD_BYTES;
    if (this.#kept > 0) {
      const detail = `the last record has ${this.#kept} of ${RECORD_BYTES} bytes`;
      this.diagnostics.add("TRUNCATED", detail, 0, offset);
    }
    const damage = this.#source.damage();
    if (damage !== undefined) {
      this.diagnostics.add("DAMAGED_COMPRESSION", damage.reason, 0, damage.byteOffset);
    }
    noteTags(this.#rows.pages, this.diagnostics);
  }
}

function isRecord(view: DataView, at: number): boolean {
  const branch = view.getUint8(at + BRANCH_AT);
  const taken = view.getUint8(at + TAKEN_AT);
  return branch <= 1 && taken <= 1;
}

/** So many records in a row that look like it are no chance. */
const ENOUGH_RECORDS = 16;

/** Whether a record is what a tracer writes: a canonical ip, booleans, and addresses that are canonical. */
function looksLikeRecord(view: DataView, at: number): boolean {
  if (
    !isRecord(view, at) ||
    (view.getUint8(at + BRANCH_AT) === 0 && view.getUint8(at + TAKEN_AT) === 1)
  )
    return false;
  if (view.getUint32(at, true) === 0 && view.getUint32(at + 4, true) === 0) return false;
  for (const place of [0, 16, 24, 32, 40, 48, 56]) {
    const top = view.getUint16(at + place + 6, true);
    if (top !== 0 && top !== 0xffff) return false;
  }
  return true;
}

export const champsim: SequenceFormat = {
  id: "champsim",
  streamClass: "sequence",
  isBinary: true,
  bias: "one thread; no sizes; no time",
  sniff(head) {
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const records = Math.min(ENOUGH_RECORDS, Math.floor(head.length / RECORD_BYTES));
    for (let i = 0; i < records; i += 1) {
      if (!looksLikeRecord(view, i * RECORD_BYTES))
        return { applies: false, reason: `record ${i + 1} of 64 bytes is none of ChampSim's` };
    }
    return records === ENOUGH_RECORDS
      ? { applies: true, reason: "64-byte records with canonical addresses" }
      : { applies: false, reason: "too short to be told from other binary content" };
  },
  read: (source, options) => new ChampsimReader(source, options),
};
