import { Worker } from "node:worker_threads";

/** Bytes of one slot of the ring that the threads share. */
const SLOT_BYTES = 1024 * 1024;
/** Room for what is read while the other thread still starts. */
const SLOTS = 8;
/** To wake a thread is dear: it is told of chunks by the half ring, or when this one has to wait for it. */
const SLOTS_AT_A_TIME = SLOTS / 2;
const DIGEST_BYTES = 32;

/** Places in the control words; behind them stands the length of what is in each slot. */
const WRITTEN = 0;
const HASHED = 1;
const LENGTHS = 2;
/** In the place of a length: the digest so far is wanted; the same, and no more will come. */
const SO_FAR = -1;
const END = -2;

/** How long to wait for a sign of the other thread at a time, and how often until it counts as dead. */
const WAIT_MS = 5_000;
const WAITS = 24;

/** What both threads see. */
interface Shared {
  readonly control: Int32Array;
  readonly slots: Uint8Array;
  readonly digest: Uint8Array;
}

/**
 * What the other thread runs. It is a text and not a file, so that it runs from the sources as it does from
 * the built package.
 */
const PROGRAM = `
  const { createHash } = require("node:crypto");
  const { control, slots, digest } = require("node:worker_threads").workerData;
  const hash = createHash("sha256");
  for (let hashed = 0, length = 0; length !== ${END}; ) {
    // It may be woken for what it has hashed already.
    while (Atomics.load(control, ${WRITTEN}) === hashed) Atomics.wait(control, ${WRITTEN}, hashed);
    const slot = hashed % ${SLOTS};
    const from = slot * ${SLOT_BYTES};
    length = control[${LENGTHS} + slot];
    if (length < 0) digest.set(hash.copy().digest());
    else hash.update(slots.subarray(from, from + length));
    hashed += 1;
    Atomics.store(control, ${HASHED}, hashed);
    Atomics.notify(control, ${HASHED});
  }
`;

/**
 * SHA-256 in a thread of its own: chunks are copied into a ring that both threads see, in order, and
 * whoever is ahead waits. The thread ends when it is told to, when it is given up, or with the process.
 */
export class HashThread {
  readonly #shared: Shared;
  readonly #worker: Worker;
  #written = 0;

  /** @throws Error where no thread can be started. */
  constructor() {
    const words = LENGTHS + SLOTS;
    this.#shared = {
      control: new Int32Array(new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT)),
      slots: new Uint8Array(new SharedArrayBuffer(SLOTS * SLOT_BYTES)),
      digest: new Uint8Array(new SharedArrayBuffer(DIGEST_BYTES)),
    };
    this.#worker = new Worker(PROGRAM, { eval: true, workerData: this.#shared, execArgv: [] });
    // Whether the process goes on is not for this thread to say.
    this.#worker.unref();
  }

  /** Takes a copy of the chunk. */
  update(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += SLOT_BYTES) {
      const piece = chunk.subarray(at, at + SLOT_BYTES);
      const slot = this.#freeSlot();
      this.#shared.slots.set(piece, slot * SLOT_BYTES);
      this.#hand(slot, piece.length);
    }
  }

  /** Of the chunks so far, in hexadecimal. */
  digest(): string {
    return this.#ask(SO_FAR);
  }

  /** The same, and ends the thread: the last call. */
  end(): string {
    return this.#ask(END);
  }

  /** Ends the thread without a digest. */
  async abandon(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(what: typeof SO_FAR | typeof END): string {
    this.#hand(this.#freeSlot(), what);
    this.#waitUntilHashed(this.#written);
    return Buffer.from(this.#shared.digest).toString("hex");
  }

  #freeSlot(): number {
    this.#waitUntilHashed(this.#written - SLOTS + 1);
    return this.#written % SLOTS;
  }

  #hand(slot: number, length: number): void {
    const { control } = this.#shared;
    control[LENGTHS + slot] = length;
    this.#written += 1;
    Atomics.store(control, WRITTEN, this.#written);
    if (this.#written % SLOTS_AT_A_TIME === 0) Atomics.notify(control, WRITTEN);
  }

  #waitUntilHashed(count: number): void {
    const { control } = this.#shared;
    for (let waits = 0; ; waits += 1) {
      const hashed = Atomics.load(control, HASHED);
      if (hashed >= count) return;
      Atomics.notify(control, WRITTEN);
      if (waits === WAITS) throw new Error("the thread that computes the digest does not answer");
      // A signal is handled once this returns: the wait is short where the thread is alive.
      if (Atomics.wait(control, HASHED, hashed, WAIT_MS) !== "timed-out") waits = -1;
    }
  }
}
