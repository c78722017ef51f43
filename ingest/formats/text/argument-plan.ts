import type { DeclaredArguments } from "../../vocabulary/declared-arguments.ts";
import type { FunctionMeaning, Need } from "../../vocabulary/functions.ts";
import {
  type ArgumentRole,
  IGNORED_ARGUMENTS,
  roleOfArgument,
  type TargetColumn,
  type ValueReading,
} from "../../vocabulary/roles.ts";
import { WordLabels } from "./word-labels.ts";

/** How the value of an argument is read; numeric so that the hot loop can switch on it. */
export const Reading: Readonly<Record<ValueReading | "skip", number>> = {
  skip: 0,
  pointer: 1,
  quantity: 2,
  bits64: 3,
  int32: 4,
  uint32: 5,
  bool: 6,
  symbol: 7,
};

/** Where a value goes. */
export const Target: Readonly<Record<TargetColumn | "none", number>> = {
  none: 0,
  pgt: 1,
  mmu: 2,
  kvm: 3,
  "mmu+kvm": 4,
  addr: 5,
  len: 6,
  end: 7,
  phys: 8,
  prot: 9,
  arg0: 10,
  arg1: 11,
  arg2: 12,
  arg3: 13,
  "arg1+arg2": 14,
};

/** Words of the 16 digits of a kernel pointer. */
export const POINTER_WORDS = 4;

/**
 * What to do with the arguments of one probe point as they stand in its lines. Lines of one probe have
 * the same arguments in the same order, so a line is checked against the plan made for the last one.
 */
export class ArgumentPlan {
  readonly count: number;
  readonly names: readonly string[];
  /** ` name=` of each argument, blank and equals sign included. */
  readonly labels: WordLabels;
  readonly readings: Uint8Array;
  readonly targets: Uint8Array;
  /** The last pointer of each argument and its id: pointers repeat from line to line. */
  readonly lastHigh: Int32Array;
  readonly lastLow: Int32Array;
  readonly lastId: Uint32Array;
  /** The digits of that pointer as they were printed, `POINTER_WORDS` words each; of 16 digits only. */
  readonly lastDigits: Int32Array;
  readonly hasLastDigits: Uint8Array;
  /** Why lines with these arguments cannot be replayed, in words. */
  readonly problem: string | undefined;
  readonly needsContext: boolean;
  /** Neither a problem nor an unknown argument: nothing is to be said of its lines. */
  readonly isClean: boolean;
  /** Arguments that the vocabulary does not know. */
  readonly unknown: readonly string[];

  /** @param declared what the probe's definition says of its arguments, where that is known. */
  constructor(
    names: readonly string[],
    meaning: FunctionMeaning,
    declared: DeclaredArguments = NOTHING_DECLARED,
  ) {
    const roles = rolesOf(names, meaning, declared);
    this.count = names.length;
    this.names = names;
    this.labels = new WordLabels(names.map((name) => ` ${name}=`));
    this.readings = Uint8Array.from(roles, (role) => Reading[role?.reading ?? "skip"]);
    this.targets = Uint8Array.from(roles, (role) => Target[role?.column ?? "none"]);
    this.lastHigh = new Int32Array(names.length);
    this.lastLow = new Int32Array(names.length);
    this.lastId = new Uint32Array(names.length);
    this.lastDigits = new Int32Array(names.length * POINTER_WORDS);
    this.hasLastDigits = new Uint8Array(names.length);
    this.problem =
      contradiction(names, roles, meaning, declared) ?? problemOf(names, roles, meaning);
    this.needsContext = meaning.needs.includes("context");
    this.unknown = names.filter((name, i) => roles[i] === undefined && !isIgnored(name, meaning));
    this.isClean = this.problem === undefined && this.unknown.length === 0;
  }

  /** Whether these are the plan's arguments, in its order. */
  isFor(names: readonly string[]): boolean {
    return names.length === this.count && names.every((name, i) => this.names[i] === name);
  }
}

