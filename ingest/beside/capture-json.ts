import { type CpuFeature, type HostFacts, type HypMode } from "./host-facts.ts";
import { probedFunctionsOf } from "./probe-list.ts";

const ORIGIN = "capture.json";

/** What a capture.json may say, by the key it says it under. */
const FEATURE_KEYS: Readonly<Record<string, CpuFeature>> = {
  tlb_range: "tlbirange",
  fwb: "fwb",
  ttl: "ttl",
  lpa2: "lpa2",
};

const HYP_MODES: ReadonlyMap<string, HypMode> = new Map<string, HypMode>([
  ["VHE", "VHE"],
  ["nVHE", "nVHE"],
  ["pKVM", "pKVM"],
  ["protected", "pKVM"],
  ["VHE+NV2", "VHE"],
]);

/** How the kernel announces what `dic` stands for. */
export const DIC_ANNOUNCEMENT: string =
  "Instruction cache invalidation not required for I/D coherence";

/** Facts of a capture.json's text; what cannot be used is a note. */
export function factsOfCaptureJson(text: string): { facts: HostFacts; notes: string[] } {
  const notes: string[] = [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { facts: {}, notes: [`${ORIGIN} is not JSON and was not used`] };
  }
  if (!isRecord(parsed))
    return { facts: {}, notes: [`${ORIGIN} is not an object and was not used`] };
  const unusable = (key: string): undefined => {
    notes.push(`${ORIGIN}: \`${key}\` has a value that cannot be used`);
    return undefined;
  };
  const kernel = stringOf(parsed, "kernel", unusable);
  const uname = stringOf(parsed, "uname", unusable);
  const pageSize = pageSizeOf(parsed, unusable);
  // Of an x86 host these say other things.
  const isX86 = parsed["arch"] === "x86_64" || /\bx86_64\b/.test(uname ?? "");
  const mode = isX86 ? undefined : modeOf(parsed, unusable);
  const features = isX86 ? undefined : featuresOf(parsed, unusable);
  const probes = probesOf(parsed, unusable);
  const fact = <T>(value: T): { value: T; origin: string } => ({ value, origin: ORIGIN });
  const facts: HostFacts = {
    ...(kernel === undefined ? {} : { kernelRelease: fact(kernel) }),
    ...(uname === undefined ? {} : { kernelVersionText: fact(uname) }),
    ...(pageSize === undefined ? {} : { pageSizeBytes: fact(pageSize) }),
    ...(mode === undefined ? {} : { hypMode: fact(mode) }),
    ...(features === undefined ? {} : { cpuFeatures: fact(features) }),
    ...(probes === undefined ? {} : { probedFunctions: fact(probes) }),
  };
  return { facts, notes };
}

type Unusable = (key: string) => undefined;

function stringOf(
  parsed: Record<string, unknown>,
  key: string,
  unusable: Unusable,
): string | undefined {
  const value = parsed[key];
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" && value !== "" ? value : unusable(key);
}

function pageSizeOf(parsed: Record<string, unknown>, unusable: Unusable): number | undefined {
  const value = parsed["page_size"];
  if (value === undefined || value === null) return undefined;
  return value === 4096 || value === 16384 || value === 65536 ? value : unusable("page_size");
}

function modeOf(parsed: Record<string, unknown>, unusable: Unusable): HypMode | undefined {
  const text = stringOf(parsed, "mode", unusable);
  return text === undefined ? undefined : (HYP_MODES.get(text) ?? unusable("mode"));
}

/** Only where each of the features that decide is stated: an absent key is not a `no`. */
function featuresOf(
  parsed: Record<string, unknown>,
  unusable: Unusable,
): readonly CpuFeature[] | undefined {
  const features = parsed["features"];
  if (features === undefined || features === null) return undefined;
  if (!isRecord(features)) return unusable("features");
  const found: CpuFeature[] = [];
  for (const [key, feature] of Object.entries(FEATURE_KEYS)) {
    const value = features[key];
    if (typeof value !== "boolean") return unusable(`features.${key}`);
    if (value) found.push(feature);
  }
  const detected = features["detected"];
  if (Array.isArray(detected) && detected.includes(DIC_ANNOUNCEMENT)) found.push("dic");
  return found;
}

function probesOf(
  parsed: Record<string, unknown>,
  unusable: Unusable,
): readonly string[] | undefined {
  const value = parsed["kprobes"];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) return unusable("kprobes");
  const lines: unknown[] = value;
  const texts = lines.filter((line) => typeof line === "string");
  return texts.length === lines.length ? probedFunctionsOf(texts) : unusable("kprobes");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
