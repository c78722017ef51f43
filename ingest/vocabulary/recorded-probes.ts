import { compareReleases, isSince, type Release } from "./kernel-release.ts";
import { offsetOf } from "./recorded-structs.ts";

/**
 * How the functions of `functions.ts` are probed: which register or structure holds each argument, by
 * kernel release. The tables (`recorded-*.ts`) are what a recording script is made from.
 */
export type RecordedArch = "arm64" | "x86";

/** The arguments of a function since a release. */
export interface RecordedShape {
  readonly since: Release;
  /** Last release at which it was seen; without it, it holds until the next shape begins. */
  readonly seenUntil?: Release;
  /**
   * As ftrace writes them: `pgt=%x0:x64`, and behind a pointer `mmu=+{kvm_pgtable.mmu}(%x0):x64`,
   * where the braces stand for the offset of that field.
   */
  readonly fetch: string;
}

export interface RecordedFunction {
  /** Name of the event. */
  readonly name: string;
  readonly symbol: string;
  /** The kernel's own names of the parameters, to ask for fields by name. */
  readonly params: string;
  /**
   * Since which release the replay cannot do without it (because from then on the kernel has it);
   * undefined: it helps.
   */
  readonly neededSince?: Release;
  /** A flush primitive: under nVHE it runs at EL2, where no probe sees it. */
  readonly isPrimitive?: true;
  /** Only where no function before it in the table could be probed under this name's meaning. */
  readonly insteadOf?: string;
  /** Last release that has it, where its name means something else or nothing later. */
  readonly until?: Release;
  readonly shapes: readonly RecordedShape[];
}

/** The forms in which a probe's arguments can be fetched, best first. */
export interface FetchForms {
  /** Fields by name: the running kernel finds them. Undefined where no field is read. */
  readonly byName: string | undefined;
  /** Fields by offset; undefined where one that the replay needs is not known for the release. */
  readonly byOffset: string | undefined;
  /** Arguments that `byOffset` leaves out. */
  readonly leftOut: readonly string[];
}

/**
 * Arguments of a function in a release. Between two releases at which it was seen with different
 * arguments, only those that both share.
 */
export function fetchIn(fn: RecordedFunction, release: Release): string {
  const shapes = fn.shapes;
  const at = shapes.findLastIndex(({ since }) => isSince(release, since));
  const shape = shapes[Math.max(at, 0)]!;
  const next = shapes[at + 1];
  const isPast = shape.seenUntil !== undefined && compareReleases(release, shape.seenUntil) > 0;
  if (at < 0 || next === undefined || !isPast) return shape.fetch;
  const later = new Set(next.fetch.split(" "));
  return shape.fetch
    .split(" ")
    .filter((argument) => later.has(argument))
    .join(" ");
}

/** The innermost `+{structure.field}(where)`. */
const FIELD = /\+\{(\w+)\.([\w.]+)\}\((\+\d+\([^(){}]*\)|[^(){}]+)\)/;

/**
 * @param fetch as `fetchIn` gives it, or with more.
 * @param suffices whether an event with arguments of these names is of use.
 * @param canReadOffsets false where the release's structures are not the upstream ones.
 */
export function formsOf(
  arch: RecordedArch,
  fn: RecordedFunction,
  release: Release,
  fetch: string,
  suffices: (names: readonly string[]) => boolean,
  canReadOffsets: boolean,
): FetchForms {
  const given = fetch.split(" ").filter((argument) => argument !== "");
  const byOffset: string[] = [];
  const leftOut: string[] = [];
  for (const argument of given) {
    const resolved = canReadOffsets ? withOffsets(arch, argument, release) : argument;
    if (FIELD.test(resolved)) leftOut.push(nameOfArgument(argument));
    else byOffset.push(resolved);
  }
  const hasFields = given.some((argument) => FIELD.test(argument));
  return {
    byName: hasFields ? given.map((argument) => byNameOf(arch, fn, argument)).join(" ") : undefined,
    byOffset: suffices(byOffset.map(nameOfArgument)) ? byOffset.join(" ") : undefined,
    leftOut,
  };
}

/** `size` of `size=%x2:x64`. */
export function nameOfArgument(argument: string): string {
  return argument.split("=", 1)[0]!;
}

/** Offsets in place of fields, inside out; what is not known stays. */
function withOffsets(arch: RecordedArch, argument: string, release: Release): string {
  const field = FIELD.exec(argument);
  if (field === null) return argument;
  const offset = offsetOf(arch, `${field[1]}.${field[2]}`, release);
  if (offset === undefined) return argument;
  return withOffsets(arch, argument.replace(FIELD, `+${offset}(${field[3]})`), release);
}

/** `+{kvm_pgtable.mmu}(%x0)` by name: `pgt->mmu`. */
function byNameOf(arch: RecordedArch, fn: RecordedFunction, argument: string): string {
  const params = fn.params.split(" ");
  let text = argument;
  for (let field = FIELD.exec(text); field !== null; field = FIELD.exec(text)) {
    const [, , member, base = ""] = field;
    const index = argumentIndex(arch, base);
    text = text.replace(FIELD, `${index < 0 ? base : params[index]}->${member}`);
  }
  return text;
}

const X86_REGISTERS = ["%di", "%si", "%dx", "%cx", "%r8", "%r9"];

/** Which argument a register holds, from 0; -1 for anything else. */
export function argumentIndex(arch: RecordedArch, register: string): number {
  if (arch === "x86") return X86_REGISTERS.indexOf(register);
  return /^%x[0-7]$/.test(register) ? Number(register[2]) : -1;
}
