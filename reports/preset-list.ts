import { partsOf } from "../replay/tlb/preset-shape.ts";
import type { TlbPreset } from "../replay/tlb/presets/preset.ts";
import { formatTable, type TableColumn } from "./terminal.ts";

/** What `--tlb-set` calls the parts, in words. */
const MEANINGS: Readonly<Record<string, string>> = {
  l1: "first level, data: entries, or sets x ways",
  l1i: "first level, instructions: used by instruction fetches only",
  l2: "second level, combined entries: entries, or sets x ways",
  coalesce: "neighbouring pages in one second-level entry",
  stage2: "entries that hold stage 2 only",
  "stage2-from": "smallest leaf of those: 0 pages, 1 blocks",
  walk: "pointers to tables, of each stage",
  replace: "which entry of both levels gives way",
  latency: "in words; nothing is computed from it",
};

interface PresetNumber {
  readonly part: string;
  readonly meaning: string;
  /** What is published; null where nothing is. */
  readonly value: string | null;
  /** What the model uses; null of what it does not use. */
  readonly used: string | null;
  readonly confidence: string;
  readonly source: string;
}

function numbersOf(preset: TlbPreset): readonly PresetNumber[] {
  const parts = partsOf(preset).map(({ part, text, known: { confidence, source } }) => ({
    part,
    meaning: MEANINGS[part] ?? "",
    value: confidence === "unknown" ? null : text,
    used: text,
    confidence,
    source,
  }));
  const { value, confidence, source } = preset.latency;
  return [
    ...parts,
    {
      part: "latency",
      meaning: MEANINGS["latency"] ?? "",
      value: confidence === "unknown" ? null : value,
      used: null,
      confidence,
      source,
    },
  ];
}

/** JSON of `--tlb list`. */
export function presetsJson(presets: readonly TlbPreset[]): string {
  const list = presets.map((preset) => ({
    id: preset.id,
    title: preset.title,
    numbers: numbersOf(preset),
  }));
  return `${JSON.stringify({ presets: list }, null, 2)}\n`;
}

const COLUMNS: readonly TableColumn[] = [
  { header: "part", align: "left", key: true },
  { header: "value", align: "left" },
  { header: "used", align: "left" },
  { header: "known", align: "left" },
  { header: "source", align: "left" },
];

/** Every number of every preset: its value, what is used, how well it is known and from where. */
export function formatPresets(presets: readonly TlbPreset[]): string {
  const blocks = presets.map((preset) => {
    const rows = numbersOf(preset).map(({ part, value, used, confidence, source }) => [
      part,
      value ?? "unknown",
      used ?? "-",
      confidence,
      source,
    ]);
    return `${preset.id}: ${preset.title}\n${formatTable(COLUMNS, rows)}`;
  });
  const parts = Object.entries(MEANINGS).map(([part, meaning]) => `  ${part}: ${meaning}\n`);
  return `${blocks.join("\n")}\nParts\n${parts.join("")}`;
}
