import { Bracket, type Task } from "../../operations/task.ts";
import { Path } from "../../paths.ts";
import type { Change } from "./changes.ts";

/**
 * Changes that a policy may still answer: an unmap may be flushed at its last piece, and
 * write-protection by a request that follows. By thread, because two may work on one context.
 */
export class OpenChanges {
  readonly #open = new Map<number, Change[]>();
  readonly #protected = new Map<number, Change[]>();

  /** Changes of the thread's bracket, to be added to. */
  of(pid: number): Change[] {
    const known = this.#open.get(pid);
    if (known !== undefined) return known;
    const made: Change[] = [];
    this.#open.set(pid, made);
    return made;
  }

  has(pid: number): boolean {
    return (this.#open.get(pid)?.length ?? 0) > 0 || this.#protected.has(pid);
  }

  drop(pid: number): void {
    this.#open.delete(pid);
    this.#protected.delete(pid);
  }

  clear(): void {
    this.#open.clear();
    this.#protected.clear();
  }

  /**
   * The thread's bracket is settled: takes what every policy has had its chance to answer by now.
   * @param isScopeOpen a policy still gathers what an unmap operation removes.
   */
  takeDue(task: Task, isScopeOpen: boolean): readonly Change[] {
    const { pid } = task;
    const changes = this.#open.get(pid) ?? [];
    const gone = changes.filter(({ kind }) => kind === "gone");
    const due: Change[] = [];
    if (isScopeOpen) this.#open.set(pid, gone);
    else {
      this.#open.delete(pid);
      due.push(...gone);
    }
    const fresh = changes.filter(({ kind }) => kind === "protected");
    const waiting = [...(this.#protected.get(pid) ?? []), ...fresh];
    const isRequest = task.bracket === Bracket.request || task.bracket === Bracket.protectSequence;
    const isFlush = isRequest || task.bracket === Bracket.none;
    if (isFlush && task.path !== Path.age) {
      due.push(...waiting);
      this.#protected.delete(pid);
    } else if (waiting.length > 0) this.#protected.set(pid, waiting);
    return due;
  }
}
