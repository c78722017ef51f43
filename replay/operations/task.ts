import type { Stage2Context, VirtualMachine } from "../contexts/context.ts";
import { Path } from "../paths.ts";
import { type Ledger, NO_LEDGER } from "./ledger.ts";

/** What a task has open: a page-table call, a flush request, or a write-protect sequence whose flush is due. */
export const Bracket = { none: 0, call: 1, request: 2, protectSequence: 3 } as const;

/** Page-table calls with an entry and a return. */
export const Call = { none: 0, map: 1, unmap: 2, wrprotect: 3, relax: 4, split: 5 } as const;

/** Return value of a call whose return the trace does not record. */
export const NO_RETURN: number = Number.NaN;
export const EAGAIN = -11;

/**
 * State of one thread: the call it is in, why, and what it saw before. Calls nest on a thread, so
 * recorded invalidations belong to the bracket that their thread has open.
 */
export class Task {
  readonly pid: number;
  /**
   * The trace has shown what the thread is about: false for one that it meets in the middle of
   * something, at its beginning or after a loss.
   */
  isPlaced = false;
  bracket: number = Bracket.none;
  /** Line and time at which the bracket began, and the CPU on which its calls run. */
  line = 0;
  tsNs = 0;
  cpu = 0;
  context: Stage2Context | undefined;
  /** What gathers in the bracket; ReplayState hands it out and takes it back. */
  ledger: Ledger = NO_LEDGER;

  // The open page-table call.
  call: number = Call.none;
  isApplied = false;
  startPage = 0;
  endPage = 0;
  physPage = 0;
  flags = 0;
  /** Path of recorded calls inside the bracket, where the model does not say better. */
  path: number = Path.unattributed;

  // Why unmap calls happen, and the whole range of which they are pieces.
  scopePath: number = Path.unattributed;
  scopeVm: VirtualMachine | undefined;
  /** Pointer id of stage2_apply_range's first argument: a mmu, or (≤ 6.1) a kvm. */
  scopeObject = 0;
  scopeStartPage = 0;
  scopeEndPage = 0;

  lastUnmapStart = -1;
  lastUnmapEnd = -1;

  // The last guest fault: page -1 where none is pending.
  faultPage = -1;
  faultSyndrome = 0;

  // Write-protection that a flush should follow.
  readonly protect: ProtectState = new ProtectState();
  agePending = false;
  ringResetPending = false;
  /** kvm_stage2_wp_range, until its calls come or the thread goes on. */
  pendingProtect:
    | {
        readonly mmu: number;
        readonly startPage: number;
        readonly endPage: number;
        readonly line: number;
      }
    | undefined;

  // The open flush request.
  requestRank = 0;
  requestVm: VirtualMachine | undefined;
  requestMmu = 0;
  requestPage: number = Number.NaN;
  requestPages: number = Number.NaN;

  /** The VM whose vCPU this thread runs, once known, and a CPU where it was seen before that. */
  vcpuContext: Stage2Context | undefined;
  vcpuCpu = -1;

  constructor(pid: number) {
    this.pid = pid;
  }
}

/** A memslot that is being write-protected, and why. */
export class ProtectState {
  /** enable_log, dirty_log, or unattributed where the trace does not say. */
  path: number = Path.unattributed;
  vm: VirtualMachine | undefined;
  basePage: number = Number.NaN;
  pages: number = Number.NaN;
  /** A wrprotect call happened since; its flush is due. */
  isDue = false;
  context: Stage2Context | undefined;
  lastOffset = -1;
  /** Mask words in this sequence: so many ioctls could it have been. */
  words = 0;

  begin(path: number, vm: VirtualMachine | undefined, basePage: number, pages: number): void {
    this.path = path;
    this.vm = vm;
    this.basePage = basePage;
    this.pages = pages;
    this.isDue = false;
    this.context = undefined;
    this.lastOffset = -1;
    this.words = 0;
  }

  reset(): void {
    this.begin(Path.unattributed, undefined, Number.NaN, Number.NaN);
  }
}
