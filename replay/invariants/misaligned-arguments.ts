import { EVENT_KINDS, EventKind } from "../../ingest/events/kinds.ts";
import type { Invariant } from "./invariant.ts";

/** HPFAR_EL2 holds fault addresses in units of 4 KiB, whatever the page size. */
const FAULT_UNIT_BYTES = 4096;

/**
 * Stage-2 calls take whole pages, from the start of one; only a map for a fault begins where the fault was,
 * which is no page's start on hosts with larger pages.
 */
export const misalignedArguments: Invariant = {
  id: "MISALIGNED_ARGUMENTS",
  sentence:
    "a stage-2 call whose address or size is no multiple of the page size, or whose size is 0",
  meaning: "the page size is another one (--page-size), or the probe reads the wrong registers",
  kinds: ["map", "unmap", "wrprotect", "split"],
  needs: [],
  observe(violations, pageBytes) {
    return {
      event(batch, row) {
        const addr = batch.addr[row]!;
        const length = batch.len[row]!;
        const unit = batch.kind[row] === EventKind.map ? FAULT_UNIT_BYTES : pageBytes;
        if (addr % unit === 0 && length % pageBytes === 0 && length > 0) return;
        const kind = EVENT_KINDS[batch.kind[row]!]!;
        violations.add(
          batch.line[row]!,
          batch.tsNs[row]!,
          () => `${kind} addr=0x${addr.toString(16)} size=0x${length.toString(16)}`,
        );
      },
    };
  },
};
