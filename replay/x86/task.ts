import { X86Bracket } from "./bracket.ts";

/** What a thread has open, and what was seen last in it. */
export class X86Task {
  readonly pid: number;
  readonly bracket: X86Bracket;
  /** Pointer id of the VM that the thread worked for last. */
  kvm = 0;
  /** The next flush was asked for by this range; `askedPages` 0: by none. */
  askedGfn = 0;
  askedPages = 0;
  /** The last flush was asked for by a function that names a slot or a range. */
  isNamed = false;
  /** Within the eager split of a slot: its huge leaves become tables, and nothing is flushed for them. */
  isSplitting = false;
  /** The change that the last probe told, which a tracepoint may tell again. */
  toldGfn = -1;
  toldLevel = 0;
  toldOldLow = 0;
  toldNewLow = 0;
  /** A vCPU thread that is inside the guest, as far as the trace shows it. */
  isInGuest = false;

  /**
   * The trace has shown the thread outside of an operation: what it has open was seen from its beginning.
   * Before, and after a loss, it may be in the middle of one.
   */
  isPlaced = false;

  constructor(pid: number, policies: number) {
    this.pid = pid;
    this.bracket = new X86Bracket(policies);
  }
}
