import { granuleOfTg, LARGEST_BLOCK_BYTES, ttlToSize } from "./granules.ts";
import { byIpa, byRange, type Invalidation, ofHost, ofWhole } from "./invalidation.ts";
import { NestedAgreement } from "./nested-agreement.ts";
import type { OpenInvalidation, RecordedUnmap } from "./nested-task.ts";
import type { NestedWorlds } from "./nested-worlds.ts";
import type { ShadowContext } from "./shadow-context.ts";
import type { ShadowDirectory } from "./shadow-directory.ts";
import { decodeIpaOperand, decodeRangeOperand } from "./tlbi-operands.ts";

/**
 * Takes complete invalidations: predicts from the operand and the model's tables which contexts KVM unmaps and
 * how much of each, holds that against what was recorded, and hands the invalidation to every policy.
 */
export class InvalidationJudge {
  readonly agreement: NestedAgreement = new NestedAgreement();
  readonly #worlds: NestedWorlds;
  readonly #directory: ShadowDirectory;

  constructor(worlds: NestedWorlds, directory: ShadowDirectory) {
    this.#worlds = worlds;
    this.#directory = directory;
  }

  settle(open: OpenInvalidation): void {
    if (open.class !== undefined) this.agreement.tlbi(open.class);
    this.#showSizes(open);
    switch (open.cause) {
      case "write_protect":
        this.#judgeWhole(open);
        this.#worlds.writeProtect(open.unmaps);
        return;
      case "recycle":
      case "unattributed":
        if (open.unmaps.length > 0) this.#worlds.clearAlike(ofWhole(open.cause), open.unmaps);
        for (const { context } of open.unmaps) this.#learn(open, context);
        return;
      case "stage1":
        this.#stage1(open);
        return;
      case "host_unmap":
      case "memslot":
        this.#host(open);
        return;
      case "ipas2":
      case "ripas2":
      case "vmalls12":
      case "alle1":
        this.#byGuest(open);
        return;
      default:
        return open.cause satisfies never;
    }
  }

