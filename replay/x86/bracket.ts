import { RecordedCalls } from "../operations/recorded-calls.ts";
import { Path } from "../paths.ts";
import { FlushQueue } from "../policies/flush-queue.ts";

/** What one policy has gathered in an operation. */
export class PolicyBooks {
  readonly queue: FlushQueue = new FlushQueue();
  /** The operation has changed something that it must flush for before it ends. */
  owes = false;
  /** Removed tables that wait for a flush, and the time at which the first of them was removed. */
  waiting = 0;
  waitingSinceNs: number = Number.NaN;
  /** Region that the last zapped leaf belonged to: its first frame and its level. */
  regionGfn = -1;
  regionLevel = 0;
  /** Entries zapped with tables below them, which one flush each is for. */
  readonly zappedGfn: number[] = [];
  readonly zappedLevel: number[] = [];
  /** Flushes at a yield after which the walk went on. */
  yields = 0;
  hasYielded = false;

  reset(): void {
    this.queue.clear();
    this.owes = false;
    this.waiting = 0;
    this.waitingSinceNs = Number.NaN;
    this.regionGfn = -1;
    this.regionLevel = 0;
    this.zappedGfn.length = 0;
    this.zappedLevel.length = 0;
    this.yields = 0;
    this.hasYielded = false;
  }
}

/**
 * An operation of one thread, from the event that begins it to the next that begins another: a fault, a
 * notifier call, a change of a memslot, a read of the dirty log. What the thread changes and what it flushes
 * meanwhile belong to it.
 */
export class X86Bracket {
  isOpen = false;
  path: number = Path.unattributed;
  /** Of a fault: what it did that is flushed for. */
  faultPath: number = Path.collapse;
  kvm = 0;
  line = 0;
  tsNs = 0;
  /** Entries that changed, entries zapped, tables removed. */
  changes = 0;
  tables = 0;
  /** Accessed bits that were cleared. */
  aged = 0;
  /** A slot was write-protected, or its dirty bits cleared, as a whole. */
  slotProtected = false;
  /** Words of a dirty log that were write-protected. */
  maskedWords = 0;
  /** Pages of the slot, where the trace says so. */
  slotGfn = 0;
  slotPages = 0;
  /** A notifier's own tracepoint began it: what follows is of one notifier. */
  isNotifier = false;
  /** Roots were invalidated as a whole: vCPUs reload them. */
  rootsInvalidated = false;
  /** Removed tables whose own tables are being removed: the outermost first. */
  readonly removedGfn: number[] = [];
  readonly removedLevel: number[] = [];
  readonly recorded: RecordedCalls = new RecordedCalls();
  readonly books: readonly PolicyBooks[];

  constructor(policies: number) {
    this.books = Array.from({ length: policies }, () => new PolicyBooks());
  }

  open(path: number, kvm: number, line: number, tsNs: number): void {
    this.isOpen = true;
    this.path = path;
    this.faultPath = Path.collapse;
    this.kvm = kvm;
    this.line = line;
    this.tsNs = tsNs;
    this.changes = 0;
    this.tables = 0;
    this.aged = 0;
    this.slotProtected = false;
    this.maskedWords = 0;
    this.slotGfn = 0;
    this.slotPages = 0;
    this.isNotifier = false;
    this.rootsInvalidated = false;
    this.removedGfn.length = 0;
    this.removedLevel.length = 0;
  }

  close(): void {
    this.isOpen = false;
    this.recorded.clear();
    for (const books of this.books) books.reset();
  }
}
