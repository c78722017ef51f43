import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { HashThread } from "./hash-thread.ts";

/** From this size on, a thread of its own saves more time than its start takes. */
const THREAD_FROM_BYTES = 64 * 1024 * 1024;

/** Size and digest of what was stored, as read so far; complete when the chunks have ended. */
export class StoredDigest {
  #bytes = 0;
  readonly #here = createHash("sha256");
  /** Computes the digest in the place of `#here`. */
  #thread: HashThread | undefined;
  /** The thread's last word. */
  #whole: string | undefined;

  /** How much will come, before the first chunk: much is hashed beside the reading, on another CPU. */
  expect(sizeBytes: number): void {
    if (this.#bytes > 0 || sizeBytes < THREAD_FROM_BYTES || availableParallelism() < 2) return;
    this.#thread ??= startThread();
  }

  add(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    (this.#thread ?? this.#here).update(chunk);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Hexadecimal, of what was read so far. */
  sha256(): string {
    return this.#whole ?? this.#thread?.digest() ?? this.#here.copy().digest("hex");
  }

  /** The last chunk has come. */
  finish(): void {
    this.#whole = this.#thread?.end();
  }

  /** The rest will not be read: there is no digest then. */
  async abandon(): Promise<void> {
    await this.#thread?.abandon();
  }
}

/** Undefined where the system gives no more threads: the digest is computed here then. */
function startThread(): HashThread | undefined {
  try {
    return new HashThread();
  } catch {
    return undefined;
  }
}
