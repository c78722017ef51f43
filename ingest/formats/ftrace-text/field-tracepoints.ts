import type { TracepointText } from "../../vocabulary/tracepoints.ts";
import {
  isLaidOut,
  X86_TRACEPOINT_FIELDS,
  type X86TracepointText,
} from "../../vocabulary/x86-tracepoints.ts";

/**
 * The text of the stock tracepoints, as the default layout prints it, from the fields that the `fields`
 * option prints in its place. Undefined: the fields are not those of this tracepoint.
 */
export function tracepointText(
  text: TracepointText,
  fields: ReadonlyMap<string, string>,
): string | undefined {
  if (isLaidOut(text)) return laidOutText(text, fields);
  const { ipa, hsr, start, end, hva, reason, errno, vcpu_id, hcr_el2 } = Object.fromEntries(fields);
  switch (text) {
    case "none":
    case "marker":
      return "";
    case "guestFault":
      return ipa && hsr && `ipa ${ipa}, hsr ${hsr}`;
    case "accessFault":
      return ipa && `IPA: ${ipa}`;
    case "hvaRange":
      return start && end && `mmu notifier unmap range: ${start} -- ${end}`;
    case "hvaOne":
      return hva && `mmu notifier set pte hva: ${hva}`;
    case "userspaceExit":
      return reason && userspaceExit(Number(reason), Number(errno ?? 0) | 0);
    case "vcpuNumber":
      return vcpu_id && `vcpu ${Number(vcpu_id)}`;
    case "nestedEret":
      return hcr_el2 && `hcr_el2: ${hcr_el2.replace(/^0x/, "")}`;
    default:
      return text satisfies never;
  }
}

/** Undefined: one of its fields is missing. */
function laidOutText(
  text: X86TracepointText,
  fields: ReadonlyMap<string, string>,
): string | undefined {
  const pieces: string[] = [];
  for (const { field, label, isOptional } of X86_TRACEPOINT_FIELDS[text]) {
    const value = fields.get(field);
    if (value !== undefined) pieces.push(`${label}${value}`);
    else if (isOptional !== true) return undefined;
  }
  return pieces.join(" ");
}

function userspaceExit(reason: number, errno: number): string {
  return errno < 0 ? `reason error (${-errno})` : `reason KVM (${reason})`;
}
