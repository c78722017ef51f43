import type { PageRange } from "./clear-plan.ts";
import { TLBI_CLASSES, type TlbiClass } from "./guest-tlbi.ts";
import { type Hint, HINTS } from "./level-hint.ts";
import type { OpenInvalidation } from "./nested-task.ts";
import type { ShadowContext } from "./shadow-context.ts";

/** Predicted against recorded; `unknown`: the trace does not show what decides. */
export interface AgreementCounts {
  predicted: number;
  recorded: number;
  matched: number;
  missed: number;
  spurious: number;
  unknown: number;
}

export interface NestedMismatch {
  readonly line: number;
  readonly detail: string;
}

/** Mismatches that are kept in words. */
const KEPT_MISMATCHES = 50;

/** How well KVM's own rules predict what the recorded kernel did to its shadow tables. */
export class NestedAgreement {
  readonly reached: AgreementCounts = emptyCounts();
  readonly unmaps: AgreementCounts = emptyCounts();
  /** Write-protections of whole contexts. */
  readonly protects: AgreementCounts = emptyCounts();
  readonly mismatches: NestedMismatch[] = [];
  /** TLBIs of guests whose operand was not recorded. */
  unreadable = 0;
  readonly #tlbis = new Map<TlbiClass, number>(TLBI_CLASSES.map((name) => [name, 0]));
  readonly #hints = new Map<Hint, number>(HINTS.map((name) => [name, 0]));

  /** Pointer ids of VMs whose hypervisor has no FEAT_TTL: the level in its operands is not looked at. */
  readonly ignoresTtl: Set<number> = new Set();

  /** Stage-1 TLBIs that are executed for a guest, by hardware VMID and instruction: `3 vmalle1is`. */
  readonly stage1: Map<string, number> = new Map();

  addStage1(open: OpenInvalidation, context: ShadowContext): void {
    const key = `${context.hardwareVmid} ${open.tlbi?.upgraded ?? "unknown"}`;
    this.stage1.set(key, (this.stage1.get(key) ?? 0) + 1);
  }

  /** Nothing that was recorded contradicts the rules. */
  get isClean(): boolean {
    return [this.reached, this.unmaps, this.protects].every(
      ({ missed, spurious }) => missed + spurious === 0,
    );
  }

  tlbi(of: TlbiClass): void {
    this.#tlbis.set(of, this.#tlbis.get(of)! + 1);
  }

  tlbis(of: TlbiClass): number {
    return this.#tlbis.get(of)!;
  }

  tlbiCounts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#tlbis);
  }

  hintCounts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#hints);
  }

  hints(of: Hint): number {
    return this.#hints.get(of)!;
  }

  /** Contexts that an invalidation should reach, `sure` and perhaps, against those that it did. */
  contexts(
    open: OpenInvalidation,
    sure: readonly ShadowContext[],
    unsure: readonly ShadowContext[],
  ): void {
    const { reached } = this;
    // Without probes on what the iteration calls, nothing can be compared.
    if (open.reached.length === 0 && !open.isIterated) return;
    reached.predicted += sure.length;
    reached.recorded += open.reached.length;
    for (const context of open.reached) {
      if (sure.includes(context)) reached.matched += 1;
      else if (unsure.includes(context)) reached.unknown += 1;
      else {
        reached.missed += 1;
        this.#note(open, "a context was reached that the model has under another VMID");
      }
    }
    for (const context of sure) {
      if (open.reached.includes(context)) continue;
      reached.spurious += 1;
      this.#note(open, "a context of that VMID was not reached");
    }
  }

  /** The unmaps that are predicted of one context against those recorded of it. */
  unmap(
    open: OpenInvalidation,
    context: ShadowContext,
    predicted: readonly PageRange[],
    isSure: boolean,
    hint: Hint | undefined,
  ): void {
    if (hint !== undefined) this.#hints.set(hint, this.hints(hint) + 1);
    const unmaps = open.cause === "write_protect" ? this.protects : this.unmaps;
    const recorded = open.unmaps.filter((one) => one.context === context);
    unmaps.recorded += recorded.length;
    if (!isSure) {
      // What is there may fit by chance: nothing was predicted.
      unmaps.unknown += recorded.length;
      return;
    }
    const fits = predicted.filter(([startPage, endPage]) =>
      recorded.some((one) => one.startPage === startPage && one.endPage === endPage),
    ).length;
    unmaps.predicted += predicted.length;
    unmaps.matched += fits;
    unmaps.missed += recorded.length - fits;
    unmaps.spurious += predicted.length - fits;
    if (fits === recorded.length && fits === predicted.length) return;
    const was = recorded.map(({ startPage, endPage }) => rangeText([startPage, endPage]));
    this.#note(open, `predicted ${listText(predicted.map(rangeText))}, recorded ${listText(was)}`);
  }

  /** An event that reaches whole contexts. */
  whole(
    open: OpenInvalidation,
    sure: readonly ShadowContext[],
    unsure: readonly ShadowContext[],
    endPage: number,
  ): void {
    for (const context of sure) {
      this.unmap(open, context, [[0, endPage]], true, undefined);
    }
    for (const context of unsure) {
      this.unmap(open, context, [[0, endPage]], false, undefined);
    }
    const known = new Set([...sure, ...unsure]);
    const counts = open.cause === "write_protect" ? this.protects : this.unmaps;
    counts.missed += open.unmaps.filter(({ context }) => !known.has(context)).length;
  }

  #note(open: OpenInvalidation, detail: string): void {
    if (this.mismatches.length >= KEPT_MISMATCHES) return;
    const name = open.tlbi?.name ?? open.cause;
    this.mismatches.push({ line: open.line, detail: `${name}: ${detail}` });
  }
}

function emptyCounts(): AgreementCounts {
  return { predicted: 0, recorded: 0, matched: 0, missed: 0, spurious: 0, unknown: 0 };
}

function rangeText([startPage, endPage]: PageRange): string {
  return `${endPage - startPage} pages from page 0x${startPage.toString(16)}`;
}

/** The first few of a list. */
function listText(texts: readonly string[]): string {
  if (texts.length === 0) return "none";
  const more = texts.length > 2 ? ` and ${texts.length - 2} more` : "";
  return `${texts.slice(0, 2).join(", ")}${more}`;
}
