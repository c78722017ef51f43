import { PHASES } from "../../replay/migration/inputs.ts";
import {
  type ClockPhase,
  countedFrom,
  type GivenPhase,
  problemOfGiven,
} from "../../replay/phases/given-phases.ts";
import { badOption } from "../values.ts";

const OPTION = "phase";
const HINT =
  "write it like blackout=84.699189..85.171749 or pass2=84.001..84.688, in the trace's seconds";
const FORM = /^([a-z]+)(\d+)?=(\d+(?:\.\d{1,9})?)\.\.(\d+(?:\.\d{1,9})?)s?$/;

/** `--phase NAME=START..END`, in seconds as the trace prints them; sorted by their start. */
export function parsePhases(texts: readonly string[]): readonly ClockPhase[] {
  const phases = texts.map(parseOne).sort((a, b) => (a.startNs < b.startNs ? -1 : 1));
  for (const [at, { startNs, name }] of phases.entries()) {
    const before = phases[at - 1];
    if (before !== undefined && startNs < before.endNs) {
      throw badOption(OPTION, `${name} begins inside ${before.name}`);
    }
  }
  return phases;
}

function parseOne(text: string): ClockPhase {
  const match = FORM.exec(text);
  if (match === null) throw badOption(OPTION, `'${text}' is not of the form NAME=START..END`, HINT);
  const [, given = "", number, start = "", end = ""] = match;
  const name = PHASES.find((one) => one === given);
  if (name === undefined) {
    throw badOption(OPTION, `'${given}' is not a phase (${PHASES.join(", ")})`, HINT);
  }
  if (number !== undefined && name !== "pass") {
    throw badOption(OPTION, `only a pass has a number, not ${name}`, HINT);
  }
  const startNs = nanoseconds(start);
  const endNs = nanoseconds(end);
  if (endNs <= startNs) throw badOption(OPTION, `${name} ends before it begins`, HINT);
  return { name, pass: number === undefined ? undefined : Number(number), startNs, endNs };
}

/** Counted from the trace's base; refuses what lies before the trace. */
export function phasesFrom(baseNs: bigint, phases: readonly ClockPhase[]): readonly GivenPhase[] {
  const given = countedFrom(baseNs, phases);
  const problem = problemOfGiven(given);
  if (problem === undefined) return given;
  const seconds = Number(baseNs / 1000n) / 1e6;
  throw badOption(OPTION, `${problem}; it begins at ${seconds} s`, HINT);
}

/** Exact: seconds of a day in ns do not fit a double's decimals. */
function nanoseconds(seconds: string): bigint {
  const [whole = "0", part = ""] = seconds.split(".");
  return BigInt(whole) * 1_000_000_000n + BigInt(part.padEnd(9, "0"));
}
