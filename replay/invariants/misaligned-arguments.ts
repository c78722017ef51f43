import { EVENT_KINDS } from "../../ingest/events/kinds.ts";
import type { Invariant } from "./invariant.ts";

/** Stage-2 calls take whole pages; the walker rounds, but the kernel's callers never leave it to. */
export const misalignedArguments: Invariant = {
  id: "MISALIGNED_ARGUMENTS",
  sentence: "a stage-2 call whose address or size is no multiple of the page size, or whose size is 0",
  meaning: "the page size is another one (--page-size), or the probe reads the wrong registers",
  kinds: ["map", "unmap", "wrprotect", "split"],
  needs: [],
  observe(violations, pageBytes) {
    return {
      event(batch, row) {
        const addr = batch.addr[row]!;
        const length = batch.len[row]!;
        if (addr % pageBytes === 0 && length % pageBytes === 0 && length > 0) return;
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
