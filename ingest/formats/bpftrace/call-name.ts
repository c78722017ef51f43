import { literal } from "../bytes.ts";
import { atEntry, atReturn, type ProbePoint } from "../text/probe-point.ts";

/** Where a call is named by its function, no place is printed. */
const NOWHERE = literal("");
const ENTRY_PROBES: readonly string[] = ["kprobe", "kfunc", "fentry"];
const RETURN_PROBES: readonly string[] = ["kretprobe", "kretfunc", "fexit"];
const RETURN_SUFFIX = "%return";

/** What the name of an event says. */
export interface NamedCall {
  /** For the table of names: `kvm_exit`, `kvm_pgtable_stage2_map`, `kvm_pgtable_stage2_map%return`. */
  readonly name: string;
  /** Undefined: a tracepoint. */
  readonly point: ProbePoint | undefined;
}

/**
 * What an event is called in a user's own layout: `kvm_pgtable_stage2_map` for a call and
 * `kvm_pgtable_stage2_map%return` for its return, or as bpftrace names its probes (`kretprobe:…`,
 * `fentry:kvm:…`); `kvm:kvm_exit` is a tracepoint.
 */
export function namedCall(text: string): NamedCall {
  const words = text.split(":");
  const last = words.at(-1)!;
  const isReturn =
    words.length === 1 ? last.endsWith(RETURN_SUFFIX) : RETURN_PROBES.includes(words[0]!);
  if (!isReturn && words.length > 1 && !ENTRY_PROBES.includes(words[0]!)) {
    return { name: last, point: undefined };
  }
  const symbol = last.replace(RETURN_SUFFIX, "").replace(/\+0(?:x0)?$/, "");
  return isReturn
    ? { name: `${symbol}${RETURN_SUFFIX}`, point: atReturn(NOWHERE, symbol) }
    : { name: symbol, point: atEntry(NOWHERE, symbol, 0) };
}
