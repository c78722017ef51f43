/**
 * Functions whose entry a probe list enables: the lines of `kprobe_events` or `dynamic_events`, such as
 * `p:kvm_s2/map kvm_pgtable_stage2_map pgt=%x0:x64`. Return probes and lines that are no probe are left out.
 */
export function probedFunctionsOf(lines: readonly string[]): readonly string[] {
  const functions = new Set<string>();
  for (const line of lines) {
    const words = line.trim().split(/\s+/);
    const definition = words[0] ?? "";
    // `p`, `p:group/name`, fprobes `f:…`; `r…` are returns. An fprobe's return says `%return` behind the symbol.
    if (!/^[pf](?::|$)/.test(definition)) continue;
    const place = words[1] ?? "";
    if (place === "" || place.endsWith("%return")) continue;
    // `module:function+offset`, or an address or a file for a user probe.
    const symbol = place
      .replace(/%\w+$/, "")
      .replace(/\+(?:0x)?[0-9a-f]+$/, "")
      .split(":")
      .at(-1)!;
    if (/^[A-Za-z_][\w.]*$/.test(symbol)) functions.add(symbol);
  }
  return [...functions];
}

/** What a saved probe list says of the events of one name. */
export interface ListedProbe {
  readonly symbol: string;
  readonly offset: number;
  readonly isReturn: boolean;
}

const DEFINITION = /^(?:[pf]|r\d*)(?::(?:[^/\s]+\/)?(\S+))?$/;
const PLACE = /^(?:\w+:)?([A-Za-z_][\w.$]*?)(?:\+(0x[0-9a-f]+|\d+))?(%return)?$/;

/**
 * Probes of kernel functions by the name of their event. A name under which several places are probed
 * (events of two groups, or one event of several probes) is left out: a trace does not tell them apart.
 */
export function probesByEvent(lines: readonly string[]): ReadonlyMap<string, ListedProbe> {
  const probes = new Map<string, ListedProbe>();
  const ambiguous = new Set<string>();
  for (const line of lines) {
    const [definition = "", where = ""] = line.trim().split(/\s+/);
    const event = DEFINITION.exec(definition)?.[1];
    const place = PLACE.exec(where);
    if (event === undefined || place === null) continue;
    const probe = {
      symbol: place[1]!,
      offset: Number(place[2] ?? 0),
      isReturn: definition.startsWith("r") || place[3] !== undefined,
    };
    const other = probes.get(event);
    if (other !== undefined && !sameProbe(other, probe)) ambiguous.add(event);
    probes.set(event, probe);
  }
  for (const event of ambiguous) probes.delete(event);
  return probes;
}

function sameProbe(one: ListedProbe, other: ListedProbe): boolean {
  return (
    one.symbol === other.symbol && one.offset === other.offset && one.isReturn === other.isReturn
  );
}
