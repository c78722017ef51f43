import { SeededRandom } from "../accesses/seeded-random.ts";
import type { Sampling } from "./estimate-types.ts";
import type { Scenario } from "./monte-carlo.ts";

/**
 * The first layer of uncertainty: another trace of the same guest would have been another sample. Stretches of the
 * trace are drawn again, as long as the workload hangs together (moving blocks), with the constants fixed.
 */
export const REPLICATES = 400;
/** Fewer blocks or intervals say nothing about their spread. */
export const LEAST_SAMPLE = 8;

/** Writing pace in each interval of a trace, in order, and how many intervals hang together. */
export interface PaceSample {
  readonly rates: readonly number[];
  readonly blockLength: number;
}

/**
 * Means of the pace over samples that are drawn again by moving blocks, relative to the mean as recorded.
 * Undefined where the trace is too short for two independent blocks.
 */
export function resamplePace(sample: PaceSample, seed: number): readonly number[] | undefined {
  const { rates } = sample;
  const length = Math.max(1, Math.min(rates.length, Math.round(sample.blockLength)));
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  if (rates.length < Math.max(LEAST_SAMPLE, 2 * length) || !(mean > 0)) return undefined;
  const random = new SeededRandom(seed);
  return Array.from({ length: REPLICATES }, () => {
    const order = movingBlocks(rates.length, length, random);
    return order.reduce((sum, at) => sum + rates[at]!, 0) / rates.length / mean;
  });
}

/** Indices of a sample as long as the original one, made of runs of `length`. */
export function movingBlocks(
  count: number,
  length: number,
  random: SeededRandom,
): readonly number[] {
  const order: number[] = [];
  while (order.length < count) {
    const start = random.below(count - length + 1);
    for (let i = 0; i < length && order.length < count; i += 1) order.push(start + i);
  }
  return order;
}

/**
 * Replicates of a scenario: the writer at a pace that is drawn again, and blocks that are.
 * @param paces factors, from `resamplePace`; undefined with the reason where there are none.
 * @param blocksAreSampled the blocks are those of a trace, not given.
 */
export function resample(
  scenario: Scenario,
  paces: { readonly value: readonly number[]; readonly origin: string } | undefined,
  blocksAreSampled: boolean,
  seed: number,
): Sampling {
  const { migration, rollback } = scenario;
  const samplesBlocks =
    blocksAreSampled && rollback !== undefined && rollback.ptes.length >= LEAST_SAMPLE;
  const dirty = migration?.dirty;
  const samplesPace = paces !== undefined && dirty?.kind === "curve";
  if (!samplesBlocks && !samplesPace) {
    const because =
      "nothing was sampled: inputs are given, or the trace is too short to be drawn again";
    return { replicates: [], method: "", because };
  }
  const random = new SeededRandom(seed ^ 0x5eed);
  const replicates = Array.from({ length: REPLICATES }, (_, i): Scenario => {
    const pace = paces?.value[i % paces.value.length] ?? 1;
    return {
      migration:
        migration !== undefined && dirty?.kind === "curve" && samplesPace
          ? { ...migration, dirty: { ...dirty, scale: dirty.scale * pace } }
          : migration,
      rollback: samplesBlocks ? { ...rollback, ptes: drawBlocks(rollback.ptes, random) } : rollback,
    };
  });
  const methods = [
    ...(samplesPace ? [paces.origin] : []),
    ...(samplesBlocks ? [`${rollback.ptes.length} blocks, drawn again by moving blocks`] : []),
  ];
  return { replicates, method: methods.join("; "), because: undefined };
}

/** Runs of about the square root of their number: neighbours in time have neighbouring fills. */
function drawBlocks(ptes: Float64Array, random: SeededRandom): Float64Array {
  const length = Math.max(1, Math.round(Math.sqrt(ptes.length)));
  return Float64Array.from(movingBlocks(ptes.length, length, random), (at) => ptes[at]!);
}
