import { literal } from "../bytes.ts";
import { PROC_WIDTH, readTask } from "./graph-columns.ts";

/** Another task goes on on a CPU. */
export interface TaskSwitch {
  readonly cpu: number;
  readonly from: number;
  readonly to: number;
}

const CPU = /^ *(\d+)\) /;
const ARROW = " => ";

/**
 * Reads ` 0)     a-77      =>     b-78      `. A name may hold an arrow itself: the one behind a column of
 * the kernel's width is the right one, else it must be the only one between two tasks.
 */
export function readSwitch(text: string): TaskSwitch | undefined {
  const [before, digits] = CPU.exec(text) ?? [];
  if (before === undefined || digits === undefined) return undefined;
  const columns = text.slice(before.length);
  const found: TaskSwitch[] = [];
  for (let at = columns.indexOf(ARROW); at >= 0; at = columns.indexOf(ARROW, at + 1)) {
    const from = pidOf(columns.slice(0, at));
    const to = pidOf(columns.slice(at + ARROW.length));
    if (from < 0 || to < 0) continue;
    const one = { cpu: Number(digits), from, to };
    if (at === PROC_WIDTH) return one;
    found.push(one);
  }
  return found.length === 1 ? found[0] : undefined;
}

function pidOf(column: string): number {
  return readTask(literal(column), 0, column.length);
}
