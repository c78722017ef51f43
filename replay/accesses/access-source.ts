/** The pages of one VM that a stream can visit, in order of first sight. */
export interface PagesInUse {
  /** Numbers 0…length − 1 are what a visit names. */
  readonly length: number;
  /** Number of an IPA page; -1 where it is not one of them. */
  indexOf(page: number): number;
}

/** What one vCPU accesses, visit after visit. Nothing is allocated for a visit. */
export interface AccessSource {
  /** Of the last visit: number of its page in the footprint; -1: it lies outside. */
  readonly index: number;
  readonly isWrite: boolean;
  /** Accesses of the visit that are still to be made; who makes them counts them down. */
  left: number;
  /** Draws until one is mapped: 1 where what is drawn is a fact and not a choice. */
  readonly draws: number;
  /** Goes to the next visit; `left` stays 0 where there is none. */
  draw(pages: PagesInUse): void;
}

/** What the vCPUs of one VM access, as one scenario has it. */
export interface GuestStream {
  /** On the average. */
  accessesPerVisit(vcpu: number): number;
  /** Accesses that are due in a stretch of guest time of a vCPU, at its pace or by recorded times. */
  due(vcpu: number, vcpus: number, fromNs: number, toNs: number): number;
  source(vcpu: number, vcpus: number): AccessSource;
  /** How the draws are shared among the pages, where they are independent draws. */
  eachRate?(pages: PagesInUse, visit: (index: number, rate: number) => void): void;
}
