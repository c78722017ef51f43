import { TraceError } from "../ingest/errors.ts";
import { parseKernelVersion } from "../replay/policies/kernel-version.ts";
import type { Policy } from "../replay/policies/flags.ts";
import type { TraceOptions } from "./trace-options.ts";
import {
  addSavedLosses,
  type OpenedTrace,
  type RunRequest,
  type TraceRun,
} from "./opened-trace.ts";

/** Options that mean something to the replay of stage 2 only. */
const STAGE2_OPTIONS = [
  "cpu",
  "page-size",
  "ipa-bits",
  "nested-pa-bits",
  "start",
  "memslots",
] as const;

/** Replays a trace of an architecture that has rooms of its own. */
export async function runArchitecture(
  { path, file, reader, facts, recognised, log }: OpenedTrace,
  options: TraceOptions,
  userPolicies: readonly Policy[],
  request: RunRequest,
): Promise<TraceRun> {
  const { found } = recognised;
  const architecture = found.architecture!;
  if (userPolicies.length > 0) {
    const sentence = `holds policies of stage 2, and this is a trace of ${architecture.label} (${found.because})`;
    throw new TraceError("BAD_OPTION", sentence, "--policy-file");
  }
  for (const name of STAGE2_OPTIONS) {
    if (options[name] === undefined) continue;
    const sentence = `says nothing of a trace of ${architecture.label} (${found.because})`;
    throw new TraceError("BAD_OPTION", sentence, `--${name}`);
  }
  const release = options.kernel ?? facts.kernelRelease?.value;
  const kernelOrigin = options.kernel === undefined ? facts.kernelRelease?.origin : "--kernel";
  const versionText = options.kernel === undefined ? facts.kernelVersionText?.value : undefined;
  const kernel = release === undefined ? undefined : parseKernelVersion(release, versionText);
  if (release !== undefined && kernel === undefined) {
    throw new TraceError(
      "UNKNOWN_KERNEL",
      `'${release}' (from ${kernelOrigin}) is not a kernel version`,
    );
  }
  const replay = architecture.start!({
    ids: options.policy,
    overrides: options.flag ?? [],
    kernel,
    kernelOrigin: kernelOrigin ?? "unknown",
    compare: request.compare,
    operationsOnly: request.operationsOnly,
    tlb: request.tlb?.(architecture, found.because),
    probedFunctions: facts.probedFunctions?.value,
    pointers: reader.pointers,
    diagnostics: reader.diagnostics,
  });
  for await (const batch of recognised.batches()) {
    request.observe?.(batch);
    replay.consume(batch);
  }
  const result = replay.finish();
  const info = reader.info();
  const probes = await addSavedLosses(file, facts, options, reader);
  if (result.operations === 0 && result.flushes.length === 0) {
    throw new TraceError(
      "NO_EVENTS",
      `none of its ${info.events} events says what ${architecture.label} changed or flushed (${found.because})`,
      file,
      "record kvm_tdp_mmu_spte_changed and a probe of kvm_flush_remote_tlbs: `tlbi-replay capture --arch x86`",
    );
  }
  log.info(
    `${file}: ${info.format} (${info.layout}), ${info.events} events in ${info.lines} lines`,
  );
  return {
    trace: path,
    path: file,
    info,
    reader,
    architecture: found,
    recogniseAll: () => recognised.finish(),
    configuration: {
      settings: [
        { name: "architecture", value: architecture.id, origin: found.because },
        ...replay.settings,
      ],
      assumptions: replay.assumptions,
      recordedPolicy: replay.recordedPolicy,
      kernel,
    },
    policies: replay.policies,
    result,
    explanations: result.explanations,
    inference: undefined,
    facts,
    probes,
  };
}
