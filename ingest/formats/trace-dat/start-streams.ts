import type { RandomBytes } from "../../source/random-bytes.ts";
import { PlainBlocks, type PageBlocks } from "./blocks.ts";
import type { CpuRegion } from "./contents.ts";
import { CpuStream } from "./cpu-stream.ts";
import type { DatProblems } from "./dat-problems.ts";
import { PackedBlocks } from "./packed-blocks.ts";
import type { PageLayout } from "./page-layout.ts";
import { type TimeBase, typicalStamp } from "./time-base.ts";
import type { Packing } from "./unpack.ts";

/** What is read ahead of one CPU at most, and of all CPUs together. */
const MAX_BLOCK_BYTES = 256 * 1024;
const ALL_BLOCKS_BYTES = 16 * 1024 * 1024;

/** A stream for each CPU, each in front of its first record; sets the time base. */
export async function startStreams(
  file: RandomBytes,
  regions: readonly CpuRegion[],
  layout: PageLayout,
  packing: Packing | undefined,
  base: TimeBase,
  problems: DatProblems,
): Promise<readonly CpuStream[]> {
  const { littleEndian, pageBytes } = layout;
  const blockBytes = Math.min(MAX_BLOCK_BYTES, Math.floor(ALL_BLOCKS_BYTES / regions.length));
  const streams: CpuStream[] = [];
  const stamps: number[] = [];
  for (const region of regions) {
    const blocks: PageBlocks =
      packing === undefined
        ? new PlainBlocks(file, region, pageBytes, blockBytes, problems)
        : new PackedBlocks(file, region, pageBytes, blockBytes, littleEndian, packing, problems);
    const stream = new CpuStream(region.cpu, blocks, layout, base, problems);
    // Enough for a majority, and few enough to compare each with each.
    if (streams.length < 64) stamps.push(...(await stream.peekStamps()));
    streams.push(stream);
  }
  const [high, low] = typicalStamp(stamps);
  base.set(high, low);
  return streams;
}
