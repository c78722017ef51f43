import type { Stage2Context } from "../contexts/context.ts";
import { learnInvalidEntry, learnLeaf } from "../stage2/learn.ts";
import type { ReplayState } from "../state.ts";
import { Bracket, type Task } from "./task.ts";

/** Fault status codes by bits 5:2 (Arm ARM, ESR_ELx.ISS.FSC): the level is in bits 1:0. */
const TRANSLATION_FAULT = 0b0001;
const ACCESS_FLAG_FAULT = 0b0010;
const PERMISSION_FAULT = 0b0011;

/**
 * Fills in what the fault that a call answers proves about state that the trace had not shown. Known
 * state is left as it is.
 */
export function learnFromFault(state: ReplayState, task: Task, context: Stage2Context): void {
  const page = task.faultPage;
  task.faultPage = -1;
  if (context.historyKnown) return;
  if (page < task.startPage || page >= Math.max(task.endPage, task.startPage + 1)) return;
  const status = task.faultSyndrome & 0x3f;
  const level = status & 0b11;
  const kind = status >>> 2;
  if (level < state.geometry.topLevel || isBeingChanged(state, task, context, page)) return;
  if (kind === TRANSLATION_FAULT) learnInvalidEntry(context.table, page, level);
  else if (kind === PERMISSION_FAULT || kind === ACCESS_FLAG_FAULT) {
    learnLeaf(context.table, page, level);
  }
}

/**
 * Another thread is inside a call on this page that the model has not carried out yet: the fault may have
 * met the entry while break-before-make had it cleared, which says nothing of what was there before.
 */
function isBeingChanged(
  state: ReplayState,
  task: Task,
  context: Stage2Context,
  page: number,
): boolean {
  for (const other of state.tasks) {
    if (other === task || other.bracket !== Bracket.call || other.isApplied) continue;
    if (other.context === context && page >= other.startPage && page < other.endPage) return true;
  }
  return false;
}
