import type { Capture } from "./capture.ts";
import { traceOf } from "./capture.ts";
import type { CheckResult } from "./checks.ts";
import { instructionsOf, type ReplayedCapture, replayCapture, type UnmapCall } from "./replayed.ts";

/**
 * The same work recorded on several systems: a trace of one, replayed as another, must give the
 * other's instructions. Where the kernels were asked for different unmaps (the loop is open), each
 * unmap that only one of them has is named and its instructions are set off one by one; nothing else
 * may differ.
 */
export async function checkCrossPredictions(
  captures: readonly Capture[],
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const group of groupsOfEqualWork(captures)) {
    const own = await Promise.all(
      group.map((capture) => replayCapture(traceOf(capture)!, undefined)),
    );
    for (const [i, source] of group.entries()) {
      for (const [j, target] of group.entries()) {
        if (i !== j) results.push(await checkPair(source, target, own[j]!));
      }
    }
  }
  return results;
}

function groupsOfEqualWork(captures: readonly Capture[]): readonly (readonly Capture[])[] {
  const byWork = new Map<string, Capture[]>();
  for (const capture of captures) {
    // Only a scripted driver does the same on every machine; it writes its operations as markers.
    if (!capture.isArm64 || !/ op=/.test(capture.workload)) continue;
    if (traceOf(capture) === undefined || capture.unprobed.length > 0) continue;
    byWork.set(capture.workload, [...(byWork.get(capture.workload) ?? []), capture]);
  }
  return [...byWork.values()].filter((group) => group.length > 1);
}

async function checkPair(
  source: Capture,
  target: Capture,
  targetRun: ReplayedCapture,
): Promise<CheckResult> {
  const policy = targetRun.configuration.recordedPolicy!;
  const features = targetRun.configuration.recordedFeatures;
  const sourceRun = await replayCapture(traceOf(source)!, { policy, features });
  const [onlySource, onlyTarget] = unmapsOfOneOnly(sourceRun.unmaps, targetRun.unmaps);
  const got = without(instructionsOf(sourceRun), sourceRun, onlySource);
  const want = without(instructionsOf(targetRun), targetRun, onlyTarget);
  const problems: string[] = [];
  for (const instruction of new Set([...got.keys(), ...want.keys()])) {
    const a = got.get(instruction) ?? 0;
    const b = want.get(instruction) ?? 0;
    if (a !== b) problems.push(`${instruction}: ${a} predicted, ${b} in ${target.name}`);
  }
  const total = [...want.values()].reduce((sum, n) => sum + n, 0);
  return {
    name: `${source.name} replayed as ${target.name} (${policy.id})`,
    problems,
    note: `${total} instructions equal; unmaps only in ${source.name}: ${listed(onlySource)}; only in ${target.name}: ${listed(onlyTarget)}`,
  };
}

function listed(unmaps: readonly UnmapCall[]): string {
  if (unmaps.length === 0) return "none";
  const shown = unmaps
    .slice(0, 3)
    .map(({ addr, len }) => `0x${addr.toString(16)}+0x${len.toString(16)}`);
  return `${unmaps.length} (${shown.join(", ")}${unmaps.length > 3 ? ", …" : ""})`;
}

function key({ table, addr, len }: UnmapCall): string {
  return `${table} ${addr} ${len}`;
}

/** Unmap calls that are in one sequence only, by their longest common subsequence. */
function unmapsOfOneOnly(
  a: readonly UnmapCall[],
  b: readonly UnmapCall[],
): readonly [readonly UnmapCall[], readonly UnmapCall[]] {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] =
        key(a[i]!) === key(b[j]!)
          ? 1 + lengths[(i + 1) * width + j + 1]!
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const onlyA: UnmapCall[] = [];
  const onlyB: UnmapCall[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && key(a[i]!) === key(b[j]!)) {
      i += 1;
      j += 1;
    } else if (
      j >= b.length ||
      (i < a.length && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!)
    ) {
      onlyA.push(a[i]!);
      i += 1;
    } else {
      onlyB.push(b[j]!);
      j += 1;
    }
  }
  return [onlyA, onlyB];
}

function without(
  counts: ReadonlyMap<string, number>,
  replayed: ReplayedCapture,
  unmaps: readonly UnmapCall[],
): ReadonlyMap<string, number> {
  const rest = new Map(counts);
  for (const { line } of unmaps) {
    for (const [instruction, n] of replayed.byLine.get(line) ?? []) {
      rest.set(instruction, (rest.get(instruction) ?? 0) - n);
    }
  }
  return rest;
}
