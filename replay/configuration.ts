import { CPU_FEATURES, type CpuFeature, type HostFacts } from "../ingest/beside/host-facts.ts";
import { TraceError } from "../ingest/errors.ts";
import type { StartAssumption } from "./contexts/registry.ts";
import { PRIMITIVE_FUNCTIONS } from "./needs/known-functions.ts";
import type { RequestMode } from "./operations/brackets.ts";
import { type CpuFeatures, featuresFrom } from "./policies/features.ts";
import type { Policy } from "./policies/flags.ts";
import {
  formatKernelVersion,
  isAtLeast,
  type KernelVersion,
  parseKernelVersion,
} from "./policies/kernel-version.ts";
import {
  hasTwoExecuteBits,
  mapToleratesUnchanged,
  policyOfKernel,
} from "./policies/version-map.ts";
import type { ReplayConfig } from "./replay.ts";
import { type PageShift, pageShiftOf } from "./stage2/geometry.ts";

/** What the user said; undefined where nothing was. */
export interface ConfigurationRequest {
  readonly kernel: string | undefined;
  readonly cpu: readonly CpuFeature[] | undefined;
  readonly pageSizeBytes: number | undefined;
  readonly ipaBits: number | undefined;
  readonly start: StartAssumption | undefined;
  readonly operationsOnly: boolean;
}

/** An effective value and where it comes from. */
export interface Setting {
  readonly name: string;
  readonly value: string | number | boolean | readonly string[] | null;
  readonly origin: string;
}

/** The recorded machine as far as it is known, and all settings with their origins. */
export interface Configuration {
  readonly kernel: KernelVersion | undefined;
  /** What the recorded kernel does; undefined where the kernel is not known. */
  readonly recordedPolicy: Policy | undefined;
  /** Features that policies are replayed with, and those of the recorded machine. */
  readonly features: CpuFeatures;
  readonly recordedFeatures: CpuFeatures;
  readonly pageShift: PageShift;
  readonly ipaBits: number | undefined;
  readonly start: StartAssumption;
  readonly requestMode: RequestMode;
  readonly primitivesProbed: boolean | undefined;
  readonly settings: readonly Setting[];
  /** Sentences for the person who reads the result. */
  readonly assumptions: readonly string[];
}

/** Where nothing says what the CPU has: an Armv8.4 server without LPA2 in use. */
const ASSUMED_FEATURES: readonly CpuFeature[] = ["tlbirange", "fwb", "ttl"];

const REQUEST_FUNCTIONS = [
  "kvm_flush_remote_tlbs",
  "kvm_flush_remote_tlbs_range",
  "kvm_flush_remote_tlbs_memslot",
  "kvm_arch_flush_remote_tlbs",
  "kvm_arch_flush_remote_tlbs_range",
  "kvm_arch_flush_remote_tlbs_memslot",
];

/** Order of trust: an option, what was saved beside the trace, an assumption (which is said). */
export function resolveConfiguration(
  request: ConfigurationRequest,
  facts: HostFacts,
): Configuration {
  const settings: Setting[] = [];
  const assumptions: string[] = [];
  const kernel = resolveKernel(request, facts, settings, assumptions);
  const recordedFeatures = resolveFeatures(request, facts, settings, assumptions);
  const pageShift = resolvePageShift(request, facts, settings, assumptions);
  const probed = facts.probedFunctions?.value;
  const has = (functions: readonly string[]): boolean | undefined =>
    probed === undefined ? undefined : functions.some((name) => probed.includes(name));
  const start = request.start ?? "auto";
  settings.push({ name: "start", value: start, origin: request.start ? "--start" : "default" });
  settings.push({
    name: "ipa_bits",
    value: request.ipaBits ?? null,
    origin:
      request.ipaBits === undefined
        ? "default: 40, unless the trace shows otherwise"
        : "--ipa-bits",
  });
  if (request.ipaBits === undefined) {
    assumptions.push(
      "VMs have 40 bits of IPA (KVM's default), unless freed tables show a higher start level",
    );
  }
  if (facts.hypMode !== undefined) {
    settings.push({ name: "hyp_mode", value: facts.hypMode.value, origin: facts.hypMode.origin });
  }
  return {
    kernel,
    recordedPolicy: kernel === undefined ? undefined : policyOfKernel(kernel),
    features: request.cpu === undefined ? recordedFeatures : featuresFrom(request.cpu),
    recordedFeatures,
    pageShift,
    ipaBits: request.ipaBits,
    start,
    requestMode: requestMode(request.operationsOnly, has(REQUEST_FUNCTIONS)),
    primitivesProbed: has(PRIMITIVE_FUNCTIONS),
    settings,
    assumptions,
  };
}

