import type { Policy } from "../policies/flags.ts";
import { LEGACY_5_8 } from "../policies/families/legacy.ts";
import { PGTABLE_5_10, PGTABLE_6_2 } from "../policies/families/pgtable.ts";
import { RANGE_6_9 } from "../policies/families/range.ts";
import { POLICIES } from "../policies/registry.ts";
import { type Epoch, type EpochId, EPOCHS } from "./epochs.ts";

/** What one policy does on the paths of a migration, on a CPU with certain features. */
export interface Mechanics {
  /** Of the policy, or of an epoch as it was. */
  readonly id: string;
  readonly epoch: Epoch;
  readonly collapseFlush: FlushForm;
  /** After each KVM_CLEAR_DIRTY_LOG (or GET), for the whole memslot. */
  readonly logFlush: FlushForm;
  readonly unmap: UnmapForm;
  readonly fwb: boolean;
  readonly tlbirange: boolean;
  /** CPUs need every TLBI repeated. */
  readonly repeatsTlbi: boolean;
  /** Pages of one range flush at most. */
  readonly maxRangePages: number;
  /** The policy as it stands, with its flags. */
  readonly policy: Policy;
  /** Where the lock and the table walk come from, in words. */
  readonly because: string;
}

export type FlushForm = "per-ipa" | "vmid" | "range";

/**
 * `leaf`: one IPA for each leaf and freed table; `range`: one range for each GiB, with `tableFlush` an IPA for
 * each freed table besides; `vmid`: one for the whole.
 */
export interface UnmapForm {
  readonly kind: "leaf" | "range" | "vmid";
  readonly tableFlush: boolean;
}

export interface CpuChoice {
  readonly fwb: boolean;
  readonly tlbirange: boolean;
  readonly repeatsTlbi: boolean;
}

/** Which kernel's lock and table walk go with a shipped policy. */
const EPOCH_OF: Readonly<Record<string, EpochId>> = {
  "legacy-5.8": "e1",
  "legacy-5.9": "e1",
  // A patch to the kernel of its day: its flushes change, lock and walk do not.
  "rfc-2020": "e1",
  "pgtable-5.10": "e2",
  "pgtable-6.2": "e4",
  "pgtable-6.5": "e4",
  "range-6.6": "e5",
  "range-6.9": "e5",
};

/** The flushes of an epoch where it is asked for by name. */
const POLICY_OF: Readonly<Record<EpochId, Policy>> = {
  e1: LEGACY_5_8,
  e2: PGTABLE_5_10,
  e3: PGTABLE_5_10,
  e4: PGTABLE_6_2,
  e5: RANGE_6_9,
};

/** An epoch by its name: its own lock and walk with the flushes of its kernels. */
export function epochMechanics(id: EpochId, cpu: CpuChoice): Mechanics {
  return { ...build(POLICY_OF[id], EPOCHS[id], cpu, `kernels ${EPOCHS[id].kernels}`), id };
}

/**
 * A policy on its own kernel. One that belongs to no kernel (a strategy, a user's own) gets the lock and walk
 * of `otherwise`.
 * @param forced lock and walk for every policy, so that only flushes differ.
 * @param recorded of the kernel that recorded the trace, where this is its policy: a policy's id stands for
 *   kernels of several epochs (pgtable-5.10 up to 6.1).
 */
export function policyMechanics(
  policy: Policy,
  cpu: CpuChoice,
  otherwise: EpochId,
  forced?: EpochId,
  recorded?: EpochId,
): Mechanics {
  const own = EPOCH_OF[policy.id];
  const id = forced ?? recorded ?? own ?? otherwise;
  let because = `its kernel's (${EPOCHS[id].kernels})`;
  if (forced !== undefined) because = `--epoch ${forced}`;
  else if (recorded !== undefined)
    because = `of the given or recorded version (${EPOCHS[id].kernels})`;
  else if (own === undefined) {
    because = `assumed: kernels ${EPOCHS[id].kernels}, because the policy is no kernel's own`;
  }
  return build(policy, EPOCHS[id], cpu, because);
}

function build(policy: Policy, epoch: Epoch, cpu: CpuChoice, because: string): Mechanics {
  const { flags } = policy;
  return {
    id: policy.id,
    epoch,
    collapseFlush: collapseForm(policy, cpu),
    logFlush: logForm(policy, cpu),
    unmap: unmapForm(policy, cpu),
    ...cpu,
    repeatsTlbi: cpu.repeatsTlbi || flags.repeatTlbi !== "none",
    maxRangePages: flags.maxRangePages,
    policy,
    because,
  };
}

function collapseForm({ flags }: Policy, { tlbirange }: CpuChoice): FlushForm {
  // The RFC of 2020 unmaps the table with its threshold: a whole block is one VM.
  if (flags.unmap === "threshold") return "vmid";
  if (flags.collapse === "unmap") return "per-ipa";
  return flags.collapse === "range" && tlbirange ? "range" : "vmid";
}

function logForm({ flags }: Policy, { tlbirange }: CpuChoice): FlushForm {
  if (flags.logFlush === "leaves") return "per-ipa";
  return flags.logFlush === "vmid" || !tlbirange ? "vmid" : "range";
}

const LEAF: UnmapForm = { kind: "leaf", tableFlush: true };
const VMID: UnmapForm = { kind: "vmid", tableFlush: false };

function unmapForm({ flags }: Policy, cpu: CpuChoice): UnmapForm {
  if (flags.unmap === "leaf") return LEAF;
  if (flags.unmap === "deferred") {
    // Without either feature: as 6.5 did it, one by one, and not the whole VMID.
    const defers = cpu.tlbirange && (cpu.fwb || !flags.deferNeedsFwb);
    return defers ? { kind: "range", tableFlush: flags.deferredTableFlush } : LEAF;
  }
  if (flags.unmap === "threshold" || flags.unmap === "vmid" || !cpu.tlbirange) return VMID;
  return { kind: "range", tableFlush: false };
}

/** Ids that `--policy` of `downtime` takes besides a user's own. */
export const MECHANICS_IDS: readonly string[] = [
  ...POLICIES.map(({ id }) => id),
  ...Object.keys(EPOCHS),
];
