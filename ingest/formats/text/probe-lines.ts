import type { EventBatch } from "../../events/columns.ts";
import { EventKind } from "../../events/kinds.ts";
import type { PointerTable } from "../../events/pointers.ts";
import { clearRow } from "../../events/rows.ts";
import { ArgumentPlan } from "./argument-plan.ts";
import { ArgumentReader, Outcome } from "./argument-reader.ts";
import { endOfValue, goesOn } from "./value-end.ts";
import { EQUALS, literal, matchesAt, PAREN_CLOSE, PAREN_OPEN, SPACE, textOf } from "../bytes.ts";
import { matchesWordsAt } from "../words.ts";
import type { EventName } from "./event-names.ts";
import type { LostProbe, ProbePlaces } from "./probe-places.ts";
import type { ProbePoint } from "./probe-point.ts";
import type { LineProblems } from "./problems.ts";

/** What became of a line that looks like a probe's. */
export const ProbeLine = { event: 0, notProbe: 1, lost: 2 } as const;

/** A location is two symbols and two modules at most. */
const MAX_LOCATION_BYTES = 1200;
/** `__probe_ip=`, `__probe_func=`, `__probe_ret_ip=`: what is printed field by field. */
const PROBE_FIELD = literal("__probe_");

/** Reads lines of kprobes, kretprobes, fprobes and uprobes: `(location) name=value …`. */
export class ProbeLines {
  /** Set where the last line's text goes on in the next line; whoever saw that takes it back. */
  isOpen = false;
  readonly #arguments: ArgumentReader;
  readonly #problems: LineProblems;
  readonly #places: ProbePlaces;
  /** Of (function, argument) pairs and probe remarks already given as an example. */
  readonly #said = new Set<string>();

  constructor(pointers: PointerTable, problems: LineProblems, places: ProbePlaces) {
    this.#places = places;
    this.#arguments = new ArgumentReader(pointers);
    this.#problems = problems;
  }

  /**
   * Reads the text `from`…`end`, which begins with `(` or `_`, into row `row`.
   * @returns a value of ProbeLine; `lost` has been reported.
   */
  read(
    name: EventName,
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): number {
    let probe = name.probe;
    if (probe === undefined || !standsAt(probe, bytes, from, end)) {
      const found = findProbe(name, bytes, from, end, this.#places);
      if (found === undefined) return ProbeLine.notProbe;
      if ("lost" in found) {
        this.#problems.add("UNPARSED_LINE", found.lost, bytes, from, end);
        return ProbeLine.lost;
      }
      probe = found;
      name.probe = probe;
    }
    batch.kind[row] = probe.kind;
    if (probe.meaning === undefined) {
      if (probe.remark !== undefined) this.#remark("UNSUPPORTED_EVENT", probe.remark);
      this.isOpen = endsInOpenText(bytes, from + probe.location.length, end);
      return ProbeLine.event;
    }
    const argumentsFrom = from + probe.location.length;
    if (probe.plan !== undefined) {
      const outcome = this.#tryPlan(probe, probe.plan, bytes, argumentsFrom, end, batch, row);
      if (outcome !== Outcome.otherArguments) return ProbeLine.event;
      clearRow(batch, row);
    }
    const plan = planFor(probe, bytes, argumentsFrom, end);
    probe.plan = plan;
    const outcome = this.#tryPlan(probe, plan, bytes, argumentsFrom, end, batch, row);
    if (outcome === Outcome.otherArguments) {
      // The list cannot be told apart, as where text in quotes imitates arguments.
      this.#demote(
        batch,
        row,
        "BAD_NUMBER",
        "arguments that are not a list of name=value",
        bytes,
        from,
        end,
      );
    }
    return ProbeLine.event;
  }

  /**
   * Reads a line of a probe whose location and arguments are those of the last line of this name,
   * without knowing where the line ends. Gives the line end, or -1 where it is another line; then the
   * row is as it was.
   */
  readLikeLast(
    name: EventName,
    bytes: Uint8Array,
    from: number,
    fill: number,
    batch: EventBatch,
    row: number,
  ): number {
    const { probe } = name;
    if (probe?.plan?.isClean !== true || !standsAt(probe, bytes, from, fill)) return -1;
    const argumentsFrom = from + probe.location.length;
    const outcome = this.#arguments.read(probe.plan, bytes, argumentsFrom, fill, batch, row);
    if (outcome !== Outcome.done || this.#arguments.isOpen) {
      this.#arguments.isOpen = false;
      clearRow(batch, row);
      return -1;
    }
    batch.kind[row] = probe.kind;
    return this.#arguments.listEnd;
  }

