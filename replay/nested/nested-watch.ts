import type { Diagnostics } from "../../ingest/diagnostics.ts";
import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import { awaitedKinds, type NestedEvidence } from "./nested-level.ts";
import type { ShadowDirectory } from "./shadow-directory.ts";

const K = EventKind;
/** Kinds that matter before a guest hypervisor is known. */
const AWAITED: Uint8Array = awaitedKinds([K.commit_region, K.lost]);

/** Waits for the first sign of a guest hypervisor, and notes meanwhile which VMs there are: most traces have none. */
export class NestedWatch {
  readonly #evidence: NestedEvidence;
  readonly #directory: ShadowDirectory;
  readonly #diagnostics: Diagnostics;
  #lastLine = 0;

  constructor(evidence: NestedEvidence, directory: ShadowDirectory, diagnostics: Diagnostics) {
    this.#evidence = evidence;
    this.#directory = directory;
    this.#diagnostics = diagnostics;
  }

  /** Row of a batch from which on a guest hypervisor is known; its length: in none. */
  firstRow(batch: EventBatch): number {
    if (this.#evidence.isNested || batch.length === 0) return 0;
    const { kind } = batch;
    for (let row = 0; row < batch.length; row += 1) {
      if (AWAITED[kind[row]!] === 0) continue;
      this.#evidence.see(kind[row]!);
      if (this.#evidence.isNested) return row;
      if (kind[row] === K.commit_region) {
        this.#directory.showVm(batch.kvm[row]!, batch.arg0[row] === 0);
      } else this.#directory.forgetAll();
    }
    const last = batch.line[batch.length - 1]!;
    if (this.#diagnostics.hasGapBetween(this.#lastLine, last)) this.#directory.forgetAll();
    this.#lastLine = last;
    return batch.length;
  }
}
