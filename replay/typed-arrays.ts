/** Copies the values of an array to the beginning of a larger one, and returns that. */
export function grown<Values extends { set(values: ArrayLike<number>): void } & ArrayLike<number>>(
  values: ArrayLike<number>,
  larger: Values,
): Values {
  larger.set(values);
  return larger;
}
