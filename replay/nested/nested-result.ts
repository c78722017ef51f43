import type { FlushRow, InstructionRow } from "../results.ts";
import type { InvalidationJudge } from "./invalidation-judge.ts";
import type { NestedCause } from "./invalidation.ts";
import { HINTS } from "./level-hint.ts";
import type { NestedAgreement } from "./nested-agreement.ts";
import type { LevelFound, NestedEvidence } from "./nested-level.ts";
import type { NestedWorlds, WorldsConfig } from "./nested-worlds.ts";
import type { ShadowDirectory } from "./shadow-directory.ts";
import type { ShadowWorld } from "./shadow-world.ts";

export interface NestedConfig extends WorldsConfig {
  readonly hasTwoExecuteBits: boolean;
}

/** One row per policy and cause, `recorded` first. */
export interface NestedRow {
  readonly policy: string;
  readonly cause: NestedCause;
  readonly events: number;
  readonly contexts: number;
  readonly calls: number;
  readonly leaves_dropped: number;
  readonly over_invalidated: number;
  readonly leaves_left: number;
  readonly leaves_protected: number;
  readonly refaults: number;
  readonly refaults_most: number;
  readonly tlbi: number;
  readonly dsb: number;
  readonly target_unknown: number;
}

/** One row per variant of the search for a level. */
export interface NestedHintRow {
  readonly search: string;
  readonly lookups: number;
  readonly ttl: number;
  readonly page: number;
  readonly head: number;
  readonly around: number;
  readonly kept: number;
  readonly elsewhere: number;
  readonly nothing: number;
  readonly probes: number;
  readonly level_writes: number;
  readonly leaves_dropped: number;
  readonly over_invalidated: number;
  readonly refaults: number;
}

/** Flush calls on shadow tables under one nested policy. */
export interface NestedFlushes {
  readonly policy: string;
  readonly flushes: readonly FlushRow[];
  readonly instructions: readonly InstructionRow[];
}

export interface NestedResult {
  readonly level: LevelFound;
  readonly contexts: number;
  readonly paBits: number;
  /** Where they come from, in words. */
  readonly paBitsOrigin: string;
  readonly rows: readonly NestedRow[];
  readonly hints: readonly NestedHintRow[];
  readonly agreement: NestedAgreement;
  readonly flushes: readonly NestedFlushes[];
  /** What the recorded kernels do that is worth knowing. */
  readonly findings: readonly string[];
}

export function resultOf(
  config: NestedConfig,
  worlds: NestedWorlds,
  judge: InvalidationJudge,
  directory: ShadowDirectory,
  evidence: NestedEvidence,
): NestedResult | undefined {
  const contexts = directory.seen;
  const level = evidence.level(contexts);
  if (level.level === "unknown") return undefined;
  const rows = [
    ...rowsOf(worlds.recorded, worlds.recorded),
    ...worlds.policies.flatMap(({ least, most }) => rowsOf(least, most)),
  ];
  return {
    level,
    contexts,
    paBits: worlds.setting.paBits,
    paBitsOrigin: paBitsOrigin(config, worlds),
    rows,
    hints: worlds.variants.map(hintRow),
    agreement: judge.agreement,
    flushes: worlds.policies.map(({ policy, least }) => flushesOf(config, policy.id, least)),
    findings: findingsOf(worlds, directory, judge.agreement),
  };
}

function paBitsOrigin(config: NestedConfig, worlds: NestedWorlds): string {
  if (config.paBits !== undefined) return "--nested-pa-bits";
  return worlds.isPaBitsShown ? "the trace shows it" : "assumed";
}

function rowsOf(world: ShadowWorld, most: ShadowWorld): readonly NestedRow[] {
  return world.totals.present().map((cause) => {
    const totals = world.totals.of(cause);
    const cost = world.tallyOf(cause)?.flushRows() ?? [];
    const sum = (pick: (row: FlushRow) => number): number =>
      cost.reduce((total, row) => total + pick(row), 0);
    return {
      policy: world.policy.id,
      cause,
      events: totals.events,
      contexts: totals.contexts,
      calls: totals.calls,
      leaves_dropped: totals.leavesDropped,
      over_invalidated: totals.overInvalidated,
      leaves_left: totals.leavesLeft,
      leaves_protected: totals.leavesProtected,
      refaults: totals.refaults,
      refaults_most: Math.max(totals.refaults, most.totals.of(cause).refaults),
      tlbi: sum(({ tlbi }) => tlbi) + totals.stage1Tlbis,
      dsb: sum(({ dsb }) => dsb) + totals.stage1Tlbis,
      target_unknown: totals.targetUnknown,
    };
  });
}

function hintRow(world: ShadowWorld): NestedHintRow {
  const { hints, totals } = world;
  const found = Object.fromEntries(HINTS.map((hint) => [hint, hints.of(hint)]));
  const of = totals.of("ipas2");
  return {
    search: world.policy.id,
    lookups: hints.events,
    ttl: found["ttl"]!,
    page: found["page"]!,
    head: found["head"]!,
    around: found["around"]!,
    kept: found["kept"]!,
    elsewhere: found["elsewhere"]!,
    nothing: found["nothing"]!,
    probes: hints.probes,
    level_writes: world.kept?.writes ?? 0,
    leaves_dropped: of.leavesDropped,
    over_invalidated: of.overInvalidated,
    refaults: of.refaults,
  };
}

function flushesOf(config: NestedConfig, policy: string, world: ShadowWorld): NestedFlushes {
  const sum = config.tallyOf(policy);
  for (const cause of world.totals.present()) {
    const tally = world.tallyOf(cause);
    if (tally !== undefined) sum.absorb(tally);
  }
  return { policy, flushes: sum.flushRows(), instructions: sum.instructionRows() };
}

function findingsOf(
  worlds: NestedWorlds,
  directory: ShadowDirectory,
  agreement: NestedAgreement,
): readonly string[] {
  const { recorded } = worlds;
  const findings: string[] = [];
  const range = recorded.totals.of("ripas2").leavesLeft;
  if (range > 0) {
    findings.push(
      `${range} shadow leaves stayed of guest blocks of which a TLBI by range named only a part: the recorded kernel clears just the range, where hardware would drop the block's translation as a whole`,
    );
  }
  const address = recorded.totals.of("ipas2").leavesLeft;
  if (address > 0) {
    findings.push(`${address} shadow leaves stayed of what a TLBI by IPA named`);
  }
  const protectedLeaves = recorded.totals.of("write_protect").leavesProtected;
  if (protectedLeaves > 0) {
    findings.push(
      `${protectedLeaves} shadow leaves were write-protected: whether the hardware VMIDs of their contexts were flushed afterwards is what the modelled TLB (--tlb) shows as stale hits`,
    );
  }
  if (agreement.ignoresTtl.size > 0) {
    findings.push(
      "a guest hypervisor puts a level into its operands that its host does not look at: the hypervisor was given no FEAT_TTL",
    );
  }
  const unknown = [...directory.contexts].filter(({ isKnown }) => !isKnown).length;
  if (unknown > 0) {
    findings.push(`${unknown} shadow contexts held leaves that the trace does not show`);
  }
  return findings;
}
