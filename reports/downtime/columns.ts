import type { Column } from "../schema.ts";

/** Columns of the tables of `downtime`, short to write. */
type Named<Name> = Omit<Column<unknown>, "name"> & { readonly name: Name };

export function label<Name extends string>(name: Name, meaning: string): Named<Name> {
  return { name, type: "utf8", nullable: false, unit: "", meaning };
}

export function maybeLabel<Name extends string>(name: Name, meaning: string): Named<Name> {
  return { ...label(name, meaning), nullable: true };
}

export function number<Name extends string>(
  name: Name,
  unit: string,
  meaning: string,
): Named<Name> {
  return { name, type: "float64", nullable: true, unit, meaning };
}

export function count<Name extends string>(name: Name, unit: string, meaning: string): Named<Name> {
  return { name, type: "int64", nullable: false, unit, meaning };
}
