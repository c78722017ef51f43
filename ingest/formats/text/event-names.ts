import { EventKind } from "../../events/kinds.ts";
import type { NameTable } from "../../events/names.ts";
import { TRACEPOINTS, type TracepointText } from "../../vocabulary/tracepoints.ts";
import { literal, matchesAt, textOf } from "../bytes.ts";
import { matchesWordsAt, wordAt, wordsOf } from "../words.ts";
import type { ProbePoint } from "./probe-point.ts";

/** The kernel prints it in front of what a program writes. */
const MARKER_FUNCTION = "tracing_mark_write";

/** A power of two; more names than a trace uses at a time. */
const RECENT = 256;

/** An event name as the trace prints it, how often it came, and what was learned of its lines. */
export interface EventName {
  readonly bytes: Uint8Array;
  /** The name and what stands behind it in most lines, `kvm_exit: `, and its whole words. */
  readonly label: Uint8Array;
  readonly labelWords: Int32Array;
  readonly name: string;
  /** Its id in the reader's NameTable; that of the same name in another group too. */
  readonly id: number;
  /** Of `group:name`, where the format prints it. */
  readonly group: string | undefined;
  count: number;
  /** Meaning as a stock tracepoint. */
  readonly stockKind: number;
  readonly stockText: TracepointText;
  /** What anybody may write through trace_marker: it never is a probe, whatever it looks like. */
  readonly isFreeText: boolean;
  /** Locations of the probes of this name; the one that fitted last is `probe`. */
  readonly probes: ProbePoint[];
  probe: ProbePoint | undefined;
}

/** Interns event names by their bytes: no string per event. */
export class EventNames {
  #slots: (EventName | undefined)[] = emptySlots(256);
  #hashes = new Int32Array(256);
  #count = 0;
  /** By the first bytes of what has been read behind a context: a guess, which is always checked. */
  readonly #recent = emptySlots(RECENT);
  readonly #ids: NameTable;

  constructor(ids: NameTable) {
    this.#ids = ids;
  }

  /** The name at `from`…`to`, whose bytes hash to `hash` (h = h * 31 + byte, from 0). */
  intern(bytes: Uint8Array, from: number, to: number, hash: number): EventName {
    const mask = this.#slots.length - 1;
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const known = this.#slots[slot];
      if (known === undefined) return this.#insert(slot, bytes, from, to, hash);
      if (this.#hashes[slot] !== hash || known.bytes.length !== to - from) continue;
      if (matchesAt(bytes, from, known.bytes)) return known;
    }
  }

  /**
   * The name that stands at `from` with a colon and a blank behind it, if one that began like this was
   * remembered last; undefined says nothing. READ_AHEAD_BYTES must follow, or a line end.
   */
  recall(bytes: Uint8Array, from: number): EventName | undefined {
    const guess = this.#recent[beginning(bytes, from)];
    if (guess === undefined) return undefined;
    return matchesWordsAt(bytes, from, guess.label, guess.labelWords) ? guess : undefined;
  }

  /** Lets `recall` find a name that stands at `from`. */
  remember(bytes: Uint8Array, from: number, name: EventName): void {
    this.#recent[beginning(bytes, from)] = name;
  }

  /** Counts by name, sorted by name. */
  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const entry of this.#slots) {
      if (entry === undefined || entry.count === 0) continue;
      counts.set(entry.name, (counts.get(entry.name) ?? 0) + entry.count);
    }
    return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #insert(slot: number, bytes: Uint8Array, from: number, to: number, hash: number): EventName {
    const text = textOf(bytes, from, to);
    const colon = text.indexOf(":");
    const name = text.slice(colon + 1);
    const stock = TRACEPOINTS.get(name);
    const label = literal(`${text}: `);
    const entry: EventName = {
      bytes: bytes.slice(from, to),
      label,
      labelWords: wordsOf(label),
      name,
      id: this.#ids.idOf(name),
      group: colon < 0 ? undefined : text.slice(0, colon),
      count: 0,
      stockKind: EventKind[stock?.kind ?? "other"],
      stockText: stock?.text ?? "none",
      isFreeText: name === MARKER_FUNCTION,
      probes: [],
      probe: undefined,
    };
    this.#slots[slot] = entry;
    this.#hashes[slot] = hash;
    this.#count += 1;
    if (this.#count * 2 > this.#slots.length) this.#grow();
    return entry;
  }

  #grow(): void {
    const old = this.#slots;
    const oldHashes = this.#hashes;
    const size = old.length * 2;
    this.#slots = emptySlots(size);
    this.#hashes = new Int32Array(size);
    for (const [i, entry] of old.entries()) {
      if (entry === undefined) continue;
      let slot = spread(oldHashes[i]!) & (size - 1);
      while (this.#slots[slot] !== undefined) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = entry;
      this.#hashes[slot] = oldHashes[i]!;
    }
  }
}

function emptySlots(size: number): (EventName | undefined)[] {
  return Array.from({ length: size }, () => undefined);
}

function spread(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> 8;
}

/** Index in `#recent` of what stands at `from`: 16 bytes, which tell most names apart. */
function beginning(bytes: Uint8Array, from: number): number {
  const first = Math.imul(wordAt(bytes, from), 0x9e3779b1) ^ wordAt(bytes, from + 4);
  const second = Math.imul(wordAt(bytes, from + 8), 0x85ebca6b) ^ wordAt(bytes, from + 12);
  return Math.imul(first ^ Math.imul(second, 0xc2b2ae35), 0x2c1b3c6d) >>> 24;
}
