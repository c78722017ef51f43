import type { ArrayShape } from "./shape.ts";

/**
 * How a number is known: read in the manufacturer's manual or slides, measured by somebody who published
 * how, read in a simulator's source, recalled and not checked, or assumed because nothing says.
 */
export type Confidence = "documented" | "measured" | "source-code" | "unverified" | "assumed";

/** A value, how it is known and from where. */
export interface Sourced<T> {
  readonly value: T;
  readonly confidence: Confidence;
  readonly source: string;
}

/** What is published of a PE's translation caches; `undefined`: nothing is, and the model assumes. */
export interface TlbPreset {
  readonly id: string;
  /** Products with that core. */
  readonly title: string;
  readonly firstLevelData: Sourced<number>;
  readonly firstLevelInstruction: Sourced<number> | undefined;
  readonly secondLevel: Sourced<ArrayShape>;
  readonly coalescedPages: Sourced<1 | 4>;
  /** Entries with stage 2 only: their array, and the smallest leaf they hold (0 pages, 1 blocks). */
  readonly stage2Only: Sourced<ArrayShape> | undefined;
  readonly stage2OnlyFrom: Sourced<0 | 1>;
  /** Pointers to tables, of each stage. */
  readonly walkCache: Sourced<ArrayShape> | undefined;
}

const A76_TRM = "Cortex-A76 TRM, A5.2 and table A6-31";
const LIKE_A76 = "as Cortex-A76, whose design it shares";
const MEASURED_V2 =
  "Neoverse V2 TRM as quoted and measured by jiegec (blog-source, hardware posts)";
const JIEGEC = "jiegec (blog-source, hardware posts)";
const NOTHING_SAYS = "nothing published was found";

function sourced<T>(value: T, confidence: Confidence, source: string): Sourced<T> {
  return { value, confidence, source };
}

function array(sets: number, ways: number): ArrayShape {
  return { sets, ways };
}

const ONE_PAGE: Sourced<1> = sourced(1, "assumed", NOTHING_SAYS);
const BLOCKS_LIKE_A76: Sourced<1> = sourced(1, "unverified", LIKE_A76);