  #tryPlan(
    probe: ProbePoint,
    plan: ArgumentPlan,
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): number {
    const outcome = this.#arguments.read(plan, bytes, from, end, batch, row);
    this.isOpen = this.#arguments.isOpen;
    this.#arguments.isOpen = false;
    if (outcome === Outcome.otherArguments) return outcome;
    for (const unknown of plan.unknown) {
      this.#remark("UNKNOWN_ARGUMENT", `\`${unknown}\` of ${probe.symbol}`);
    }
    if (outcome === Outcome.badValue) {
      const argument = plan.names[this.#arguments.badArgument]!;
      const reason = `\`${argument}\` of ${probe.symbol} is not a number that fits`;
      this.#demote(batch, row, "BAD_NUMBER", reason, bytes, from, end);
    } else if (plan.problem !== undefined) {
      const reason = `${probe.symbol}: ${plan.problem}`;
      this.#demote(batch, row, "MISSING_ARGUMENT", reason, bytes, from, end);
    } else if (outcome === Outcome.noContext) {
      const reason = `${probe.symbol}: each of its pointers is NULL`;
      this.#demote(batch, row, "MISSING_ARGUMENT", reason, bytes, from, end);
    }
    return Outcome.done;
  }

  /** An event that cannot be replayed must not be replayed wrongly: it becomes `other`. */
  #demote(
    batch: EventBatch,
    row: number,
    code: "BAD_NUMBER" | "MISSING_ARGUMENT",
    reason: string,
    bytes: Uint8Array,
    from: number,
    end: number,
  ): void {
    clearRow(batch, row);
    batch.kind[row] = EventKind.other;
    this.#problems.add(code, reason, bytes, from, end);
  }

  #remark(code: "UNKNOWN_ARGUMENT" | "UNSUPPORTED_EVENT", detail: string): void {
    if (this.#said.has(detail)) {
      this.#problems.again(code);
      return;
    }
    this.#said.add(detail);
    this.#problems.note(code, detail);
  }
}

/** A location ends with its only `)`, so one that stands here as a prefix stands here whole. */
function standsAt(probe: ProbePoint, bytes: Uint8Array, from: number, end: number): boolean {
  const { location, locationWords } = probe;
  return from + location.length <= end && matchesWordsAt(bytes, from, location, locationWords);
}

function findProbe(
  name: EventName,
  bytes: Uint8Array,
  from: number,
  end: number,
  places: ProbePlaces,
): ProbePoint | LostProbe | undefined {
  const known = name.probes.find((probe) => standsAt(probe, bytes, from, end));
  if (known !== undefined) return known;
  const location = locationAt(bytes, from, end);
  if (location === undefined) return undefined;
  const found = places.pointOf(name, location);
  if (found !== undefined && !("lost" in found)) name.probes.push(found);
  return found;
}

/** `(…)` up to its only `)`, or the address fields in its place; undefined where there is neither. */
function locationAt(bytes: Uint8Array, from: number, end: number): Uint8Array | undefined {
  const limit = Math.min(end, from + MAX_LOCATION_BYTES);
  if (bytes[from] === PAREN_OPEN) {
    const close = bytes.subarray(from, limit).indexOf(PAREN_CLOSE);
    return close < 0 ? undefined : bytes.slice(from, from + close + 1);
  }
  let at = from;
  while (startsField(bytes, at, limit)) {
    while (at < limit && bytes[at] !== SPACE) at += 1;
    if (!startsField(bytes, at + 1, limit)) return bytes.slice(from, at);
    at += 1;
  }
  return undefined;
}

function startsField(bytes: Uint8Array, at: number, limit: number): boolean {
  return at + PROBE_FIELD.length <= limit && matchesAt(bytes, at, PROBE_FIELD);
}

/** Whether the last of the values at `from`…`end` goes on in the next line. */
function endsInOpenText(bytes: Uint8Array, from: number, end: number): boolean {
  let at = from;
  while (at < end && bytes[at] === SPACE) {
    const equals = bytes.subarray(at, end).indexOf(EQUALS);
    if (equals < 0) return false;
    const valueFrom = at + equals + 1;
    at = endOfValue(bytes, valueFrom, end);
    if (at === end) return goesOn(bytes, valueFrom, at);
  }
  return false;
}

/** The plan for the arguments that stand at `from`, made if this is the first line that has them. */
function planFor(probe: ProbePoint, bytes: Uint8Array, from: number, end: number): ArgumentPlan {
  const names: string[] = [];
  let at = from;
  while (at < end && bytes[at] === SPACE) {
    const equals = bytes.subarray(at, end).indexOf(EQUALS);
    if (equals < 0) break;
    names.push(textOf(bytes, at + 1, at + equals));
    at = endOfValue(bytes, at + equals + 1, end);
  }
  const known = probe.plans.find((plan) => plan.isFor(names));
  if (known !== undefined) return known;
  const plan = new ArgumentPlan(names, probe.meaning!, probe.declared);
  probe.plans.push(plan);
  return plan;
}
