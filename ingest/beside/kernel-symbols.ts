/** The kernel's functions by address, from a saved `/proc/kallsyms` of the same boot. */
export interface KernelSymbols {
  /** Symbols that begin at the address; several where one is an alias of another. */
  at(address: bigint): readonly string[];
  readonly count: number;
}

/** `ffff80008004d130 T kvm_flush_remote_tlbs`, with `[module]` behind it where it is of one. */
const LINE = /^([0-9a-f]{8,16}) [tTwW] (\S+)/gm;

/** Reads the text of kallsyms. Addresses of zero (hidden from the user who saved it) are left out. */
export function readKernelSymbols(text: string): KernelSymbols {
  const byAddress = new Map<string, string[]>();
  for (const [, address, symbol] of text.matchAll(LINE)) {
    const key = canonical(address!);
    if (key === "") continue;
    const known = byAddress.get(key);
    if (known === undefined) byAddress.set(key, [symbol!]);
    else known.push(symbol!);
  }
  return {
    count: byAddress.size,
    at: (address: bigint): readonly string[] => byAddress.get(address.toString(16)) ?? [],
  };
}

function canonical(digits: string): string {
  return digits.replace(/^0+/, "");
}
