import { type CaptureArguments, planCapture } from "../../commands/capture.ts";
import type { CapturePlan } from "../capture-plan.ts";
import { checkingScript, recordingScript } from "../render-script.ts";

/** Options as yargs hands them over where none is given but the kernel. */
export const DEFAULTS: CaptureArguments = {
  kernel: "6.12",
  arch: "arm64",
  probes: "kprobe",
  mode: "auto",
  tracepoints: "standard",
  clock: "mono",
  seconds: "60",
  "events-per-second": "20000",
  "busy-cpus": "1",
  memory: undefined,
  pid: undefined,
  out: undefined,
};

export type Given = Partial<CaptureArguments>;

export function plan(given: Given = {}): CapturePlan {
  return planCapture({ ...DEFAULTS, ...given });
}

export function record(given: Given = {}): string {
  return recordingScript(plan(given), "1.2.3");
}

export function check(given: Given = {}): string {
  return checkingScript(plan(given), "1.2.3");
}
