import { tornadoOf } from "../../replay/migration/tornado.ts";
import type { DowntimeView } from "../../reports/downtime/view.ts";
import { toolIdentity } from "../version.ts";

/** The page of an estimate; what draws it is loaded only here. */
export async function downtimePageOf({
  estimate,
  argv,
  settings,
  warnings,
  trace,
}: DowntimeView): Promise<string> {
  const { downtimePage } = await import("../../reports/html/downtime/page.ts");
  const { viewOfEstimate } = await import("../../reports/html/downtime/view-of-estimate.ts");
  return await downtimePage({
    view: viewOfEstimate(estimate, tornadoOf(estimate.request, estimate.policies)),
    tool: toolIdentity(),
    subject: trace?.input.path ?? "parameters alone",
    argv,
    settings: settings.map(({ name, value, origin }) => ({ name, value: String(value), origin })),
    assumptions: warnings,
    losses: (trace?.input.losses ?? []).map(({ count, sentence }) => `${count} × ${sentence}`),
  });
}
