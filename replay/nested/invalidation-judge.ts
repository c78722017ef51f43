import { granuleOfSize, granuleOfTg, ttlToSize } from "./granules.ts";
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
    const what = this.#whatOf(open);
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
    for (const context of reached) this.#judgeUnmap(open, what, context);
    this.#worlds.invalidate(what, reached, open.unmaps);
    for (const context of reached) this.#learn(open, context);
  }

  /** What KVM unmaps of one context against what it did. */
  #judgeUnmap(open: OpenInvalidation, what: Invalidation, context: ShadowContext): void {
    const isLearned = this.#showGranule(open, context);
    const { recorded } = this.#worlds;
    const { ranges } = this.#worlds.predict(what, context);
    const isSure = !isLearned && (context.isKnown || what.cause !== "ipas2" || what.ttlBytes !== 0);
    const hint = what.cause === "ipas2" ? recorded.hint.hint : undefined;
    this.agreement.unmap(open, context, ranges, isSure, hint);
    if (hint !== undefined) recorded.hints.add(recorded.hint, "search");
  }

  /**
   * What the guest invalidates, as its host takes it: a guest without FEAT_TTL has no level in its operands,
   * whatever stands there; and from 7.3 on a range ends where the guest's addresses do.
   */
  #whatOf(open: OpenInvalidation): Invalidation | undefined {
    const what = invalidationOf(open);
    if (what === undefined) return undefined;
    if (what.cause === "ripas2" && this.#worlds.capsRanges) {
      const end = this.#endPage * this.#worlds.pageBytes;
      const start = Math.min(what.startBytes, end);
      return { ...what, startBytes: start, endBytes: Math.min(what.endBytes, end) };
    }
    if (what.cause !== "ipas2" || what.ttlBytes === 0) return what;
    if (open.sizes.length > 0 && open.sizes.every((size) => size !== what.ttlBytes)) {
      this.agreement.ignoresTtl.add(open.kvm);
    }
    return this.agreement.ignoresTtl.has(open.kvm) ? { ...what, ttlBytes: 0 } : what;
  }

  #host(open: OpenInvalidation): void {
    const what = ofHost(open.cause, open.hostFirstPage, open.hostEndPage);
    const whole = this.#judgeHost(open, what);
    const contexts = open.unmaps.length > 0 ? distinct(open.unmaps) : whole;
    if (contexts.length === 0) return;
    this.#worlds.invalidate(what, contexts, open.unmaps);
    for (const context of contexts) context.isKnown = true;
  }

  /** A policy with a reverse map does not empty every context. */
  #judgeHost(open: OpenInvalidation, what: Invalidation): readonly ShadowContext[] {
    if (this.#worlds.recorded.policy.byHost === "all") return this.#judgeWhole(open);
    const { sure } = this.#directory.ofVm(open.kvm);
    for (const context of sure) {
      const { ranges } = this.#worlds.predict(what, context);
      this.agreement.unmap(open, context, ranges, context.isKnown, undefined);
    }
    return sure;
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

  /**
   * The guest's granule: what an operand names, or a size that only one has.
   * @returns whether it was learned from the very answer that is to be predicted.
   */
  #showGranule(open: OpenInvalidation, context: ShadowContext): boolean {
    if (context.isGranuleShown) return false;
    if (open.cause === "ripas2") {
      context.showGranule(decodeRangeOperand(open.operandLow, open.operandHigh).granule);
    }
    if (open.cause !== "ipas2") return false;
    const { ttl } = decodeIpaOperand(open.operandLow, open.operandHigh);
    if (ttlToSize(ttl) > 0) {
      context.showGranule(granuleOfTg(ttl >>> 2)!);
      return false;
    }
    const before = context.granule;
    const shown = granuleOfSize(open.sizes[0] ?? 0);
    if (shown !== undefined) context.showGranule(shown);
    return context.granule !== before;
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