export const TLB_PRESETS: readonly TlbPreset[] = [
  {
    id: "cortex-a76",
    title: "Cortex-A76",
    firstLevelData: sourced(48, "documented", A76_TRM),
    firstLevelInstruction: sourced(48, "documented", A76_TRM),
    secondLevel: sourced(array(256, 5), "documented", A76_TRM),
    coalescedPages: sourced(4, "documented", A76_TRM),
    stage2Only: undefined,
    stage2OnlyFrom: sourced(1, "documented", `${A76_TRM}: IPA to PA for 2 MB and 1 GB blocks`),
    walkCache: undefined,
  },
  {
    id: "neoverse-n1",
    title: "Neoverse N1 (Graviton2, Altra)",
    firstLevelData: sourced(48, "unverified", LIKE_A76),
    firstLevelInstruction: sourced(48, "documented", "Neoverse N1 slides, Hot Chips 2019"),
    secondLevel: sourced(array(256, 5), "unverified", LIKE_A76),
    coalescedPages: sourced(4, "unverified", LIKE_A76),
    stage2Only: undefined,
    stage2OnlyFrom: BLOCKS_LIKE_A76,
    walkCache: undefined,
  },
  {
    id: "neoverse-v1",
    title: "Neoverse V1 (Graviton3)",
    firstLevelData: sourced(40, "documented", "Neoverse V2 slides: 40 to 48"),
    firstLevelInstruction: sourced(48, "unverified", "recalled"),
    secondLevel: sourced(array(256, 8), "assumed", "Neoverse V1 slides say 1.2K to 2K, no ways"),
    coalescedPages: ONE_PAGE,
    stage2Only: undefined,
    stage2OnlyFrom: BLOCKS_LIKE_A76,
    walkCache: undefined,
  },
  {
    id: "neoverse-n2",
    title: "Neoverse N2 (Cobalt 100, Yitian 710)",
    firstLevelData: sourced(44, "unverified", "recalled"),
    firstLevelInstruction: sourced(48, "unverified", "recalled"),
    secondLevel: sourced(array(256, 5), "unverified", "recalled"),
    coalescedPages: ONE_PAGE,
    stage2Only: undefined,
    stage2OnlyFrom: BLOCKS_LIKE_A76,
    walkCache: undefined,
  },
  {
    id: "neoverse-v2",
    title: "Neoverse V2 (Graviton4, Grace)",
    firstLevelData: sourced(48, "measured", MEASURED_V2),
    firstLevelInstruction: sourced(48, "measured", MEASURED_V2),
    secondLevel: sourced(array(256, 8), "measured", MEASURED_V2),
    coalescedPages: ONE_PAGE,
    stage2Only: undefined,
    stage2OnlyFrom: BLOCKS_LIKE_A76,
    walkCache: undefined,
  },
  {
    id: "neoverse-v3",
    title: "Neoverse V3",
    firstLevelData: sourced(96, "documented", JIEGEC),
    firstLevelInstruction: sourced(48, "documented", JIEGEC),
    secondLevel: sourced(array(256, 8), "documented", JIEGEC),
    coalescedPages: ONE_PAGE,
    stage2Only: undefined,
    stage2OnlyFrom: BLOCKS_LIKE_A76,
    walkCache: undefined,
  },
  {
    id: "cortex-x925",
    title: "Cortex-X925",
    firstLevelData: sourced(96, "documented", "Cortex-X925 TRM"),
    firstLevelInstruction: sourced(128, "documented", "Cortex-X925 TRM"),
    secondLevel: sourced(array(256, 8), "documented", "Cortex-X925 TRM"),
    coalescedPages: ONE_PAGE,
    stage2Only: undefined,
    stage2OnlyFrom: sourced(1, "documented", "Cortex-X925 TRM: IPA to PA for blocks"),
    walkCache: undefined,
  },
  {
    id: "cortex-a55",
    title: "Cortex-A55 class",
    firstLevelData: sourced(16, "documented", "Agilex 5 TRM"),
    firstLevelInstruction: sourced(15, "documented", "Agilex 5 TRM"),
    secondLevel: sourced(array(256, 4), "documented", "Agilex 5 TRM"),
    coalescedPages: ONE_PAGE,
    stage2Only: sourced(array(16, 4), "documented", "Agilex 5 TRM: IPA cache RAM, 64 entries"),
    stage2OnlyFrom: sourced(0, "documented", "Agilex 5 TRM: IPA cache of all sizes"),
    walkCache: sourced(array(16, 4), "documented", "Agilex 5 TRM: walk cache RAM, 64 entries"),
  },
  {
    id: "apple-m2",
    title: "Apple M2, performance core (16 KiB pages)",
    firstLevelData: sourced(256, "documented", "Apple Silicon CPU Optimization Guide via jiegec"),
    firstLevelInstruction: sourced(192, "documented", "Apple guide via jiegec"),
    secondLevel: sourced(array(256, 12), "measured", `M1 P core, 12 ways by 256 sets: ${JIEGEC}`),
    coalescedPages: ONE_PAGE,
    stage2Only: undefined,
    stage2OnlyFrom: sourced(0, "assumed", NOTHING_SAYS),
    walkCache: undefined,
  },
  {
    id: "amd-zen3",
    title: "AMD Zen 3 (x86: no flush of one stage)",
    firstLevelData: sourced(64, "unverified", "recalled"),
    firstLevelInstruction: sourced(64, "unverified", "recalled"),
    secondLevel: sourced(array(128, 16), "unverified", "recalled: 2048 entries, 16 ways"),
    coalescedPages: ONE_PAGE,
    stage2Only: undefined,
    stage2OnlyFrom: sourced(0, "assumed", NOTHING_SAYS),
    walkCache: undefined,
  },
  {
    id: "intel-skylake",
    title: "Intel Skylake server (x86: no flush of one stage)",
    firstLevelData: sourced(64, "unverified", "recalled"),
    firstLevelInstruction: sourced(128, "unverified", "recalled"),
    secondLevel: sourced(array(128, 12), "unverified", "recalled: 1536 entries, 12 ways"),
    coalescedPages: ONE_PAGE,
    stage2Only: undefined,
    stage2OnlyFrom: sourced(0, "assumed", NOTHING_SAYS),
    walkCache: undefined,
  },
  {
    id: "gem5-default",
    title: "gem5's ArmMMU defaults, stages looked up one by one",
    firstLevelData: sourced(64, "source-code", "gem5 v24.0, ArmMMU.py"),
    firstLevelInstruction: sourced(64, "source-code", "gem5 v24.0, ArmMMU.py"),
    secondLevel: sourced(array(1, 1280), "source-code", "gem5 v24.0, ArmMMU.py"),
    coalescedPages: sourced(1, "source-code", "gem5 v24.0, tlb.hh"),
    stage2Only: sourced(array(1, 32), "source-code", "gem5 v24.0, ArmMMU.py"),
    stage2OnlyFrom: sourced(0, "source-code", "gem5 v24.0, stage2_lookup.cc"),
    walkCache: undefined,
  },
];

/** Where nothing is published: 64 entries, the size that is documented for the Cortex-A55 class. */
export const ASSUMED_SMALL_ARRAY: Sourced<ArrayShape> = sourced(
  array(16, 4),
  "assumed",
  `${NOTHING_SAYS}; 64 entries as in the Cortex-A55 class`,
);
