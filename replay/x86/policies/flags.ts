/**
 * A policy of the TDP MMU is a set of behaviour flags, as those of arm64 are. Every flush is of the whole VM,
 * unless the machine is a guest of Hyper-V.
 *
 * Sources: the reference's table of releases, and what captures of 5.10, 6.1, 6.12 and 7.2 show (marked
 * "captured"). What no capture shows is marked "from the commit".
 */
export interface X86PolicyFlags {
  /**
   * A page table is removed because its entry is zapped or replaced:
   * - `each-table`: one flush for every removed table, the inner ones first (5.10 to 5.17; captured);
   * - `each-zap`: one for all tables below one zapped entry (RFC of November 2021, list of disconnected pages);
   * - `caller`: left to the operation, which flushes once, and before it yields (5.18; captured).
   */
  readonly removedTable: "each-table" | "each-zap" | "caller";
  /**
   * What a removed table waits for before its memory is freed; it changes no count:
   * - `own-flush`: its own flush, then an RCU grace period (5.10 to 5.17);
   * - `list`: the list's flush, then an RCU grace period (RFC);
   * - `reader`: an RCU grace period that cannot end before the zapping CPU leaves its own read-side section,
   *   which it does not do before it has flushed (Sean Christopherson's counter-proposal; 5.18).
   */
  readonly tableFree: "own-flush" | "list" | "reader";
  /** A fault breaks a huge leaf: zapped with one flush, or split in place without any (6.2, from the commit). */
  readonly faultSplit: "flush" | "none";
  /**
   * Logging is switched off for a memslot:
   * - `leaves`: its small leaves are zapped; one flush at the end (5.10; captured);
   * - `each-leaf`: one for every zapped leaf (5.13 to 5.18, from the commit);
   * - `each-table`: one for every zapped table of small leaves (5.19 to 6.12; captured);
   * - `recover`: tables are replaced by huge leaves; one flush at the end (6.13; captured on 7.2).
   */
  readonly collapsible: "leaves" | "each-leaf" | "each-table" | "recover";
  /** Logging is switched on: a flush where an entry changed, or always (6.0; captured on 6.1). */
  readonly enableLog: "if-changed" | "always";
  /** A memslot is deleted or moved: roots are zapped with a flush, or reloaded without (5.18; captured on 6.1). */
  readonly slotZap: "flush" | "none";
  /** The VM ends: zapped with flushes (5.10; captured), or without (5.18; captured on 6.1). */
  readonly teardown: "flush" | "none";
  /** Notifier ageing that found a young page (6.13: no flush, from the commit). */
  readonly age: "flush" | "none";
  /** A walk that yields flushes: always (5.10), or where one is owed. */
  readonly yieldFlush: "always" | "owed";
  /** On Hyper-V, which flushes a range of a guest's addresses. */
  readonly hyperv: boolean;
}

export interface X86Policy {
  readonly id: string;
  readonly summary: string;
  readonly flags: X86PolicyFlags;
  /** How it came to differ from the shipped one, in words. */
  readonly detail?: string;
}

/** What each flag may be. */
export const X86_FLAG_VALUES: Readonly<
  Record<keyof X86PolicyFlags, readonly string[] | "boolean">
> = {
  removedTable: ["each-table", "each-zap", "caller"],
  tableFree: ["own-flush", "list", "reader"],
  faultSplit: ["flush", "none"],
  collapsible: ["leaves", "each-leaf", "each-table", "recover"],
  enableLog: ["if-changed", "always"],
  slotZap: ["flush", "none"],
  teardown: ["flush", "none"],
  age: ["flush", "none"],
  yieldFlush: ["always", "owed"],
  hyperv: "boolean",
};
