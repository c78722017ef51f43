import { LEAF_SIZES } from "./granules.ts";
import type { HintResult } from "./level-hint.ts";
import type { ShadowContext } from "./shadow-context.ts";

/**
 * What a host would know that keeps the level of the guest's leaf on entries of the shadow table that are
 * not valid: of every guest leaf of which a part was shadowed since it was last cleared as a whole. No
 * kernel does it.
 */
export class KeptLevels {
  /** By context and leaf size: starts of guest leaves, in bytes. */
  readonly #known = new Map<ShadowContext, Map<number, Set<number>>>();
  /** Entries that had to be written to keep the levels. */
  writes = 0;

  /** A part of the guest's leaf of `bytes` at `start` is shadowed by a leaf of `hostBytes`. */
  add(
    context: ShadowContext,
    startBytes: number,
    bytes: number,
    hostBytes: number,
    entries: number,
  ): void {
    if (bytes <= hostBytes) return;
    const known = this.#of(context, bytes);
    if (known.has(startBytes)) return;
    known.add(startBytes);
    // The other entries of its table page, as far as the guest's leaf reaches, and so on each level above.
    for (let span = hostBytes; span < bytes; span *= entries) {
      this.writes += Math.min(entries, bytes / span) - 1;
    }
  }

  find(context: ShadowContext, addrBytes: number, into: HintResult): void {
    for (const bytes of LEAF_SIZES[context.granule]) {
      if (!this.#of(context, bytes).has(addrBytes - (addrBytes % bytes))) continue;
      into.probes += 1;
      into.bytes = bytes;
      into.hint = "kept";
      return;
    }
  }

  /** [startBytes, endBytes) was unmapped: levels of leaves that lie in it are gone. */
  cleared(context: ShadowContext, startBytes: number, endBytes: number): void {
    for (const [bytes, starts] of this.#known.get(context) ?? []) {
      const first = Math.ceil(startBytes / bytes) * bytes;
      if ((endBytes - first) / bytes < starts.size) {
        for (let start = first; start + bytes <= endBytes; start += bytes) starts.delete(start);
        continue;
      }
      for (const start of starts) {
        if (start >= first && start + bytes <= endBytes) starts.delete(start);
      }
    }
  }

  forget(context: ShadowContext): void {
    this.#known.delete(context);
  }

  #of(context: ShadowContext, bytes: number): Set<number> {
    let sizes = this.#known.get(context);
    if (sizes === undefined) {
      sizes = new Map(LEAF_SIZES[context.granule].map((size) => [size, new Set<number>()]));
      this.#known.set(context, sizes);
    }
    let starts = sizes.get(bytes);
    if (starts === undefined) {
      starts = new Set();
      sizes.set(bytes, starts);
    }
    return starts;
  }
}
