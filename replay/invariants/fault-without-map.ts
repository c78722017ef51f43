import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import type { Invariant } from "./invariant.ts";
import { ThreadStates } from "./thread-states.ts";

const K = EventKind;
/** Memslots that are remembered, of all VMs together. */
const MAX_SLOTS = 4_096;
const CHANGE_DELETE = 1;

/** Guest memory as the trace shows it: an access outside is MMIO, which no map answers. */
class KnownMemory {
  readonly #slots = new Map<string, { readonly from: number; readonly to: number }>();

  commit(batch: EventBatch, row: number, pageBytes: number): void {
    const from = batch.addr[row]! * pageBytes;
    const to = from + batch.len[row]! * pageBytes;
    // The fields of a deleted slot are zero: it stays known, as the replay keeps it.
    if (batch.arg0[row] === CHANGE_DELETE || !(to > from)) return;
    if (this.#slots.size >= MAX_SLOTS) return;
    this.#slots.set(`${batch.kvm[row]!} ${batch.arg3[row]!}`, { from, to });
  }

  has(ipa: number): boolean {
    for (const { from, to } of this.#slots.values()) if (ipa >= from && ipa < to) return true;
    return false;
  }
}

/** A thread's last fault on guest memory; ipa -1: none, or answered. */
interface Fault {
  line: number;
  tsNs: number;
  ipa: number;
  /** Changes of any table up to the fault. */
  changes: number;
  /** The thread entered the guest again without an answer. */
  isOpen: boolean;
}

/**
 * A fault on guest memory ends in a map, a change of permissions or an exit to userspace; or the kernel
 * gives up because the page is being unmapped meanwhile, and the guest faults on it again. So a fault is
 * without an answer where its thread goes on to another page and no thread changed any table since.
 * (Several vCPUs answer for each other: what is found is at least what there is.)
 */
export const faultWithoutMap: Invariant = {
  id: "FAULT_WITHOUT_MAP",
  sentence: "a fault on guest memory that no map answers, and the guest goes on",
  meaning: "calls of map are not all recorded",
  kinds: [
    "guest_fault",
    "kvm_entry",
    "map",
    "unmap",
    "relax_perms",
    "mkyoung",
    "access_fault",
    "userspace_exit",
    "commit_region",
  ],
  needs: [["guest_fault"], ["kvm_entry"], ["map"], ["commit_region"]],
  observe(violations, pageBytes) {
    const memory = new KnownMemory();
    const threads = new ThreadStates<Fault>(() => ({
      line: 0,
      tsNs: 0,
      ipa: -1,
      changes: 0,
      isOpen: false,
    }));
    let changes = 0;
    const faulted = (batch: EventBatch, row: number): void => {
      const ipa = batch.addr[row]!;
      const before = threads.of(batch.pid[row]!);
      if (before.isOpen && before.ipa !== ipa && before.changes === changes) {
        const detail = (): string => `ipa 0x${before.ipa.toString(16)} of pid ${batch.pid[row]!}`;
        violations.add(before.line, before.tsNs, detail);
      }
      before.ipa = memory.has(ipa) ? ipa : -1;
      before.line = batch.line[row]!;
      before.tsNs = batch.tsNs[row]!;
      before.changes = changes;
      before.isOpen = false;
    };
    return {
      event(batch, row) {
        const kind = batch.kind[row]!;
        if (kind === K.commit_region) memory.commit(batch, row, pageBytes);
        else if (kind === K.guest_fault) faulted(batch, row);
        else if (kind === K.kvm_entry) {
          const thread = threads.of(batch.pid[row]!);
          thread.isOpen = thread.ipa >= 0;
        } else {
          if (kind === K.map || kind === K.unmap) changes += 1;
          const thread = threads.of(batch.pid[row]!);
          thread.ipa = -1;
          thread.isOpen = false;
        }
      },
      lost: () => threads.clear(),
    };
  },
};
