import { type CostTable, shippedTable } from "../../replay/costs/cost-table.ts";
import { readSiteCosts, withSiteCosts } from "../../replay/costs/site-costs.ts";
import { withChanges } from "./cost-option.ts";
import { HOST_MODELS } from "./host-models.ts";
import type { SettingList } from "./setting-list.ts";
import type { DowntimeValues } from "./values.ts";

/** The shipped constants of one calibration, then those of a machine, a site's file and single options. */
export async function costTableOf(
  values: DowntimeValues,
  settings: SettingList,
): Promise<CostTable> {
  const calibration = values.calibration ?? "idle";
  settings.text(
    "calibration",
    `${calibration} machine`,
    values.calibration === undefined ? "default" : "--calibration",
  );
  let table = shippedTable(calibration);
  const model = HOST_MODELS.find(({ id }) => id === values["host-model"]);
  if (model !== undefined) {
    settings.text("host model", `${model.id} (${model.source})`, "--host-model");
    const costs = model.costs.map((change) => ({
      ...change,
      measuredOn: model.id,
      source: model.source,
      date: "as published",
    }));
    const usable = costs.filter(({ name }) => isOfCalibration(table, name));
    table = withSiteCosts(table, { calibration, costs: usable }, `--host-model ${model.id}`);
  }
  if (values.costs !== undefined) {
    table = withSiteCosts(table, await readSiteCosts(values.costs), values.costs);
    settings.text("costs of the site", values.costs, "--costs");
  }
  const changes = values.cost ?? [];
  for (const { name, low, high, unit } of changes) {
    settings.text(name, low === high ? `${low} ${unit}` : `${low} to ${high} ${unit}`, "--cost");
  }
  return withChanges(table, changes, calibration);
}

/** Published machines were measured idle: on a loaded table only what is the same on both is replaced. */
function isOfCalibration({ calibration, costs }: CostTable, name: string): boolean {
  const cost = costs.find((one) => one.name === name);
  return calibration === "idle" || cost?.conditions === "either";
}
