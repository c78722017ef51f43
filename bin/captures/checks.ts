import { PRIMITIVES, Primitive } from "../../replay/tlbi/primitives.ts";
import { type Capture, executedByCpu, traceOf } from "./capture.ts";
import { checkNested } from "./nested-checks.ts";
import { type ReplayedCapture, replayCapture } from "./replayed.ts";
import type { CheckResult } from "./check-result.ts";
import { checkX86Capture } from "./x86/checks.ts";

export type { CheckResult } from "./check-result.ts";

const PAGE_TABLE_PRIMITIVES = PRIMITIVES.slice(0, Primitive.RANGE + 1);

/** Everything that can be checked of one capture on its own. */
export async function checkCapture(capture: Capture): Promise<readonly CheckResult[]> {
  const { name } = capture;
  const skip = (skipped: string): readonly CheckResult[] => [
    { name, problems: [], skipped, note: "" },
  ];
  if (capture.isX86) return await checkX86Capture(capture);
  if (!capture.isArm64) return skip("neither arm64 nor x86");
  const trace = traceOf(capture);
  if (trace === undefined) return skip("no trace");
  if (capture.unprobed.length > 0) {
    const functions = capture.unprobed.join(" and ");
    const partial = await replayCapture(trace, undefined);
    const nested = checkNested(capture, partial);
    if (nested.length > 0) return [checkCalls(`${name}: calls`, partial), ...nested];
    return skip(`not comparable: its probe list says that ${functions} could not be probed`);
  }
  const replayed = await replayCapture(trace, undefined);
  if (replayed.reader.info().events === 0) return skip("its trace holds no events");
  if (replayed.reader.diagnostics.hasDataLoss) return [checkBounds(capture, replayed)];
  const operationsOnly = await replayCapture(trace, undefined, true);
  return [
    checkCalls(`${name}: calls`, replayed),
    checkCalls(`${name}: calls, operations only`, operationsOnly),
    checkInstructionCounts(capture, replayed),
    checkOperands(capture, replayed),
    ...checkNested(capture, replayed),
  ];
}

/** Predicted and recorded calls agree one by one; nVHE records none, and then nothing is claimed. */
function checkCalls(name: string, replayed: ReplayedCapture): CheckResult {
  const fit = replayed.result.fits[0]!;
  const problems: string[] = [];
  if (!replayed.result.primitivesRecorded) {
    return { name, problems, skipped: "no probes on the flush functions", note: "" };
  }
  for (const primitive of PAGE_TABLE_PRIMITIVES) {
    const { recorded, matched, missed, spurious, unknown } = fit.calls[primitive];
    if (matched !== recorded || missed + spurious + unknown > 0) {
      problems.push(
        `${primitive}: ${recorded} recorded, ${matched} matched, ${missed} missed, ${spurious} spurious, ${unknown} unknown`,
      );
    }
  }
  const cpu = fit.calls.CPU;
  if (cpu.spurious > 0 || cpu.missed > 0 || cpu.matched + cpu.unknown !== cpu.recorded) {
    problems.push(`CPU: ${JSON.stringify(cpu)}`);
  }
  if (fit.hintMismatches > 0) problems.push(`${fit.hintMismatches} level hints differ`);
  for (const { kind, line, detail } of fit.mismatches)
    problems.push(`${kind} at line ${line}: ${detail}`);
  const note = `${fit.matched} calls of ${fit.policy}, ${cpu.matched} of ${cpu.recorded} vCPU switches`;
  return { name, problems, note };
}

/** Predicted instructions, those of vCPU switches too, equal the executed ones in number. */
function checkInstructionCounts(capture: Capture, replayed: ReplayedCapture): CheckResult {
  const policy = replayed.result.fits[0]!.policy;
  const predicted = new Map(
    replayed.result.instructions
      .filter((row) => row.policy === policy)
      .map((row) => [row.instruction as string, row.count]),
  );
  const unknownSwitches = replayed.result.fits[0]!.calls.CPU.unknown > 0;
  const problems: string[] = [];
  for (const instruction of new Set([...predicted.keys(), ...capture.executed.keys()])) {
    if (instruction === "vmalle1" && unknownSwitches && replayed.result.primitivesRecorded)
      continue;
    const expected = capture.executed.get(instruction) ?? 0;
    const got = predicted.get(instruction) ?? 0;
    if (expected !== got) problems.push(`${instruction}: ${got} predicted, ${expected} executed`);
  }
  const total = [...capture.executed.values()].reduce((sum, n) => sum + n, 0);
  return { name: `${capture.name}: instruction counts`, problems, note: `${total} executed` };
}

/** The operands of each CPU's instructions are predicted bit by bit and in order. */
function checkOperands(capture: Capture, replayed: ReplayedCapture): CheckResult {
  const name = `${capture.name}: operands`;
  const executed = executedByCpu(capture);
  if (executed === undefined) return { name, problems: [], skipped: "no tlbi.tsv.gz", note: "" };
  const problems: string[] = [];
  let compared = 0;
  for (const cpu of new Set([...executed.keys(), ...replayed.predictedByCpu.keys()])) {
    const want = executed.get(cpu) ?? [];
    const got = replayed.predictedByCpu.get(cpu) ?? [];
    compared += want.length;
    const at = want.findIndex((text, i) => text !== got[i]);
    if (at >= 0 || want.length !== got.length) {
      const i = at >= 0 ? at : Math.min(want.length, got.length);
      problems.push(
        `CPU ${cpu}: ${got.length} predicted, ${want.length} executed; first difference at ${i}: ${got[i] ?? "nothing"} predicted, ${want[i] ?? "nothing"} executed`,
      );
    }
  }
  return { name, problems, note: `${compared} operands in order` };
}

/** With losses: nothing contradicted, the loss named, and certain counts not above what was executed. */
function checkBounds(capture: Capture, replayed: ReplayedCapture): CheckResult {
  const fit = replayed.result.fits[0]!;
  const problems: string[] = [];
  if (fit.missed + fit.spurious > 0) {
    problems.push(`${fit.missed} missed, ${fit.spurious} spurious in what the trace still has`);
  }
  for (const row of replayed.result.instructions) {
    if (row.policy !== fit.policy) continue;
    const executed = capture.executed.get(row.instruction) ?? 0;
    if (row.count > executed) {
      problems.push(`${row.instruction}: ${row.count} predicted, only ${executed} executed`);
    }
  }
  const losses = [...replayed.reader.diagnostics.counts()].map(([code, n]) => `${code} ${n}`);
  const note = `${fit.matched} matched, ${fit.unknown} unknown; losses: ${losses.join(", ")}`;
  return { name: `${capture.name}: bounds under loss`, problems, note };
}