const NOTHING_DECLARED: DeclaredArguments = new Map();

type Roles = readonly (ArgumentRole | undefined)[];

/** By name; an argument whose name says nothing is what its definition fetches, unless another is that already. */
function rolesOf(
  names: readonly string[],
  meaning: FunctionMeaning,
  declared: DeclaredArguments,
): Roles {
  const byName = names.map((name) => roleOfArgument(name, meaning.takes));
  const taken = new Set(byName.map((role) => role?.column));
  return names.map((name, i) => {
    const known = byName[i];
    const means = declared.get(name)?.means;
    if (known !== undefined || means === undefined) return known;
    const role = roleOfArgument(means, meaning.takes);
    return role === undefined || taken.has(role.column) ? undefined : role;
  });
}

/** Bits that a value must have to be believed; of a symbol, none. */
const NEEDED_BITS: Readonly<Record<ValueReading, number>> = {
  pointer: 64,
  quantity: 64,
  bits64: 64,
  int32: 32,
  uint32: 32,
  bool: 8,
  symbol: 0,
};

/** Why a definition says that an argument is not what its name says, or that its value is cut. */
function contradiction(
  names: readonly string[],
  roles: Roles,
  meaning: FunctionMeaning,
  declared: DeclaredArguments,
): string | undefined {
  for (const [i, role] of roles.entries()) {
    const definition = declared.get(names[i]!);
    if (role === undefined || definition === undefined) continue;
    const fetched = roleOfArgument(definition.means, meaning.takes);
    const isPointer = role.reading === "pointer" && fetched?.reading === "pointer";
    if (fetched !== undefined && !isPointer && fetched.column !== role.column) {
      return `\`${names[i]}\` is defined as the parameter ${definition.means}`;
    }
    if (definition.bits < NEEDED_BITS[role.reading] && !isReturnValue(definition.means)) {
      return `\`${names[i]}\` is defined with a type that does not hold it`;
    }
  }
  return undefined;
}

/** An error number fits into any signed type. */
function isReturnValue(means: string): boolean {
  return means === "ret";
}

function isIgnored(name: string, meaning: FunctionMeaning): boolean {
  return IGNORED_ARGUMENTS.includes(name) || meaning.ignores?.includes(name) === true;
}

/** What each target gives, in the words of needs. */
const FILLS: Readonly<Record<TargetColumn, readonly (Need | TargetColumn)[]>> = {
  pgt: ["context", "pgt"],
  mmu: ["context", "mmu"],
  kvm: ["context", "kvm"],
  "mmu+kvm": ["context", "mmu", "kvm"],
  addr: ["addr"],
  len: ["len"],
  end: ["len"],
  phys: ["phys"],
  prot: ["prot"],
  arg0: ["arg0"],
  arg1: ["arg1"],
  arg2: ["arg2"],
  arg3: ["arg3"],
  "arg1+arg2": ["arg1", "arg2"],
};

function problemOf(
  names: readonly string[],
  roles: Roles,
  meaning: FunctionMeaning,
): string | undefined {
  const filledBy = new Map<string, string>();
  for (const [i, role] of roles.entries()) {
    if (role === undefined) continue;
    for (const column of FILLS[role.column]) {
      const earlier = filledBy.get(column);
      if (earlier !== undefined && column !== "context") {
        return `arguments \`${earlier}\` and \`${names[i]}\` both give ${column}`;
      }
      filledBy.set(column, names[i]!);
    }
  }
  const missing = meaning.needs.filter((need) => !filledBy.has(need));
  if (missing.length > 0) return `no argument gives ${missing.map(describeNeed).join(", ")}`;
  const endWithoutStart = roles.some((role) => role?.column === "end") && !filledBy.has("addr");
  return endWithoutStart ? "an end without a start" : undefined;
}

function describeNeed(need: Need): string {
  return need === "context" ? "pgt, mmu or kvm" : need;
}
