import { type Capture, executedByVmid } from "./capture.ts";
import type { CheckResult } from "./checks.ts";
import type { ReplayedCapture } from "./replayed.ts";

/** Instructions of local flushes: without a probe on relax_perms nobody knows of them. */
const LOCAL_INSTRUCTIONS: ReadonlySet<string> = new Set(["ipas2e1", "vmalle1"]);

/** What can be checked of a capture with a guest hypervisor besides; nothing of any other. */
export function checkNested(capture: Capture, replayed: ReplayedCapture): readonly CheckResult[] {
  if (replayed.nested === undefined) return [];
  return [checkUnmaps(capture, replayed), checkVmids(capture, replayed)];
}

/** Every unmap of a shadow table is predicted from the guest's TLBI, and every context that it reaches. */
function checkUnmaps({ name }: Capture, { nested }: ReplayedCapture): CheckResult {
  const { agreement } = nested!;
  const { reached, unmaps, protects } = agreement;
  const problems = agreement.mismatches.map(({ line, detail }) => `line ${line}: ${detail}`);
  if (!agreement.isClean || unmaps.matched !== unmaps.recorded) {
    problems.push(`unmaps: ${JSON.stringify(unmaps)}; contexts: ${JSON.stringify(reached)}`);
  }
  const note = `${unmaps.matched} unmaps and ${protects.matched} write-protects of shadow tables, ${reached.matched} contexts reached (${reached.unknown} before their VMID was shown)`;
  return { name: `${name}: emulated TLBIs`, problems, note };
}

/** Executed instructions with their operands, counted by hardware VMID. */
function checkVmids(capture: Capture, { byVmid, nested }: ReplayedCapture): CheckResult {
  const name = `${capture.name}: instructions by hardware VMID`;
  const executed = executedByVmid(capture);
  if (executed === undefined) return { name, problems: [], skipped: "no tlbi.tsv.gz", note: "" };
  const problems: string[] = [];
  let compared = 0;
  for (const key of new Set([...executed.flushes.keys(), ...byVmid.keys()])) {
    if (capture.unprobed.length > 0 && LOCAL_INSTRUCTIONS.has(key.split(" ")[1]!)) continue;
    const want = executed.flushes.get(key) ?? 0;
    const got = byVmid.get(key) ?? 0;
    compared += want;
    if (want !== got) problems.push(`${key}: ${got} predicted, ${want} executed`);
  }
  // Not every stage-1 TLBI is logged by the emulator: those that are have to agree.
  const stage1 = nested!.agreement.stage1;
  for (const [key, want] of executed.stage1) {
    const got = stage1.get(key) ?? 0;
    compared += want;
    if (want !== got) problems.push(`stage 1, ${key}: ${got} predicted, ${want} executed`);
  }
  return { name, problems, note: `${compared} executed` };
}
