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
