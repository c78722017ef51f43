import {
  documented,
  full,
  inSource,
  measured,
  sets,
  type TlbPreset,
  unknown,
  UNTOLD,
  unverified,
} from "./preset.ts";

const JIEGEC = "jiegec (blog-source, hardware posts)";
const GEM5 = "gem5 v24.0, ArmMMU.py";
const CHAMPSIM = "ChampSim, default configuration of May 2025";
const ZEN4 = "CPUID of an EPYC of family 25, model 17";
const SHAPE_ONLY = "of x86 traces; of arm64 ones its shape, for comparison";

/** x86 cores as shapes to compare with, and the defaults of simulators. */
export const OTHER_PRESETS: readonly TlbPreset[] = [
  {
    ...UNTOLD,
    id: "zen4",
    title: `AMD Zen 4 (${SHAPE_ONLY})`,
    firstLevelData: measured(full(72), ZEN4),
    firstLevelInstruction: measured(full(64), ZEN4),
    secondLevel: measured(sets(256, 12), `3072: ${ZEN4}; 12 ways assumed, CPUID gives a class`),
    latency: measured(
      "second level +4.9, warm nested walk +34 TSC cycles of 2.6 GHz",
      "pointer chase",
    ),
  },
  {
    ...UNTOLD,
    id: "zen5",
    title: `AMD Zen 5 (${SHAPE_ONLY})`,
    firstLevelData: documented(full(96), JIEGEC),
    firstLevelInstruction: documented(full(64), JIEGEC),
    secondLevel: documented(sets(256, 16), JIEGEC),
    latency: documented("4 cycles, 11 from the second level", JIEGEC),
  },
  {
    ...UNTOLD,
    id: "golden-cove",
    title: `Intel Golden Cove (${SHAPE_ONLY})`,
    firstLevelData: documented(
      sets(16, 6),
      `${JIEGEC}; loads of pages; its arrays of 32, 8 and 16 for blocks and stores are not modelled`,
    ),
    firstLevelInstruction: documented(sets(32, 8), JIEGEC),
    secondLevel: unverified(sets(256, 8), `2048: ${JIEGEC}; ways unknown, 8 assumed`),
    latency: documented("5 cycles, 12 from the second level; 4 walkers", JIEGEC),
  },
  {
    ...UNTOLD,
    id: "skylake-sp",
    title: `Intel Skylake-SP (${SHAPE_ONLY})`,
    firstLevelData: unverified(sets(16, 4), "recalled, not checked"),
    firstLevelInstruction: unverified(sets(16, 8), "recalled, not checked"),
    secondLevel: documented(sets(128, 12), "size: drcachesim issue 6232"),
  },
  {
    ...UNTOLD,
    id: "gem5-default",
    title: "gem5's ArmMMU defaults (its TLBs keep the stages apart; this model does not)",
    firstLevelData: inSource(full(64), GEM5),
    firstLevelInstruction: inSource(full(64), GEM5),
    secondLevel: inSource(full(1280), `${GEM5}; partial walks share it there`),
    coalescedPages: inSource(1, "gem5 v24.0, tlb.hh"),
    stage2Only: inSource(full(32), GEM5),
    stage2OnlyFrom: inSource(0, "gem5 v24.0, stage2_lookup.cc"),
    replacement: inSource("lru", "gem5 v24.0, tlb.cc"),
  },
  {
    ...UNTOLD,
    id: "champsim-default",
    title: "ChampSim's defaults (no virtualization there)",
    firstLevelData: inSource(sets(16, 4), CHAMPSIM),
    firstLevelInstruction: inSource(sets(16, 4), CHAMPSIM),
    secondLevel: inSource(sets(128, 12), CHAMPSIM),
    coalescedPages: inSource(1, CHAMPSIM),
    stage2Only: unknown(sets(16, 4), "none there; 64 entries as in the Cortex-A55 class"),
    walkCache: inSource(
      sets(4, 8),
      `${CHAMPSIM}: that of the last level; 2, 4 and 8 of the upper ones left out`,
    ),
    replacement: inSource("lru", CHAMPSIM),
    latency: inSource("1 cycle, 8 from the second level", CHAMPSIM),
  },
];