  #byGuest(open: OpenInvalidation): void {
    const what = invalidationOf(open);
    if (what === undefined) {
      this.agreement.unreadable += 1;
      if (open.unmaps.length > 0) this.#worlds.clearAlike(ofWhole("unattributed"), open.unmaps);
      return;
    }
    const predicted = this.#contextsOf(open);
    this.agreement.contexts(open, predicted.sure, predicted.unsure);
    const shown = open.reached.length > 0 ? open.reached : distinct(open.unmaps);
    // ALLE1 is not iterated by VMID: its contexts show in its unmaps alone.
    const isAll = open.cause === "alle1" || shown.length === 0;
    const reached = isAll ? [...new Set([...predicted.sure, ...shown])] : shown;
    for (const context of reached) {
      this.#showGranule(open, context);
      this.#judgeUnmap(open, what, context);
    }
    this.#worlds.invalidate(what, reached, open.unmaps);
    for (const context of reached) this.#learn(open, context);
  }

  /** What KVM unmaps of one context against what it did. */
  #judgeUnmap(open: OpenInvalidation, what: Invalidation, context: ShadowContext): void {
    const plan = this.#worlds.predict(what, context);
    const [startPage, endPage] = plan.ranges[0]!;
    const isSure = context.isKnown || what.cause !== "ipas2" || what.ttlBytes !== 0;
    const hint = what.cause === "ipas2" ? this.#worlds.recorded.hint.hint : undefined;
    this.agreement.unmap(open, { context, startPage, endPage }, isSure, hint);
    if (hint !== undefined) this.#worlds.recorded.hints.add(this.#worlds.recorded.hint, "search");
  }

  #host(open: OpenInvalidation): void {
    const what = ofHost(open.cause, open.hostFirstPage, open.hostEndPage);
    const whole = this.#judgeWhole(open);
    const contexts = open.unmaps.length > 0 ? distinct(open.unmaps) : whole;
    if (contexts.length === 0) return;
    this.#worlds.invalidate(what, contexts, open.unmaps);
    for (const context of contexts) context.isKnown = true;
  }

  /** An event of the host reaches every context of the VM that was ever used. */
  #judgeWhole(open: OpenInvalidation): readonly ShadowContext[] {
    const { sure, unsure } = this.#directory.ofVm(open.kvm);
    this.agreement.whole(open, sure, unsure, this.#endPage);
    for (const { context } of open.unmaps) if (open.kvm !== 0) context.kvm = open.kvm;
    return sure;
  }

  #stage1(open: OpenInvalidation): void {
    const predicted = open.isIterated ? this.#contextsOf(open) : { sure: [], unsure: [] };
    if (open.isIterated) this.agreement.contexts(open, predicted.sure, predicted.unsure);
    this.#worlds.stage1(open.reached.length);
    for (const context of open.reached) {
      this.agreement.addStage1(open, context);
      this.#learn(open, context);
    }
  }

  /** Contexts that the model says the invalidation reaches, and those of which it does not know. */
  #contextsOf(open: OpenInvalidation): {
    readonly sure: readonly ShadowContext[];
    readonly unsure: readonly ShadowContext[];
  } {
    const { sure, unsure } = this.#directory.ofVm(open.kvm);
    if (open.cause === "alle1") return { sure, unsure };
    return {
      sure: sure.filter(({ guestVmid }) => guestVmid === open.guestVmid),
      unsure: [...unsure, ...(Number.isNaN(open.guestVmid) ? sure : sure.filter(hasNoVmid))],
    };
  }

  get #endPage(): number {
    return this.#worlds.recorded.sizePages;
  }

  /** What the invalidation tells of a context's guest. */
  #learn(open: OpenInvalidation, context: ShadowContext): void {
    if (!Number.isNaN(open.guestVmid)) context.guestVmid = open.guestVmid;
    if (open.kvm !== 0) context.kvm = open.kvm;
    for (const { context: of, startPage, endPage } of open.unmaps) {
      // What was cleared as a whole is known from then on.
      if (of === context && startPage === 0 && endPage >= this.#endPage) context.isKnown = true;
    }
  }

  #showSizes(open: OpenInvalidation): void {
    for (const { startPage, endPage } of open.unmaps) {
      if (startPage === 0 && open.cause !== "ipas2" && open.cause !== "ripas2") {
        this.#worlds.showSize(endPage);
      }
    }
  }

  /** The guest's granule: what an operand names, or the largest block that KVM fell back to. */
  #showGranule(open: OpenInvalidation, context: ShadowContext): void {
    if (context.isGranuleShown) return;
    if (open.cause === "ripas2") {
      context.showGranule(decodeRangeOperand(open.operandLow, open.operandHigh).granule);
      return;
    }
    if (open.cause !== "ipas2") return;
    const { ttl } = decodeIpaOperand(open.operandLow, open.operandHigh);
    const named = ttlToSize(ttl) === 0 ? undefined : granuleOfTg(ttl >>> 2);
    const [size] = open.sizes;
    if (named !== undefined) context.showGranule(named);
    else if (size === LARGEST_BLOCK_BYTES["16k"]) context.showGranule("16k");
    else if (size === LARGEST_BLOCK_BYTES["64k"]) context.showGranule("64k");
    else if (size === LARGEST_BLOCK_BYTES["4k"]) context.showGranule("4k");
  }
}

/** What an emulated TLBI invalidates; undefined where its operand was not recorded. */
function invalidationOf(open: OpenInvalidation): Invalidation | undefined {
  const { operandLow: low, operandHigh: high } = open;
  if (open.cause === "vmalls12" || open.cause === "alle1") return ofWhole(open.cause);
  if (Number.isNaN(low) || Number.isNaN(high)) return undefined;
  if (open.cause === "ipas2") {
    const { addrBytes, ttl } = decodeIpaOperand(low, high);
    return byIpa(addrBytes, ttlToSize(ttl));
  }
  const { startBytes, lenBytes, ttlBytes } = decodeRangeOperand(low, high);
  return byRange(startBytes, lenBytes, ttlBytes);
}

function distinct(unmaps: readonly RecordedUnmap[]): readonly ShadowContext[] {
  return [...new Set(unmaps.map(({ context }) => context))];
}

function hasNoVmid({ guestVmid }: ShadowContext): boolean {
  return Number.isNaN(guestVmid);
}
