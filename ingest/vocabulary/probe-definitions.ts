/**
 * What the user's own probe names stand for: the text of `kprobe_events` or `dynamic_events`, or the
 * lines that were written into them. Where a program prints only an event's name and an address, this
 * is the declared mapping from the name to the function.
 */
export interface ProbeDefinition {
  readonly group: string | undefined;
  readonly name: string;
  readonly isReturn: boolean;
  /** Symbol of the probed function; undefined for a probe in a user program. */
  readonly symbol: string | undefined;
  /** From the beginning of the function, in bytes. */
  readonly offset: number;
  readonly arguments: readonly ProbeArgument[];
}

/** `size=%x2:x64`: an argument of a probe as it was defined. */
export interface ProbeArgument {
  /** As the trace prints it. */
  readonly name: string;
  /** Where the value comes from: `%x2`, `$arg3`, `+24(%x0)`, `$retval`, a parameter's name. */
  readonly fetch: string;
  /** `x64`, `u32`, `symbol`; empty where none was given. */
  readonly type: string;
}

/** What `perf probe` counts its places from: no function, so that only the address tells which one it is. */
const WHOLE_KERNEL: ReadonlySet<string | undefined> = new Set(["_text", "_stext"]);

export function isWholeKernel(symbol: string | undefined): boolean {
  return WHOLE_KERNEL.has(symbol);
}

/** The definitions of a list, by event name. */
export interface ProbeDefinitions {
  /** Those of the name, of that group where one is given: a name may stand in several groups. */
  of(name: string, group: string | undefined): readonly ProbeDefinition[];
  readonly count: number;
}

/** `p`, `p:name`, `r64:group/name`, `f:group/name`; group and name are optional. */
const KIND = /^([prf])(\d*)(?::(?:([\w-]+)\/)?([\w.-]+)?)?$/;
const USER_PLACE = /^\/.*:0x[0-9a-f]+/i;
/** `module:symbol+offset%return`; the offset may be decimal or hexadecimal. */
const KERNEL_PLACE = /^(?:[\w-]+:)?([A-Za-z_][\w.$]*)(?:\+(0x[0-9a-f]+|\d+))?(%return)?$/i;

/** Definition that a line holds; undefined for any other line. */
export function readProbeDefinition(line: string): ProbeDefinition | undefined {
  const [head = "", place = "", ...rest] = line.trim().split(/\s+/);
  const kind = KIND.exec(head);
  if (kind === null) return undefined;
  const [, letter, , group, name] = kind;
  if (USER_PLACE.test(place)) {
    const isReturn = letter === "r";
    if (name === undefined) return undefined;
    return { group, name, isReturn, symbol: undefined, offset: 0, arguments: [] };
  }
  const at = KERNEL_PLACE.exec(place);
  if (at === null) return undefined;
  const symbol = at[1]!;
  const isReturn = letter === "r" || at[3] !== undefined;
  const offset = Number(at[2] ?? 0);
  return {
    group,
    name: name ?? defaultName(letter!, symbol, offset, isReturn),
    isReturn,
    symbol,
    offset,
    arguments: rest.map(readArgument),
  };
}

/** `[name=]fetch[:type]`; the kernel names an argument without a name by its place, or as its parameter. */
function readArgument(text: string, index: number): ProbeArgument {
  const [, given, fetch = "", type = ""] = /^(?:(\w+)=)?(.*?)(?::([^:()]+))?$/.exec(text) ?? [];
  const own = /^[A-Za-z_]\w*$/.test(fetch) ? fetch : `arg${index + 1}`;
  return { name: given ?? own, fetch, type };
}

/** How the kernel names a probe that was defined without a name. */
function defaultName(letter: string, symbol: string, offset: number, isReturn: boolean): string {
  if (letter === "f") return isReturn ? `${symbol}__exit` : `${symbol}__entry`;
  return `${letter}_${symbol}_${offset}`.replaceAll(/[^\w]/g, "_");
}

/** The definitions in a list's lines; other lines (comments, other kinds of dynamic events) say nothing. */
export function readProbeDefinitions(lines: Iterable<string>): ProbeDefinitions {
  const byName = new Map<string, ProbeDefinition[]>();
  let count = 0;
  for (const line of lines) {
    const definition = readProbeDefinition(line);
    if (definition === undefined) continue;
    count += 1;
    const known = byName.get(definition.name);
    if (known === undefined) byName.set(definition.name, [definition]);
    else known.push(definition);
  }
  return {
    count,
    of(name: string, group: string | undefined): readonly ProbeDefinition[] {
      const all = byName.get(name) ?? [];
      if (group === undefined) return all;
      return all.filter((one) => one.group === undefined || one.group === group);
    },
  };
}
