import { type Geometry, mostIpaPages } from "../stage2/geometry.ts";
import { Primitive, TLBI_TTL_UNKNOWN } from "../tlbi/primitives.ts";
import type { CpuFeatures } from "./features.ts";
import type { Policy, PolicyFlags } from "./flags.ts";
import { Certainty, FlushQueue, UNKNOWN_LEVEL } from "./flush-queue.ts";
import type { OperationContext } from "./operation.ts";

const { VM, IPA, RANGE } = Primitive;

/** How a policy's calls get into a queue: hints, ranges cut and replaced as the kernel does it. */
export class CallEmitter {
  readonly policy: Policy;
  readonly features: CpuFeatures;
  /** Where calls go: the engine points it at the open operation's queue before each walk. */
  queue: FlushQueue = new FlushQueue();
  protected readonly flags: PolicyFlags;
  protected readonly geometry: Geometry;
  protected readonly operation: OperationContext;
  /** `level` argument that says "no hint". */
  protected readonly noHint: number;

  constructor(
    policy: Policy,
    features: CpuFeatures,
    geometry: Geometry,
    operation: OperationContext,
  ) {
    this.policy = policy;
    this.features = features;
    this.flags = policy.flags;
    this.geometry = geometry;
    this.operation = operation;
    this.noHint = policy.flags.noHintArgument === "zero" ? 0 : TLBI_TTL_UNKNOWN;
  }

  /** kvm_tlb_flush_vmid_range: pieces of at most 2^21 pages, VM without FEAT_TLBIRANGE. */
  protected flushRange(page: number, pages: number, certainty: number): void {
    const { rangeCutoverPages, maxRangePages } = this.flags;
    if (!this.features.tlbirange || (rangeCutoverPages > 0 && pages > rangeCutoverPages)) {
      this.push(VM, certainty, 0, 0, 1, 0, 0);
      return;
    }
    for (let done = 0; done < pages; done += maxRangePages) {
      const length = Math.min(maxRangePages, pages - done);
      this.push(RANGE, certainty, page + done, length, 1, 0, 0);
    }
  }

  /** IPA calls for a run of leaves: the first at its walk address, the others at their own. */
  protected ipaRun(page: number, level: number, count: number, span: number): void {
    this.push(IPA, Certainty.certain, page, 1, count, span, this.leafHint(level));
  }

  protected leafHint(level: number): number {
    if (level < 0) return this.flags.leafHint ? 0 : this.noHint;
    return this.flags.leafHint ? level : this.noHint;
  }

  protected atMost(primitive: number, page: number, count: number): void {
    if (count > 0) this.push(primitive, Certainty.atMost, page, 1, count, 0, UNKNOWN_LEVEL);
  }

  protected push(
    primitive: number,
    certainty: number,
    page: number,
    pages: number,
    count: number,
    stride: number,
    level: number,
  ): void {
    const { path, isPossible } = this.operation;
    const limited = isPossible === true ? Certainty.atMost : certainty;
    this.queue.push(primitive, path, limited, page, pages, count, stride, level);
  }

  protected chunkPages(): number {
    if (this.flags.unmapChunk === "top-level") return this.topLevelSpan();
    return this.geometry.spanPages[this.geometry.minBlockLevel]!;
  }

  protected topLevelSpan(): number {
    return this.geometry.spanPages[this.operation.rootLevel]!;
  }

  /** Page-table pages that an entry of `level` can have below it, without those of the root. */
  protected tablesBelow(level: number): number {
    let tables = 0;
    let width = 1;
    for (let below = level + 1; below <= 3; below += 1) {
      if (below > this.operation.rootLevel) tables += width;
      width *= this.geometry.entriesPerTable;
    }
    return tables;
  }

  /** Of a memslot that is not known, not even the number of RANGE calls is. */
  protected flushSlot(page: number, pages: number): void {
    if (!Number.isNaN(pages)) this.flushRange(page, pages, Certainty.certain);
    else if (!this.features.tlbirange) this.push(VM, Certainty.certain, 0, 0, 1, 0, 0);
    else this.atMost(RANGE, 0, this.rangeCallsOfWholeVm());
  }

  protected rangeCallsOfWholeVm(): number {
    const ipaPages = mostIpaPages(this.geometry, this.operation.rootLevel);
    return Math.ceil(ipaPages / this.flags.maxRangePages);
  }
}
