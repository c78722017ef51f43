import { EventKind } from "../../ingest/events/kinds.ts";

const K = EventKind;

/** Which hypervisor recorded a trace: the host of guest hypervisors (L0), or one that cannot be told. */
export interface LevelFound {
  readonly level: "L0" | "unknown";
  readonly because: string;
}

const SIGNS: readonly (readonly [kinds: readonly number[], sign: string])[] = [
  [
    [
      K.handle_ipas2e1is,
      K.handle_ripas2e1is,
      K.handle_vmalls12e1is,
      K.handle_alle1is,
      K.handle_tlbi_el1,
      K.handle_tlbi_el2,
    ],
    "it emulates TLBIs of a guest hypervisor",
  ],
  [[K.nested_eret, K.nested_exception], "its guest enters and leaves a guest of its own"],
  [
    [K.lookup_s2_mmu_ret, K.nested_tlbi_ipa, K.nested_tlbi_range, K.compute_inval],
    "it looks up shadow contexts",
  ],
];

/** Of a trace without any sign. */
export const UNKNOWN_LEVEL: LevelFound = {
  level: "unknown",
  because:
    "nothing in it is about guest hypervisors: a host without any, or a guest hypervisor itself",
};

/** Collects what tells on which level a trace was recorded. */
export class NestedEvidence {
  readonly #seen = new Uint8Array(256);
  /** A guest hypervisor was seen. */
  isNested = false;

  see(kind: number): void {
    if (this.#seen[kind] === 1) return;
    this.#seen[kind] = 1;
    this.isNested ||= SIGNS.some(([kinds]) => kinds.includes(kind));
  }

  level(contexts: number): LevelFound {
    const signs = SIGNS.filter(([kinds]) => kinds.some((kind) => this.#seen[kind] === 1)).map(
      ([, sign]) => sign,
    );
    if (signs.length === 0) return UNKNOWN_LEVEL;
    const tables = `${contexts} shadow context${contexts === 1 ? "" : "s"}`;
    return { level: "L0", because: `${signs.join(", and ")} (${tables})` };
  }
}

/** By kind: 1 where it is a sign of a guest hypervisor, or one of `others`. */
export function awaitedKinds(others: readonly number[]): Uint8Array {
  const awaited = new Uint8Array(256);
  for (const kind of [...SIGNS.flatMap(([kinds]) => kinds), ...others]) awaited[kind] = 1;
  return awaited;
}
