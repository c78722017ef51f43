import { ARM_PRESETS } from "./arm.ts";
import { OTHER_PRESETS } from "./others.ts";
import type { TlbPreset } from "./preset.ts";

export const TLB_PRESETS: readonly TlbPreset[] = [...ARM_PRESETS, ...OTHER_PRESETS];

export function findPreset(id: string): TlbPreset | undefined {
  return TLB_PRESETS.find((preset) => preset.id === id);
}
