import { downtimeJson } from "../../reports/downtime/json.ts";
import type { DowntimeView } from "../../reports/downtime/view.ts";

/** The page of an estimate, made of its document; what draws it is loaded only here. */
export async function downtimePageOf(view: DowntimeView): Promise<string> {
  const { downtimePage } = await import("../../reports/html/downtime/page.ts");
  const { pageInputOf } = await import("../../reports/html/downtime/document.ts");
  const input = pageInputOf(JSON.parse(downtimeJson(view)));
  if (input === undefined) throw new Error("the document of an estimate lacks what its page needs");
  return await downtimePage(input);
}
