import { GIB, LOG_PAGE_BYTES } from "../migration-input.ts";
import type { Finding, PublishedCase } from "./published-case.ts";

/** Pages of one block of 1 GiB, and what the mail says that each costs. */
const BLOCK_PAGES = GIB / LOG_PAGE_BYTES;
const TLBI_US = 2;
const DCACHE_US = 0.5;
const LONGEST_BEFORE_S = 1.2;
const LONGEST_AFTER_S = 0.016;
const STALL_BEFORE_S = 7;
const STALL_AFTER_S = 1;
const BANDWIDTH = 500e6;
const LIMIT_S = 0.3;

/** s for all pages of one block, both parts of the mail's cost. */
const FULL_BLOCK_S = (BLOCK_PAGES * (TLBI_US + DCACHE_US)) / 1e6;
const TLBI_BLOCK_S = (BLOCK_PAGES * TLBI_US) / 1e6;
const DCACHE_BLOCK_S = (BLOCK_PAGES * DCACHE_US) / 1e6;

function ms(seconds: number): string {
  return `${(seconds * 1000).toFixed(1)} ms`;
}

const FEWEST_BLOCKS = STALL_BEFORE_S / LONGEST_BEFORE_S;
const MOST_BLOCKS = STALL_BEFORE_S / TLBI_BLOCK_S;

const FINDINGS: readonly Finding[] = [
  {
    kind: "derivable",
    value: ms(TLBI_BLOCK_S),
    sentence: "TLBIs of one full block: 262,144 pages × 2 µs (the mail: more than 500 ms)",
  },
  {
    kind: "derivable",
    value: ms(DCACHE_BLOCK_S),
    sentence: "data cache of one full block: 262,144 pages × 0.5 µs",
  },
  { kind: "derivable", value: ms(FULL_BLOCK_S), sentence: "both together" },
  {
    kind: "derivable",
    value: `${(BANDWIDTH * LIMIT_S) / 1e6} MB`,
    sentence:
      "QEMU stops below 500 MB/s × 300 ms; writes of 500 to 1000 MB/s on more memory than that never get there",
  },
  {
    kind: "contradiction",
    value: `${((LONGEST_BEFORE_S / BLOCK_PAGES) * 1e6).toFixed(2)} µs a page`,
    sentence:
      "needed for 1.2 s in one call that unmaps at most 1 GiB; the mail says 2.5 µs: other waiting, or 1.8 times the cost",
  },
  {
    kind: "contradiction",
    value: `${((LONGEST_AFTER_S / BLOCK_PAGES) * 1e9).toFixed(0)} ns a page`,
    sentence:
      "left for everything in 16 ms; 0.5 µs of data cache alone would be 131 ms: no cache was cleaned in that run (FWB)",
  },
  {
    kind: "inferred",
    value: `${FEWEST_BLOCKS.toFixed(1)} to ${MOST_BLOCKS.toFixed(1)} blocks`,
    sentence:
      "of 1 GiB, from 7 s at 1.2 s and at 524 ms each: the number of blocks is TAKEN FROM THE RESULT, so no interval below predicts the 7 s",
  },
  {
    kind: "inferred",
    value: `${(FEWEST_BLOCKS * LONGEST_AFTER_S * 1000).toFixed(0)} to ${(MOST_BLOCKS * LONGEST_AFTER_S * 1000).toFixed(0)} ms`,
    sentence:
      "for the same blocks at 16 ms each: below 1 s, and leaves about 0.8 s to something else",
  },
  {
    kind: "unknown",
    value: undefined,
    sentence:
      "how 7 s was measured (it is a roll-back stall: QEMU's downtime never contains it), blocks and their fill, FWB, kernel and CPU, the stage that failed, the number of runs",
  },
];

/**
 * The mail of July 2020 that brought ranges to stage 2: its figures, what follows from them, what was inferred from
 * the result, and what contradicts itself.
 */
export const YE_2020: PublishedCase = {
  id: "ye-2020",
  title: "192 GiB, 48 vCPUs, 1 GiB pages: a failed migration, before and after a flush by VMID",
  source: "20200709134731.2384-1-yezhenyu2@huawei.com (the resend of 2020-07-24 drops the numbers)",
  reported: [
    { what: "longest unmap", seconds: LONGEST_BEFORE_S, isUpperBound: false, policy: "before" },
    { what: "longest unmap", seconds: LONGEST_AFTER_S, isUpperBound: false, policy: "after" },
    { what: "roll-back stall", seconds: STALL_BEFORE_S, isUpperBound: false, policy: "before" },
    { what: "roll-back stall", seconds: STALL_AFTER_S, isUpperBound: true, policy: "after" },
  ],
  findings: FINDINGS,
  parameters: {
    memoryBytes: 192 * GIB,
    vcpus: 48,
    blockBytes: GIB,
    dirtyBytesPerS: { low: 500e6, high: 1000e6, law: "uniform" },
    bandwidthBytesPerS: BANDWIDTH,
    downtimeLimitS: LIMIT_S,
    hotSetBytes: { low: FEWEST_BLOCKS * GIB, high: MOST_BLOCKS * GIB, law: "uniform" },
    blocks: { low: 4, high: 16, law: "uniform" },
    fill: { low: 0.6, high: 1, law: "uniform" },
  },
  agnostic: {
    blocks: { low: 1, high: 192, law: "log-uniform" },
    fill: { low: 0, high: 1, law: "uniform" },
  },
  before: "legacy-5.8",
  after: "rfc-2020",
};
