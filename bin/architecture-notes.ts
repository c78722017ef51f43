import { TraceError } from "../ingest/errors.ts";
import type { Architecture } from "../replay/architectures/architecture.ts";
import type { ArchitectureFound } from "../replay/architectures/detect.ts";
import type { Log } from "./log.ts";
import type { TraceRun } from "./opened-trace.ts";

/**
 * A policy of one architecture says nothing of another's trace.
 * @throws TraceError BAD_OPTION.
 */
export function refusePoliciesOf(
  architectures: readonly Architecture[],
  { architecture, because }: ArchitectureFound,
  policies: readonly string[],
  path: string,
): void {
  if (architecture === undefined) return;
  for (const id of policies) {
    const owner = architectures.find((one) => one.policies.some((policy) => policy.id === id));
    if (owner === undefined || owner === architecture) continue;
    const sentence = `'${id}' is a policy of ${owner.label}, and ${path} is a trace of ${architecture.label} (${because})`;
    const own = architecture.policies.map((policy) => policy.id).join(", ");
    throw new TraceError("BAD_OPTION", sentence, "--policy", `its policies are ${own}`);
  }
}

/** @throws TraceError WRONG_ARCHITECTURE for a trace of an architecture that is not replayed as stage 2. */
export function refuseOthers({ architecture, because }: ArchitectureFound, path: string): void {
  if (architecture?.start === undefined) return;
  const sentence = `this is a trace of ${architecture.label} (${because}), and only arm64 stage-2 traces are of use here`;
  throw new TraceError("WRONG_ARCHITECTURE", sentence, path);
}

/** Says where a trace holds events of several architectures, or of none. */
export function reportMixture(
  architectures: readonly Architecture[],
  { reader, path, recogniseAll, architecture: used }: TraceRun,
  log: Log,
): void {
  const found = recogniseAll();
  const replayed = used.architecture ?? architectures[0]!;
  if (found.architecture === undefined) {
    log.warn(`${path}: ${found.because} whose KVM recorded it: taken for ${replayed.label}`);
    return;
  }
  log.info(`${path}: a trace of ${replayed.label} (${used.because})`);
  const all = [{ architecture: found.architecture, because: found.because }, ...found.others];
  const others = all.filter(({ architecture }) => architecture !== replayed);
  for (const { architecture, because } of others) {
    const detail = `replayed as ${replayed.label} (${used.because}); ${because} of ${architecture.label}, which were left alone`;
    reader.diagnostics.add("MIXED_ARCHITECTURE", detail);
  }
}
