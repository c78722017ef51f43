import type { ProbeNames } from "../../beside/probe-names.ts";
import { TraceError } from "../../errors.ts";

const BARE_PROBE =
  /^\S+: +(?:\([0-9a-f]{8,16}(?: <- [0-9a-f]{8,16})?\)|__probe_(?:ip|func)=(?!0x[0-9a-f]+ \())/;

/**
 * Whether an event, its name included, prints a probe by address only, as other programs do. The kernel's
 * option `fields` does so too, and repeats the address in decimal behind it.
 */
export function hasBareProbe(event: string): boolean {
  return BARE_PROBE.test(event);
}

/**
 * Refuses a text whose probes have addresses only where nothing says which functions those are.
 * @throws TraceError UNSUPPORTED_LAYOUT.
 */
export function requireProbeNames(names: ProbeNames, program: string, path: string): void {
  if (names.origin !== undefined) return;
  throw new TraceError(
    "UNSUPPORTED_LAYOUT",
    `${program} printed the probes of this trace without their functions, and no probe list says which those are`,
    path,
    "save the list of the machine that recorded it (cat /sys/kernel/tracing/kprobe_events > kprobes.txt) beside the trace, or name it with --probes",
  );
}
