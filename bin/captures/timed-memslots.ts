import type { MemslotFact } from "../../ingest/beside/memslots/memslot.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import { openTrace } from "../../ingest/open-trace.ts";

const K = EventKind;
/** enum kvm_mr_change; the other columns of such a commit say nothing. */
const DELETE = 1;

/** A memslot table of a capture, with times, as somebody might have written it down beside the trace. */
export async function timedMemslots(
  trace: string,
  pageShift: number,
): Promise<readonly MemslotFact[]> {
  const pageBytes = 2 ** pageShift;
  const open = new Map<string, MemslotFact>();
  const closed: MemslotFact[] = [];
  const reader = await openTrace(trace);
  for await (const batch of reader.batches()) {
    for (let row = 0; row < batch.length; row += 1) {
      const kind = batch.kind[row]!;
      const key = `${batch.kvm[row]!} ${batch.addr[row]!}`;
      const atNs = BigInt(Math.round(batch.tsNs[row]!));
      if (kind === K.flush_shadow_memslot && open.has(key)) {
        closed.push({ ...open.get(key)!, toNs: atNs });
        open.delete(key);
      }
      if (kind !== K.commit_region || batch.arg0[row] === DELETE || open.has(key)) continue;
      open.set(key, {
        vm: `${batch.kvm[row]!}`,
        slot: undefined,
        ipaBytes: batch.addr[row]! * pageBytes,
        lenBytes: batch.len[row]! * pageBytes,
        hvaBytes: batch.phys[row]!,
        backingBytes: undefined,
        isReadOnly: (batch.arg2[row]! & 2) !== 0,
        isLogged: undefined,
        pid: batch.pid[row]!,
        fromNs: atNs,
        toNs: undefined,
      });
    }
  }
  return [...closed, ...open.values()];
}
