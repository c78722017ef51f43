/** Largest block, packed or not. */
export const MAX_BLOCK_BYTES: number = 128 * 1024;
/** Room behind every buffer that copies write or read beyond the end of what they copy. */
export const SLACK_BYTES = 32;
/** Where a block begins in its source: bits are read from the end, and a little beyond the beginning. */
export const BLOCK_AT = 32;

/** The bytes of one block (or header), with room around them so that words can be read at any place. */
export class BlockSource {
  readonly bytes: Uint8Array = new Uint8Array(BLOCK_AT + MAX_BLOCK_BYTES + SLACK_BYTES);
  readonly view: DataView = new DataView(this.bytes.buffer);
}
