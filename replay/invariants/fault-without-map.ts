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

/** A fault on guest memory ends in a map, a change of permissions or an exit to userspace. */
export const faultWithoutMap: Invariant = {
  id: "FAULT_WITHOUT_MAP",
  sentence: "a fault on guest memory that nothing answers before its thread enters the guest again",
  meaning:
    "the page was being unmapped meanwhile (the guest faults again), or calls of map are not all recorded",
  kinds: [
    "guest_fault",
    "kvm_entry",
    "map",
    "relax_perms",
    "mkyoung",
    "access_fault",
    "userspace_exit",
    "commit_region",
  ],
  needs: [["guest_fault"], ["kvm_entry"], ["map"], ["commit_region"]],
  observe(violations, pageBytes) {
    const memory = new KnownMemory();
    const threads = new ThreadStates(() => ({ line: 0, tsNs: 0, ipa: -1 }));
    return {
      event(batch, row) {
        const kind = batch.kind[row]!;
        if (kind === K.commit_region) {
          memory.commit(batch, row, pageBytes);
          return;
        }
        const thread = threads.of(batch.pid[row]!);
        if (kind === K.guest_fault) {
          const ipa = batch.addr[row]!;
          thread.ipa = memory.has(ipa) ? ipa : -1;
          thread.line = batch.line[row]!;
          thread.tsNs = batch.tsNs[row]!;
          return;
        }
        if (kind === K.kvm_entry && thread.ipa >= 0) {
          const { ipa } = thread;
          const detail = (): string => `ipa 0x${ipa.toString(16)} of pid ${batch.pid[row]!}`;
          violations.add(thread.line, thread.tsNs, detail);
        }
        thread.ipa = -1;
      },
      lost: () => threads.clear(),
    };
  },
};
