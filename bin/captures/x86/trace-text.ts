import { openBytes } from "../../../ingest/source/open-bytes.ts";

/**
 * What the text of an x86 capture says, read by a few patterns and with none of our readers: the judge of
 * what is replayed.
 */
export interface TraceText {
  /** Beginnings of the driver's operations, by line; empty where the workload has no driver. */
  readonly operations: readonly { readonly line: number; readonly name: string }[];
  /** Changes of entries that were, or became, present. */
  readonly changes: readonly SpteChange[];
  /** Lines of kvm_flush_remote_tlbs. */
  readonly flushLines: readonly number[];
}

export interface SpteChange {
  readonly line: number;
  readonly gfn: number;
  readonly level: number;
  readonly from: "none" | "leaf" | "table";
  readonly to: "none" | "leaf" | "table";
  /** A leaf that stayed lost its write permission. */
  readonly isProtected: boolean;
  /** Function or tracepoint that tells what the thread was doing. */
  readonly during: string;
}

const OPERATION = /tracing_mark_write: s2x86 vm=\d+ op=(\S+)/;
/** What begins an operation; the last one before a change says what the change belongs to. */
const BEGINS =
  /: (kvm_page_fault|zap_collapsible_spte_range|recover_huge_pages_range|kvm_mmu_zap_all_fast|kvm_arch_flush_shadow_all|kvm_tdp_mmu_zap_all|kvm_unmap_hva_range|kvm_unmap_gfn_range|kvm_mmu_slot_remove_write_access|kvm_arch_mmu_enable_log_dirty_pt_masked): /;
const FLUSH = /: kvm_flush_remote_tlbs: \(/;
const PROBE =
  /_?handle_changed_spte: \(.* gfn=0x([0-9a-f]+) old_spte=0x([0-9a-f]+) new_spte=0x([0-9a-f]+) level=(\d)/;
const TRACEPOINT =
  /kvm_tdp_mmu_spte_changed: as id \d+ gfn ([0-9a-f]+) level (\d) old_spte ([0-9a-f]+) new_spte ([0-9a-f]+)/;

/** @param hasPresentBit of 5.13 and later; older kernels mark what is present by its permissions. */
export async function readTraceText(file: string, hasPresentBit: boolean): Promise<TraceText> {
  const chunks: Buffer[] = [];
  for await (const chunk of (await openBytes(file)).chunks) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString("latin1");
  const operations: { line: number; name: string }[] = [];
  const changes: SpteChange[] = [];
  const flushLines: number[] = [];
  let during = "";
  const isProbed = text.includes("handle_changed_spte: (");
  for (const [i, line] of text.split("\n").entries()) {
    const name = OPERATION.exec(line)?.[1];
    if (name !== undefined) operations.push({ line: i + 1, name });
    during = BEGINS.exec(line)?.[1] ?? during;
    if (FLUSH.test(line)) flushLines.push(i + 1);
    const found = changeOf(line, isProbed);
    if (found === undefined) continue;
    const level = Number(found.level);
    const from = entryOf(found.before, level, hasPresentBit);
    const to = entryOf(found.after, level, hasPresentBit);
    if (from === "none" && to === "none") continue;
    const isLeaf = from === "leaf" && to === "leaf";
    const isProtected = isLeaf && isWritable(found.before) && !isWritable(found.after);
    const gfn = Number.parseInt(found.gfn, 16);
    changes.push({ line: i + 1, gfn, level, from, to, isProtected, during });
  }
  return { operations, changes, flushLines };
}

interface FoundChange {
  readonly gfn: string;
  readonly level: string;
  readonly before: string;
  readonly after: string;
}

/** The probe tells what the tracepoint behind it tells again. */
function changeOf(line: string, isProbed: boolean): FoundChange | undefined {
  if (isProbed) {
    const [, gfn, before, after, level] = PROBE.exec(line) ?? [];
    if (gfn === undefined || before === undefined || after === undefined || level === undefined)
      return undefined;
    return { gfn, before, after, level };
  }
  const [, gfn, level, before, after] = TRACEPOINT.exec(line) ?? [];
  if (gfn === undefined || before === undefined || after === undefined || level === undefined)
    return undefined;
  return { gfn, before, after, level };
}

function isWritable(hex: string): boolean {
  return (Number.parseInt(hex.slice(-1), 16) & 2) !== 0;
}

function entryOf(hex: string, level: number, hasPresentBit: boolean): SpteChange["from"] {
  const bits = BigInt(`0x${hex}`);
  const isPresent = hasPresentBit ? (bits & 0x800n) !== 0n : (bits & 7n) !== 0n;
  if (!isPresent) return "none";
  return level === 1 || (bits & 0x80n) !== 0n ? "leaf" : "table";
}

/** Operation that a line belongs to, counted from 0; -1 before the first. */
export function operationAt(text: TraceText, line: number): number {
  let found = -1;
  for (const [i, operation] of text.operations.entries()) {
    if (operation.line > line) break;
    found = i;
  }
  return found;
}