/** A replay of these policies on the resolved machine. */
export function replayConfig(
  configuration: Configuration,
  policies: readonly Policy[],
  compare: boolean,
): ReplayConfig {
  const { features, recordedFeatures, recordedPolicy, kernel } = configuration;
  return {
    pageShift: configuration.pageShift,
    policies: policies.map((policy) => ({ policy, features })),
    reference:
      recordedPolicy === undefined
        ? undefined
        : { policy: recordedPolicy, features: recordedFeatures },
    compare,
    requestMode: configuration.requestMode,
    primitivesProbed: configuration.primitivesProbed,
    start: configuration.start,
    ipaBits: configuration.ipaBits,
    hasTwoExecuteBits: kernel !== undefined && hasTwoExecuteBits(kernel),
    requestsNameRanges: kernel !== undefined && isAtLeast(kernel, 6, 6),
    mapToleratesUnchanged: kernel !== undefined && mapToleratesUnchanged(kernel),
  };
}

function requestMode(operationsOnly: boolean, probed: boolean | undefined): RequestMode {
  if (operationsOnly || probed === false) return "ignored";
  return probed === true ? "recorded" : "detect";
}

function resolveKernel(
  request: ConfigurationRequest,
  facts: HostFacts,
  settings: Setting[],
  assumptions: string[],
): KernelVersion | undefined {
  const release = request.kernel ?? facts.kernelRelease?.value;
  if (release === undefined) {
    settings.push({ name: "kernel", value: null, origin: "unknown" });
    assumptions.push(
      "the recorded kernel is not known (--kernel): probe arguments are read as those of 6.17 and older",
    );
    return undefined;
  }
  const origin = request.kernel === undefined ? facts.kernelRelease!.origin : "--kernel";
  const versionText = request.kernel === undefined ? facts.kernelVersionText?.value : undefined;
  const version = parseKernelVersion(release, versionText);
  if (version === undefined) {
    throw new TraceError(
      "UNKNOWN_KERNEL",
      `'${release}' (from ${origin}) is not a kernel version`,
      undefined,
      "give the version with --kernel, like uname -r prints it",
    );
  }
  settings.push({ name: "kernel", value: formatKernelVersion(version), origin });
  if (version.distributor === "rhel") {
    assumptions.push(
      `${release} carries its distributor's back-ports, which the version does not tell: name the policy (--policy)`,
    );
  }
  return version;
}

function resolveFeatures(
  request: ConfigurationRequest,
  facts: HostFacts,
  settings: Setting[],
  assumptions: string[],
): CpuFeatures {
  if (request.cpu !== undefined) {
    settings.push({ name: "cpu", value: [...request.cpu], origin: "--cpu" });
  }
  const recorded = facts.cpuFeatures;
  if (recorded !== undefined) {
    const name = request.cpu === undefined ? "cpu" : "recorded_cpu";
    settings.push({ name, value: sortedFeatures(recorded.value), origin: recorded.origin });
    return featuresFrom(recorded.value);
  }
  if (request.cpu !== undefined) return featuresFrom(request.cpu);
  settings.push({ name: "cpu", value: [...ASSUMED_FEATURES], origin: "assumed" });
  assumptions.push(
    `nothing says which features the CPU has: ${ASSUMED_FEATURES.join(", ")} are assumed (--cpu)`,
  );
  return featuresFrom(ASSUMED_FEATURES);
}

function sortedFeatures(features: readonly CpuFeature[]): readonly CpuFeature[] {
  return CPU_FEATURES.filter((name) => features.includes(name));
}

function resolvePageShift(
  request: ConfigurationRequest,
  facts: HostFacts,
  settings: Setting[],
  assumptions: string[],
): PageShift {
  const bytes = request.pageSizeBytes ?? facts.pageSizeBytes?.value;
  if (bytes === undefined) {
    settings.push({ name: "page_size_bytes", value: 4096, origin: "assumed" });
    assumptions.push(
      "nothing says how large the host's pages are: 4 KiB are assumed (--page-size)",
    );
    return 12;
  }
  const origin = request.pageSizeBytes === undefined ? facts.pageSizeBytes!.origin : "--page-size";
  const shift = pageShiftOf(bytes);
  if (shift === undefined) {
    throw new TraceError(
      "BAD_OPTION",
      `a page size of ${bytes} bytes (from ${origin}) does not exist on arm64`,
    );
  }
  settings.push({ name: "page_size_bytes", value: bytes, origin });
  return shift;
}
