/** What is wrong: the bytes end too early, are not what they should be, or need what is not read here. */
export type ZstdFault = "truncated" | "damaged" | "unsupported";

/** Why a zstd stream cannot be read on. What was given out before it is sound. */
export class ZstdError extends Error {
  readonly fault: ZstdFault;
  /** In words, without the place; `message` has both. */
  readonly reason: string;
  /** Place in the stored bytes: of the block or header that is wrong, or the end of what there is. */
  readonly byteOffset: number;

  constructor(fault: ZstdFault, reason: string, byteOffset: number) {
    super(`${reason} (at stored byte ${byteOffset})`);
    this.name = "ZstdError";
    this.fault = fault;
    this.reason = reason;
    this.byteOffset = byteOffset;
  }
}

/** Damage inside a block; the one who knows the block's place makes a ZstdError of it. */
export class ZstdDamage extends Error {}
