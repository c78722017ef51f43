import { PHASES } from "../../replay/migration/inputs.ts";
import { type GivenPhase, problemOfGiven } from "../../replay/phases/given-phases.ts";
import { badOption, type RawValue, repeated } from "../values.ts";

const OPTION = "phase";
const HINT = "write it like pass1=3.5..9.25s, blackout=9.25..9.5s or rollback=9.5..12s";

/** `--phase`: phases that the user knows better than the trace shows, in seconds since its first event. */
export function parsePhases(raw: RawValue): readonly GivenPhase[] {
  const phases = repeated(OPTION, raw).map(parsePhase);
  phases.sort((a, b) => a.startNs - b.startNs);
  const problem = problemOfGiven(phases);
  if (problem !== undefined) throw badOption(OPTION, problem, HINT);
  return phases;
}

function parsePhase(text: string): GivenPhase {
  const match = /^([a-z]+)(\d+)?=(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)s$/.exec(text);
  if (match === null) throw badOption(OPTION, `'${text}' is no phase`, HINT);
  const [, given = "", number, from, to] = match;
  const name = PHASES.find((one) => one === given);
  if (name === undefined) {
    throw badOption(OPTION, `'${given}' is not one of ${PHASES.join(", ")}`, HINT);
  }
  if ((name === "pass") !== (number !== undefined)) {
    throw badOption(OPTION, `'${text}': passes have a number, other phases none`, HINT);
  }
  const pass = number === undefined ? undefined : Number(number);
  return { name, pass, startNs: Number(from) * 1e9, endNs: Number(to) * 1e9 };
}
