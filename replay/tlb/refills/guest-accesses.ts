import type { AccessSource, GuestStream } from "../../accesses/access-source.ts";

/** What one VM accesses in one world, and how much of it is still to be simulated. */
export class GuestAccesses {
  /** Visits of simulated episodes that came too late behind their flush to be made. */
  visitsCut = 0;
  #isStopped = false;
  readonly #stream: GuestStream;
  readonly #mostVisits: number;
  /** By PE: visits until its TLB counts as warm, and the part of an access that is due. */
  readonly #leftVisits: number[] = [];
  readonly #carry: number[] = [];

  /** @param mostVisits simulated on a PE after a flush. */
  constructor(stream: GuestStream, mostVisits: number) {
    this.#stream = stream;
    this.#mostVisits = mostVisits;
  }

  /** A flush is simulated: what is accessed behind it on this PE is too. @param share of the most visits. */
  renew(slot: number, share = 1): void {
    this.#isStopped = false;
    this.#leftVisits[slot] = this.#mostVisits * share;
  }

  extend(slot: number, factor: number): void {
    this.#leftVisits[slot] = (this.#leftVisits[slot] ?? 0) * factor;
  }

  /** Nothing is simulated until the next flush that is. */
  stop(): void {
    this.#isStopped = true;
    this.#leftVisits.fill(0);
  }

  /** Whole accesses to be made now, by a vCPU that was in the guest on a PE. */
  take(slot: number, vcpu: number, vcpus: number, fromNs: number, toNs: number): number {
    const due = this.#stream.due(vcpu, vcpus, fromNs, toNs) + (this.#carry[slot] ?? 0);
    const whole = Math.floor(due);
    this.#carry[slot] = due - whole;
    const left = this.#leftVisits[slot] ?? this.#mostVisits;
    const perVisit = this.#stream.accessesPerVisit(vcpu);
    const now = Math.min(Math.ceil(left * perVisit), whole);
    this.#leftVisits[slot] = Math.max(0, left - now / perVisit);
    if (!this.#isStopped) this.visitsCut += (whole - now) / perVisit;
    return now;
  }

  source(vcpu: number, vcpus: number): AccessSource {
    return this.#stream.source(vcpu, vcpus);
  }
}
