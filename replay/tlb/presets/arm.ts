import {
  documented,
  full,
  measured,
  sets,
  type TlbPreset,
  unknown,
  UNTOLD,
  unverified,
} from "./preset.ts";

const A76_TRM = "Cortex-A76 TRM, A5.2 and table A6-31";
const LIKE_A76 = "as Cortex-A76, whose design it shares";
const V2_MEASURED =
  "Neoverse V2 TRM as quoted and measured by jiegec (blog-source, hardware posts)";
const JIEGEC = "jiegec (blog-source, hardware posts)";
const APPLE = `Apple Silicon CPU Optimization Guide, via ${JIEGEC}`;
const AGILEX = "Intel Agilex 5 TRM";
const SMALL_TRM = "Cortex-A53 and A35 TRMs";
const X925_TRM = "Cortex-X925 TRM, via jiegec";
const RECALLED = "recalled, not checked";
const NO_SOURCE = "no source was found; as Neoverse N1";

/** Blocks only: what the Cortex-A76 documents, of its relatives. */
const BLOCKS_LIKE_A76 = { stage2OnlyFrom: unverified(1 as const, LIKE_A76) };

/** Cores of Arm, and of makers of arm64 processors. */
export const ARM_PRESETS: readonly TlbPreset[] = [
  {
    ...UNTOLD,
    id: "cortex-a76",
    title: "Cortex-A76",
    firstLevelData: documented(full(48), A76_TRM),
    firstLevelInstruction: documented(full(48), A76_TRM),
    secondLevel: documented(sets(256, 5), A76_TRM),
    coalescedPages: documented(4, A76_TRM),
    stage2OnlyFrom: documented(1, `${A76_TRM}: IPA to PA for 2 MB and 1 GB blocks only`),
    latency: documented("second level usually 3 cycles", A76_TRM),
  },
  {
    ...UNTOLD,
    ...BLOCKS_LIKE_A76,
    id: "neoverse-n1",
    title: "Neoverse N1 (Graviton2, Altra)",
    firstLevelData: unverified(full(48), LIKE_A76),
    firstLevelInstruction: documented(full(48), "Neoverse N1 slides, Hot Chips 2019"),
    secondLevel: unverified(sets(256, 5), LIKE_A76),
    coalescedPages: unverified(4, LIKE_A76),
  },
  {
    ...UNTOLD,
    ...BLOCKS_LIKE_A76,
    id: "neoverse-v1",
    title: "Neoverse V1 (Graviton3; Cortex-X1)",
    firstLevelData: documented(full(40), "Neoverse V2 slides: 40 to 48"),
    firstLevelInstruction: unverified(full(48), RECALLED),
    secondLevel: unverified(
      sets(256, 8),
      "Neoverse V1 slides say 1.2K to 2K; ways unknown, 8 as in V2",
    ),
  },
  {
    ...UNTOLD,
    ...BLOCKS_LIKE_A76,
    id: "neoverse-n2",
    title: "Neoverse N2 (Cobalt 100, Yitian 710)",
    firstLevelData: unverified(full(44), RECALLED),
    firstLevelInstruction: unverified(full(48), RECALLED),
    secondLevel: unverified(sets(256, 5), RECALLED),
  },
  {
    ...UNTOLD,
    ...BLOCKS_LIKE_A76,
    id: "neoverse-v2",
    title: "Neoverse V2 (Graviton4, Grace)",
    firstLevelData: measured(full(48), V2_MEASURED),
    firstLevelInstruction: measured(full(48), V2_MEASURED),
    secondLevel: measured(sets(256, 8), `${V2_MEASURED}; fetches see about 1024 of them`),
    latency: measured("second level +6 cycles by the TRM, +5 measured", V2_MEASURED),
  },
  {
    ...UNTOLD,
    ...BLOCKS_LIKE_A76,
    id: "neoverse-v3",
    title: "Neoverse V3",
    firstLevelData: documented(full(96), JIEGEC),
    firstLevelInstruction: documented(full(48), JIEGEC),
    secondLevel: documented(sets(256, 8), JIEGEC),
    latency: documented("second level +6 cycles", JIEGEC),
  },
  {
    ...UNTOLD,
    id: "cortex-x925",
    title: "Cortex-X925",
    firstLevelData: documented(full(96), X925_TRM),
    firstLevelInstruction: documented(full(128), X925_TRM),
    secondLevel: documented(sets(256, 8), X925_TRM),
    stage2OnlyFrom: documented(1, `${X925_TRM}: IPA to PA for blocks of 2 MB and 1 GB only`),
  },
  {
    ...UNTOLD,
    id: "cortex-a72",
    title: "Cortex-A72 (Graviton)",
    firstLevelData: unverified(full(32), RECALLED),
    firstLevelInstruction: unverified(full(48), RECALLED),
    secondLevel: documented(sets(256, 4), "Cortex-A72 TRM, 5.2.3"),
  },
  {
    ...UNTOLD,
    id: "cortex-a55",
    title: "Cortex-A55 class",
    firstLevelData: documented(full(16), AGILEX),
    firstLevelInstruction: documented(full(15), AGILEX),
    secondLevel: documented(sets(256, 4), AGILEX),
    stage2Only: documented(sets(16, 4), `${AGILEX}: IPA cache RAM, 64 entries`),
    stage2OnlyFrom: documented(0, `${AGILEX}: IPA cache of all sizes`),
    walkCache: documented(sets(16, 4), `${AGILEX}: walk cache RAM, 64 entries`),
  },
  {
    ...UNTOLD,
    id: "cortex-a53",
    title: "Cortex-A53 class",
    firstLevelData: documented(full(10), SMALL_TRM),
    firstLevelInstruction: documented(full(10), SMALL_TRM),
    secondLevel: documented(sets(128, 4), SMALL_TRM),
    stage2Only: unverified(
      sets(16, 4),
      `${SMALL_TRM}: an IPA cache RAM; 64 entries as Cortex-A55 class`,
    ),
    walkCache: unverified(
      sets(16, 4),
      `${SMALL_TRM}: a walk cache RAM; 64 entries as Cortex-A55 class`,
    ),
  },
  {
    ...UNTOLD,
    id: "cortex-a35",
    title: "Cortex-A35 class",
    firstLevelData: documented(full(10), SMALL_TRM),
    firstLevelInstruction: documented(full(10), SMALL_TRM),
    secondLevel: documented(sets(256, 2), SMALL_TRM),
    stage2Only: unverified(
      sets(16, 4),
      `${SMALL_TRM}: an IPA cache RAM; 64 entries as Cortex-A55 class`,
    ),
    walkCache: unverified(
      sets(16, 4),
      `${SMALL_TRM}: a walk cache RAM; 64 entries as Cortex-A55 class`,
    ),
  },
  {
    ...UNTOLD,
    id: "apple-m2",
    title: "Apple M2, performance core (16 KiB pages)",
    firstLevelData: documented(full(256), `${APPLE}; ways unknown`),
    firstLevelInstruction: documented(full(192), `${APPLE}; ways unknown`),
    secondLevel: measured(sets(256, 12), `3072: ${APPLE}; 12 ways as measured on M1: ${JIEGEC}`),
    latency: measured("M1: first level 3, second 9, miss 35 to 36.5 cycles", JIEGEC),
  },
  {
    ...UNTOLD,
    id: "apple-m2-e",
    title: "Apple M2, efficiency core (16 KiB pages)",
    firstLevelData: documented(full(192), `${APPLE}; ways unknown`),
    firstLevelInstruction: documented(full(192), `${APPLE}; ways unknown`),
    secondLevel: unverified(sets(256, 8), `2048: ${APPLE}; ways unknown, 8 assumed`),
  },
  {
    ...UNTOLD,
    id: "ampere-emag",
    title: "Ampere eMAG (Skylark)",
    firstLevelData: documented(full(48), JIEGEC),
    firstLevelInstruction: documented(full(48), JIEGEC),
    secondLevel: unverified(sets(128, 4), `512: ${JIEGEC}; ways unknown, 4 assumed`),
    latency: documented("5 cycles, 11 from the second level", JIEGEC),
  },
  {
    ...UNTOLD,
    id: "ampereone",
    title: "AmpereOne",
    firstLevelData: unknown(full(48), NO_SOURCE),
    firstLevelInstruction: unknown(full(48), NO_SOURCE),
    secondLevel: unknown(sets(256, 5), NO_SOURCE),
  },
  {
    ...UNTOLD,
    id: "kunpeng-920",
    title: "Kunpeng 920 (TSV110)",
    firstLevelData: unverified(full(32), RECALLED),
    firstLevelInstruction: unverified(full(32), RECALLED),
    secondLevel: unverified(sets(256, 4), `1024: ${RECALLED}; ways unknown, 4 assumed`),
  },
];
