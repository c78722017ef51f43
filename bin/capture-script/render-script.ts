import { readFileSync } from "node:fs";

import { recordedTracepoints } from "../../ingest/vocabulary/recorded-tracepoints.ts";
import { argumentIndex } from "../../ingest/vocabulary/recorded-probes.ts";
import { BYTES_PER_EVENT, type CapturePlan } from "./capture-plan.ts";
import { notesOf } from "./plan-notes.ts";
import { type PlannedProbe, groupOf, planProbes } from "./probe-plan.ts";
import { commentLines, commented, quoted } from "./shell-text.ts";

/** The parts of the recording script, in order; settings and probes go in front of the last. */
const RECORD_PARTS = ["record-host.sh", "record-probes.sh", "record-save.sh"] as const;

/** The script that records; `toolVersion` is noted in it. */
export function recordingScript(plan: CapturePlan, toolVersion: string): string {
  const { assumptions, limits } = notesOf(plan);
  return [
    "#!/bin/sh",
    commented(
      `Records what KVM does to stage-2 page tables on Linux ${plan.kernel} (${plan.arch}).`,
    ),
    commented(
      `Made by tlbi-replay ${toolVersion}. Needs root and tracefs; runs in any POSIX shell.`,
    ),
    "#",
    ...(assumptions.length > 0 ? ["# Assumed:", ...commentLines(assumptions), "#"] : []),
    ...(limits.length > 0 ? ["# What it cannot show:", ...commentLines(limits), "#"] : []),
    ...part("record-usage.sh"),
    "set -eu",
    "",
    ...settings(plan, toolVersion),
    "",
    ...RECORD_PARTS.flatMap(part),
    ...probeFunction(plan),
    "",
    ...part("record-main.sh"),
  ].join("\n");
}

/** The script that checks a recording on the spot. */
export function checkingScript(plan: CapturePlan, toolVersion: string): string {
  return [
    "#!/bin/sh",
    commented(`Checks a recording of Linux ${plan.kernel} (${plan.arch}) where it was made.`),
    commented(`Made by tlbi-replay ${toolVersion}.`),
    ...part("check-usage.sh"),
    "set -eu",
    "",
    ...settings(plan, toolVersion).filter((line) => CHECKED_SETTINGS.test(line)),
    `NEEDED=${quoted(neededNames(plan).join(" "))}`,
    `PRIMITIVES=${quoted(primitiveNames(plan).join(" "))}`,
    "",
    ...part("check-main.sh"),
  ].join("\n");
}

/** Settings that the checking script reads. */
const CHECKED_SETTINGS = /^(?:ARCH|GROUP|PROBES|ASKED_CLOCK)=/;

function part(name: string): readonly string[] {
  const text = readFileSync(new URL(name, import.meta.url), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .filter((line) => !line.startsWith("# shellcheck "))
    .concat("");
}

function settings(plan: CapturePlan, toolVersion: string): readonly string[] {
  const values: Readonly<Record<string, string | number>> = {
    TOOL: `tlbi-replay ${toolVersion}`,
    MADE_FOR: plan.release,
    ARCH: plan.arch,
    GROUP: groupOf(plan),
    INSTANCE: "tlbi_replay",
    PROBES: plan.probes,
    ASKED_MODE: plan.arch === "x86" ? "none" : plan.mode,
    ASKED_CLOCK: plan.clock,
    SECONDS_DEFAULT: plan.seconds,
    EVENTS_PER_SECOND: plan.eventsPerSecond,
    BUSY_CPUS: plan.busyCpus,
    BYTES_PER_EVENT: BYTES_PER_EVENT[plan.arch],
    MEMORY_KB: plan.memoryBytes === undefined ? "" : Math.floor(plan.memoryBytes / 1024),
    OVERWRITE: plan.isOverwriting ? 1 : 0,
    TGID: plan.recordsTgid ? 1 : 0,
    PID: plan.pid ?? "",
    TRACEPOINTS: recordedTracepoints(plan.arch, plan.tracepoints, plan.isNested).join(" "),
  };
  return Object.entries(values).map(([name, value]) => `${name}=${quoted(String(value))}`);
}

/** `define_probes`: a line a probe; and the symbols that are looked up for them. */
function probeFunction(plan: CapturePlan): readonly string[] {
  const probes = planProbes(plan);
  const symbols = [...new Set(probes.map(({ symbol }) => symbol))];
  return [
    "# Functions that are looked for among those the kernel can trace.",
    "wanted_symbols() {",
    "  cat <<'END'",
    ...symbols,
    "END",
    "}",
    "",
    "# probe NEED KIND NAME FUNCTION ARGUMENTS-WITH-FIELDS-BY-NAME ARGUMENTS-WITH-OFFSETS LEFT-OUT",
    "define_probes() {",
    ...probes.map((probe) => `  ${probeLine(plan, probe)}`),
    "  :",
    "}",
  ];
}

function probeLine(plan: CapturePlan, probe: PlannedProbe): string {
  const { byName, byOffset, leftOut } = probe.forms;
  const words = [
    "probe",
    probe.isNeeded ? "needed" : "useful",
    probe.isReturn ? "return" : "entry",
    probe.name,
    probe.symbol,
    quoted(byName === undefined ? "-" : inKind(plan, byName)),
    quoted(byOffset === undefined ? "-" : inKind(plan, byOffset)),
    quoted(leftOut.join(" ")),
  ];
  const line = words.join(" ");
  if (probe.isReturn) return `if defined ${entryName(plan, probe)}; then ${line}; fi`;
  if (probe.insteadOf !== undefined) return `defined ${probe.insteadOf} || ${line}`;
  return probe.isPrimitive ? `visible_primitives && ${line}` : line;
}

function entryName(plan: CapturePlan, probe: PlannedProbe): string {
  return planProbes(plan).find((one) => one.symbol === probe.symbol && !one.isReturn)!.name;
}

/** An fprobe knows no registers, only the number of an argument. */
function inKind(plan: CapturePlan, fetch: string): string {
  if (plan.probes === "kprobe") return fetch;
  return fetch.replaceAll(/%\w+/g, (register) => {
    const index = argumentIndex(plan.arch, register);
    return index < 0 ? register : `$arg${index + 1}`;
  });
}

function neededNames(plan: CapturePlan): readonly string[] {
  return planProbes(plan)
    .filter(({ isNeeded }) => isNeeded)
    .map(({ name }) => name);
}

function primitiveNames(plan: CapturePlan): readonly string[] {
  return planProbes(plan)
    .filter(({ isPrimitive }) => isPrimitive)
    .map(({ name }) => name);
}
