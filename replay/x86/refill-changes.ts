import { EntryKind } from "../stage2/entry-store.ts";
import { LAST_LEVEL } from "../stage2/geometry.ts";
import type { Change } from "../tlb/refills/changes.ts";
import type { GuestMemory } from "../tlb/refills/guest.ts";
import { Entry, MAX_LEVEL, spanOf } from "./spte.ts";
import type { TdpTable } from "./tdp-table.ts";

/** Changes of one operation of a thread, in one VM. */
interface Open {
  readonly vm: number;
  readonly changes: Change[];
  lastNs: number;
}

/** What the operations under way have changed of translations, by thread. */
export class OperationChanges {
  /** Pages that splitting took out of huge ones so far, and those that joining put back. */
  pagesSplit = 0;
  blocksSplit = 0;
  pagesCollapsed = 0;
  /** Changes in address spaces other than the usual one. */
  otherSpaces = 0;
  readonly #open = new Map<number, Open>();

  add(
    vm: number,
    pid: number,
    gfn: number,
    level: number,
    kind: Change["kind"] | undefined,
    nowNs: number,
  ): void {
    let open = this.#open.get(pid);
    if (open?.vm !== vm) {
      open = { vm, changes: [], lastNs: nowNs };
      this.#open.set(pid, open);
    }
    open.lastNs = nowNs;
    if (kind === undefined) return;
    const page = gfn - (gfn % spanOf(level));
    push(open.changes, { page, pages: spanOf(level), leafClass: Math.min(level - 1, 2), kind });
  }

  /** Counts pages of 4 KiB that come out of huge ones, and that go into them. */
  countSplit(level: number, before: number, after: number): void {
    if (level !== 2) return;
    if (before === Entry.leaf && after === Entry.table) {
      this.pagesSplit += 512;
      this.blocksSplit += 1;
    } else if (before === Entry.table && after === Entry.leaf) this.pagesCollapsed += 512;
  }

  /** The thread's operation is over. */
  take(pid: number): Open | undefined {
    const open = this.#open.get(pid);
    this.#open.delete(pid);
    return open;
  }

  clear(): void {
    this.#open.clear();
  }
}

/**
 * What a change makes of translations. `unclear`: a huge page gives way to small ones of the same frames, at
 * once or, in the faults of older kernels, as they are used: no use of the huge one is wrong.
 */
export function kindOf(
  before: number,
  after: number,
  level: number,
  isProtected: boolean,
  isFault: boolean,
): Change["kind"] | undefined {
  if (isProtected) return "protected";
  if (before === Entry.leaf) {
    const isSplit = after === Entry.table || (isFault && level > 1 && after === Entry.empty);
    return isSplit ? "unclear" : "gone";
  }
  return before === Entry.table && after !== Entry.table ? "gone" : undefined;
}

/** Neighbours become one change; what lies inside a removed table is told by that, whichever came first. */
function push(changes: Change[], { page, pages, leafClass, kind }: Change): void {
  for (let last = changes.at(-1); last !== undefined; last = changes.at(-1)) {
    if (last.kind !== kind) break;
    const end = last.page + last.pages;
    if (leafClass <= last.leafClass && page >= last.page && page + pages <= end) return;
    const isInside = last.page >= page && end <= page + pages && last.leafClass <= leafClass;
    if (!isInside) {
      if (last.leafClass !== leafClass || end !== page) break;
      changes.pop();
      changes.push({ page: last.page, pages: last.pages + pages, leafClass, kind });
      return;
    }
    changes.pop();
  }
  changes.push({ page, pages, leafClass, kind });
}

/** A VM's tables of the usual address space, as modelled guests run on them. */
class Memory implements GuestMemory {
  readonly id: number;
  isGone = false;
  readonly table: GuestMemory["table"];

  constructor(id: number, table: TdpTable) {
    this.id = id;
    const found = { kind: 0, level: LAST_LEVEL };
    this.table = {
      lookup: (page) => {
        const level = table.leafLevel(page, MAX_LEVEL);
        found.kind = level > 0 ? EntryKind.leaf : EntryKind.invalid;
        found.level = LAST_LEVEL + 1 - level;
        return found;
      },
    };
  }
}

/** The memory of each VM that lives. */
export class GuestMemories {
  readonly #of = new Map<number, Memory>();
  #nextId = 0;

  known(vm: number): GuestMemory | undefined {
    return this.#of.get(vm);
  }

  of(vm: number, table: TdpTable): GuestMemory {
    const known = this.#of.get(vm);
    if (known !== undefined) return known;
    const made = new Memory(this.#nextId, table);
    this.#nextId += 1;
    this.#of.set(vm, made);
    return made;
  }

  /** The VM is gone: its pointer may be another's next. */
  forget(vm: number): GuestMemory | undefined {
    const memory = this.#of.get(vm);
    if (memory !== undefined) memory.isGone = true;
    this.#of.delete(vm);
    return memory;
  }
}
