const STEPS: readonly (readonly [bytes: number, unit: string])[] = [
  [2 ** 40, "TiB"],
  [2 ** 30, "GiB"],
  [2 ** 20, "MiB"],
  [2 ** 10, "KiB"],
];

/** `192 GiB`, `10.7 GiB`, `4 KiB`: at most four figures. */
export function sizeText(bytes: number): string {
  const [step, unit] = STEPS.find(([least]) => bytes >= least) ?? [1, "B"];
  return `${Number((bytes / step).toPrecision(4))} ${unit}`;
}
