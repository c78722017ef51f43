import type { EventBatch } from "../ingest/events/columns.ts";
import type { Stage2Context } from "./contexts/context.ts";
import type { ChangeObserver } from "./fan-out.ts";
import type { Task } from "./operations/task.ts";
import type { PolicyReplay } from "./policies/policy-replay.ts";
import type { ReplayObserver } from "./replay.ts";
import type { ReplayState } from "./state.ts";

/** One observer that stands for all; undefined where there is none. */
export function observersOf(
  all: readonly (ReplayObserver | undefined)[],
): ReplayObserver | undefined {
  const observers = all.filter((observer) => observer !== undefined);
  return observers.length < 2 ? observers[0] : new Observers(observers);
}

class Observers implements ReplayObserver {
  readonly changes: ChangeObserver;
  readonly #all: readonly ReplayObserver[];

  constructor(all: readonly ReplayObserver[]) {
    this.#all = all;
    this.changes = new FactsForAll(all);
  }

  attach(state: ReplayState): void {
    for (const observer of this.#all) observer.attach(state);
  }

  finish(): void {
    for (const observer of this.#all) observer.finish();
  }

  before(batch: EventBatch, row: number): void {
    for (const observer of this.#all) observer.before(batch, row);
  }

  entered(task: Task, context: Stage2Context): void {
    for (const observer of this.#all) observer.entered(task, context);
  }

  settled(
    task: Task,
    policies: readonly PolicyReplay[],
    includeConditional: boolean,
    isCut: boolean,
  ): void {
    for (const observer of this.#all) observer.settled(task, policies, includeConditional, isCut);
  }

  addedToAll(
    primitive: number,
    path: number,
    isCertain: boolean,
    cpu: number,
    context: Stage2Context,
  ): void {
    for (const observer of this.#all) {
      observer.addedToAll?.(primitive, path, isCertain, cpu, context);
    }
  }

  addedLoose(primitive: number, page: number, pages: number, path: number): void {
    for (const observer of this.#all) observer.addedLoose?.(primitive, page, pages, path);
  }

  everythingFlushed(path: number): void {
    for (const observer of this.#all) observer.everythingFlushed?.(path);
  }

  settledEmpty(task: Task, policies: readonly PolicyReplay[]): void {
    for (const observer of this.#all) observer.settledEmpty?.(task, policies);
  }

  unmapFoundNothing(task: Task): void {
    for (const observer of this.#all) observer.unmapFoundNothing?.(task);
  }

  stateForgotten(tables: number, line: number): void {
    for (const observer of this.#all) observer.stateForgotten?.(tables, line);
  }
}

class FactsForAll implements ChangeObserver {
  readonly #all: readonly ReplayObserver[];

  constructor(all: readonly ReplayObserver[]) {
    this.#all = all;
  }

  mapped(page: number, pages: number): void {
    for (const { changes } of this.#all) changes.mapped?.(page, pages);
  }

  leafKept(page: number, level: number): void {
    for (const { changes } of this.#all) changes.leafKept?.(page, level);
  }

  leavesCleared(page: number, level: number, count: number): void {
    for (const { changes } of this.#all) changes.leavesCleared(page, level, count);
  }

  blockBroken(page: number, level: number): void {
    for (const { changes } of this.#all) changes.blockBroken(page, level);
  }

  leafReplaced(page: number, level: number): void {
    for (const { changes } of this.#all) changes.leafReplaced(page, level);
  }

  collapsed(page: number, level: number, leaves: number, tables: number, uncertain: number): void {
    for (const { changes } of this.#all) {
      changes.collapsed(page, level, leaves, tables, uncertain);
    }
  }

  blockSplit(page: number, level: number): void {
    for (const { changes } of this.#all) changes.blockSplit(page, level);
  }

  writeProtected(page: number, level: number, count: number): void {
    for (const { changes } of this.#all) changes.writeProtected(page, level, count);
  }

  relaxed(page: number, level: number): void {
    for (const { changes } of this.#all) changes.relaxed(page, level);
  }

  unknownCleared(page: number, level: number, pages: number): void {
    for (const { changes } of this.#all) changes.unknownCleared(page, level, pages);
  }

  leafUnclear(page: number, level: number): void {
    for (const { changes } of this.#all) changes.leafUnclear(page, level);
  }

  mappedOverUnknown(page: number, level: number): void {
    for (const { changes } of this.#all) changes.mappedOverUnknown(page, level);
  }

  splitOverUnknown(page: number, blocks: number): void {
    for (const { changes } of this.#all) changes.splitOverUnknown(page, blocks);
  }

  unknownWriteProtected(page: number, pages: number): void {
    for (const { changes } of this.#all) changes.unknownWriteProtected(page, pages);
  }
}
