import type { Evidence, StopInput } from "../migration/inputs.ts";
import type { Timeline } from "./timeline.ts";

/** A stop that ended is the switch-over that failed only where logging ends so shortly after it. */
const SOON_NS = 1e9;
/** An idle guest that nobody took out of KVM_RUN looks stopped for less than this. */
const LEAST_INFERRED_NS = 10e6;
/** Most stops that are listed. */
const MAX_STOPS = 1024;

interface Stop {
  readonly startNs: number;
  readonly vcpus: number;
  readonly kicked: number;
  readonly line: number;
  /** Of its phase in the timeline. */
  readonly place: number;
  endNs: number | undefined;
  clears: number;
}

/**
 * Times in which all vCPUs of a VM stand still while dirty logging is on. Throttling stops them too, again and
 * again: only the last stop is the blackout, so a stop is dissolved when clearing goes on after it.
 */
export class Stops {
  readonly listed: StopInput[] = [];
  readonly #timeline: Timeline;
  #open: Stop | undefined;
  /** The last one that ended, while nothing shows that it was not the last of all. */
  #last: Stop | undefined;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  get isStopped(): boolean {
    return this.#open !== undefined;
  }

  /** `kicked`: vCPUs that a signal took out; 0: inferred from what does not happen. */
  begin(tsNs: number, vcpus: number, kicked: number, line: number): void {
    this.#dissolveLast();
    const start: Evidence = {
      what:
        kicked > 0
          ? "the last vCPU left KVM_RUN, taken out by a signal"
          : "no vCPU entered the guest behind this",
      line,
      confidence: kicked > 0 ? "recorded" : "inferred",
    };
    this.#timeline.open("blackout", undefined, tsNs, start);
    const { place } = this.#timeline;
    this.#open = { startNs: tsNs, endNs: undefined, vcpus, kicked, clears: 0, line, place };
  }

  /** Dirty pages are collected. */
  clears(): void {
    this.#dissolveLast();
    if (this.#open !== undefined) this.#open.clears += 1;
  }

  /** A vCPU entered the guest again. `pass`: of the logging that goes on; undefined where it is off. */
  end(tsNs: number, pass: number | undefined, line: number): void {
    const stop = this.#open;
    if (stop === undefined) return;
    this.#open = undefined;
    stop.endNs = tsNs;
    this.#list(stop);
    if (pass !== undefined) this.#last = stop;
    this.#timeline.rejoin(stop.place);
    const start: Evidence = {
      what: "a vCPU entered the guest again",
      line,
      confidence: "recorded",
    };
    this.#timeline.open(pass === undefined ? "run" : "pass", pass, tsNs, start);
  }

  /** Logging ended: was the last stop the switch-over that failed? */
  judge(tsNs: number): void {
    const stop = this.#last;
    if (stop === undefined) return;
    const endNs = stop.endNs ?? tsNs;
    const isFollowedSoon = tsNs - endNs <= SOON_NS;
    const isLong = stop.clears > 0 && endNs - stop.startNs >= LEAST_INFERRED_NS;
    if (!isFollowedSoon || (stop.kicked === 0 && !isLong)) this.#dissolveLast();
    this.#last = undefined;
  }

  /** The VM or the trace ended: lists the stop that did not; one that ended was not the blackout. */
  finish(isLogging: boolean): void {
    if (this.#open !== undefined) this.#list(this.#open);
    if (isLogging) this.#dissolveLast();
  }

  #list({ startNs, endNs, vcpus, kicked, clears, line }: Stop): void {
    if (this.listed.length < MAX_STOPS) {
      this.listed.push({ startNs, endNs, vcpus, kicked, clears, line });
    }
  }

  #dissolveLast(): void {
    if (this.#last === undefined) return;
    this.#timeline.dissolve(this.#last.place);
    this.#last = undefined;
  }
}
