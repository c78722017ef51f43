import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import { decodeTlbi, type TlbiClass } from "./guest-tlbi.ts";
import type { NestedCause } from "./invalidation.ts";
import type { NestedTask, OpenInvalidation } from "./nested-task.ts";
import type { ShadowContext } from "./shadow-context.ts";
import type { ShadowDirectory } from "./shadow-directory.ts";
import { vmidOfVttbr } from "./tlbi-operands.ts";

const K = EventKind;

/** Class of a handler, for a trace that does not record the instruction's encoding. */
const CLASS_OF_HANDLER: ReadonlyMap<number, TlbiClass> = new Map<number, TlbiClass>([
  [K.handle_ipas2e1is, "ipas2"],
  [K.handle_ripas2e1is, "ripas2"],
  [K.handle_vmalls12e1is, "vmalls12"],
  [K.handle_alle1is, "alle1"],
  [K.handle_tlbi_el1, "stage1"],
  [K.handle_tlbi_el2, "el2"],
]);

/** Reads events into open invalidations. */
export class OpenInvalidations {
  readonly #directory: ShadowDirectory;

  constructor(directory: ShadowDirectory) {
    this.#directory = directory;
  }

  /** A handler of a guest's TLBI is entered. */
  ofHandler(batch: EventBatch, row: number, kind: number): OpenInvalidation {
    const [op1, crn] = [batch.addr[row]!, batch.len[row]!];
    const tlbi = decodeTlbi(op1, crn, batch.phys[row]!, batch.arg3[row]!);
    const of = tlbi?.class ?? CLASS_OF_HANDLER.get(kind)!;
    return opened(batch, row, causeOf(of), {
      tlbi,
      class: of,
      operandLow: batch.arg1[row]!,
      operandHigh: batch.arg2[row]!,
    });
  }

  /** What a handler calls, where the handler itself was not recorded. */
  ofCallback(batch: EventBatch, row: number, kind: number): OpenInvalidation {
    if (kind === K.nested_tlbi_ipa) {
      return opened(batch, row, "ipas2", {
        class: "ipas2",
        operandLow: batch.arg1[row]!,
        operandHigh: batch.arg2[row]!,
      });
    }
    const of = kind === K.nested_tlbi_s1 ? "stage1" : undefined;
    return opened(batch, row, of ?? "unattributed", { class: of });
  }

  /** kvm_nested_s2_unmap: the host takes away what its thread began with. */
  ofHost(batch: EventBatch, row: number, task: NestedTask): OpenInvalidation {
    const { hostFirstPage, hostEndPage, hostCause } = task;
    const cause = Number.isNaN(hostFirstPage) ? "host_unmap" : hostCause;
    return opened(batch, row, cause, { kvm: batch.kvm[row]!, hostFirstPage, hostEndPage });
  }

  ofCause(batch: EventBatch, row: number, cause: NestedCause): OpenInvalidation {
    return opened(batch, row, cause, { kvm: batch.kvm[row]! });
  }

  /** An unmap of a shadow table outside everything: of a context that is recycled, or of unknown reason. */
  ofLoose(batch: EventBatch, row: number): OpenInvalidation {
    return opened(batch, row, batch.addr[row] === 0 ? "recycle" : "unattributed", {});
  }

  /** kvm_s2_mmu_iterate_by_vmid, and what it calls for each context. */
  reach(open: OpenInvalidation, batch: EventBatch, row: number, kind: number): void {
    open.isIterated = true;
    if (kind === K.iterate_by_vmid) {
      open.kvm = batch.kvm[row]!;
      open.guestVmid = batch.arg0[row]!;
      this.#directory.showVm(open.kvm, false);
      return;
    }
    const mmu = batch.mmu[row]!;
    if (mmu === 0) return;
    const context = this.#directory.contextOf(mmu);
    if (open.kvm !== 0) context.kvm = open.kvm;
    if (!Number.isNaN(batch.arg3[row]!)) context.hardwareVmid = batch.arg3[row]!;
    const hasVttbr = batch.prot[row] !== 0 || batch.protHigh[row] !== 0;
    open.reached.push(context);
    // Learned only when the invalidation is judged: until then the model has to predict without it.
    if (hasVttbr && Number.isNaN(open.guestVmid))
      open.guestVmid = vmidOfVttbr(batch.protHigh[row]!);
  }

  unmapped(
    open: OpenInvalidation,
    context: ShadowContext,
    addrBytes: number,
    lenBytes: number,
    pageBytes: number,
  ): void {
    const startPage = Math.floor(addrBytes / pageBytes);
    const endPage = startPage + Math.ceil(lenBytes / pageBytes);
    if (!(startPage >= 0 && endPage > startPage)) return;
    const last = open.unmaps.at(-1);
    if (last !== undefined && last.context === context) {
      if (last.endPage === startPage) last.endPage = endPage;
      // The functions around a page-table call name its range again.
      if (startPage >= last.startPage && endPage <= last.endPage) return;
    }
    open.unmaps.push({ context, startPage, endPage });
  }
}

function opened(
  batch: EventBatch,
  row: number,
  cause: NestedCause,
  known: Partial<OpenInvalidation>,
): OpenInvalidation {
  return {
    line: batch.line[row]!,
    cause,
    tlbi: undefined,
    class: undefined,
    operandLow: Number.NaN,
    operandHigh: Number.NaN,
    kvm: 0,
    guestVmid: Number.NaN,
    isIterated: false,
    reached: [],
    unmaps: [],
    sizes: [],
    hostFirstPage: Number.NaN,
    hostEndPage: Number.NaN,
    ...known,
  };
}

function causeOf(of: TlbiClass): NestedCause {
  return of === "el2" ? "stage1" : of;
}
