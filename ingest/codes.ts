/** Names and their positions: the numeric codes that columns and hot code use for a fixed list of names. */
export function codesOf<Name extends string>(
  names: readonly Name[],
): Readonly<Record<Name, number>> {
  const codes: Partial<Record<Name, number>> = {};
  for (const [code, name] of names.entries()) codes[name] = code;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop has set every name
  return Object.freeze(codes) as Readonly<Record<Name, number>>;
}
