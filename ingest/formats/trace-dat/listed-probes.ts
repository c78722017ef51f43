import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** `p:group/event symbol …`, a return's `r64:…`, an fprobe's `f:… symbol%return`; no offset in the symbol. */
const DEFINITION = /^[pfr]\d*:(?:\S+\/)?(\S+)\s+(?:\S+:)?([A-Za-z_][\w.]*)(?:%return)?(?:\s|$)/;

/** Functions by event name, from the probe list saved beside a trace; empty where there is none. */
export async function listedProbes(path: string): Promise<ReadonlyMap<string, string>> {
  const functions = new Map<string, string>();
  if (path === "-") return functions;
  for (const name of ["kprobes.txt", "kprobe_events"]) {
    const text = await readFile(join(dirname(path), name), "utf8").catch(() => "");
    for (const line of text.split("\n")) {
      const found = DEFINITION.exec(line.trim());
      if (found !== null) functions.set(found[1]!, found[2]!);
    }
  }
  return functions;
}
