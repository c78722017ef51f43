import { withoutCompilerSuffix } from "./functions.ts";
import { parameterName } from "./parameters.ts";
import type { ProbeArgument, ProbeDefinition } from "./probe-definitions.ts";

/** What the definition of a probe says of one of its arguments. */
export interface DeclaredArgument {
  /** Name, known to `roles.ts`, of the parameter that it prints. */
  readonly means: string;
  /** Bits that are printed; 0: not as a number. */
  readonly bits: number;
}

/** By the name that the user gave the argument. */
export type DeclaredArguments = ReadonlyMap<string, DeclaredArgument>;

const REGISTER = /^%x([0-7])$/;
/** Counted from 1. */
const ARGUMENT = /^\$arg([1-8])$/;
/** A parameter by its name in the kernel's own type information. */
const BTF_NAME = /^[A-Za-z_]\w*$/;
const NUMBER_TYPE = /^[usx](8|16|32|64)$/;

/**
 * What the arguments of a probe's lines are, by the registers that its definition fetches. Where several
 * definitions of one name disagree on an argument, nothing is said of it.
 */
export function declaredArguments(
  definitions: readonly ProbeDefinition[],
  symbol: string,
  isReturn: boolean,
): DeclaredArguments {
  const wanted = withoutCompilerSuffix(symbol);
  const declared = new Map<string, DeclaredArgument>();
  const disputed = new Set<string>();
  for (const definition of definitions) {
    const at = definition.symbol;
    if (at === undefined || withoutCompilerSuffix(at) !== wanted) continue;
    if (definition.isReturn !== isReturn) continue;
    for (const argument of definition.arguments) {
      const found = declare(argument, wanted, isReturn);
      const earlier = declared.get(argument.name);
      if (found === undefined) disputed.add(argument.name);
      else if (earlier === undefined) declared.set(argument.name, found);
      else if (!isSame(earlier, found)) disputed.add(argument.name);
    }
  }
  for (const name of disputed) declared.delete(name);
  return declared;
}

function declare(
  { fetch, type }: ProbeArgument,
  symbol: string,
  isReturn: boolean,
): DeclaredArgument | undefined {
  const means = isReturn ? returned(fetch) : parameterOf(fetch, symbol);
  if (means === undefined) return undefined;
  const width = NUMBER_TYPE.exec(type)?.[1];
  // Without a type a register is printed whole, and a parameter by the kernel's own type of it.
  return { means, bits: type === "" ? 64 : Number(width ?? 0) };
}

function returned(fetch: string): string | undefined {
  return fetch === "$retval" ? "ret" : undefined;
}

function parameterOf(fetch: string, symbol: string): string | undefined {
  const register = REGISTER.exec(fetch)?.[1];
  if (register !== undefined) return parameterName(symbol, Number(register));
  const position = ARGUMENT.exec(fetch)?.[1];
  if (position !== undefined) return parameterName(symbol, Number(position) - 1);
  return BTF_NAME.test(fetch) ? fetch : undefined;
}

function isSame(a: DeclaredArgument, b: DeclaredArgument): boolean {
  return a.means === b.means && a.bits === b.bits;
}
