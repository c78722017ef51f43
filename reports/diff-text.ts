import type { DiffRow } from "./diff.ts";
import { formatTable, type TableColumn, type TerminalOptions } from "./terminal.ts";

const TITLES: Readonly<Record<DiffRow["kind"], string>> = {
  configuration: "Configuration",
  input: "Inputs",
  loss: "Losses (times)",
  flushes: "Invalidations",
  refills: "TLB refills (modelled)",
  downtime: "Downtime (estimated)",
};

/** What `diff` prints: a table for each kind of difference. */
export function formatDiff(
  rows: readonly DiffRow[],
  names: readonly [before: string, after: string],
  options: TerminalOptions = {},
): string {
  if (rows.length === 0) return "no difference\n";
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  return kinds
    .map((kind) => {
      const own = rows.filter((row) => row.kind === kind);
      const hasNumbers = own.some(({ difference }) => difference !== null);
      const columns: readonly TableColumn[] = [
        { header: "what", align: "left", key: true },
        { header: names[0], align: hasNumbers ? "right" : "left" },
        { header: names[1], align: hasNumbers ? "right" : "left" },
        ...(hasNumbers ? [{ header: "difference", align: "right" } as const] : []),
      ];
      const cells = own.map(({ name, before, after, difference }) => [
        name,
        before === "" ? "—" : before,
        after === "" ? "—" : after,
        ...(hasNumbers ? [signed(difference)] : []),
      ]);
      return `${TITLES[kind]}\n${formatTable(columns, cells, options)}`;
    })
    .join("\n");
}

function signed(difference: number | null): string {
  if (difference === null) return "—";
  return difference > 0 ? `+${difference}` : `−${Math.abs(difference)}`;
}
