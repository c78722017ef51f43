import { parseCosts } from "./cost-option.ts";
import type { CostChange } from "./cost-option.ts";

/** A machine whose measurements are published: its constants in the place of ranges over all machines. */
export interface HostModel {
  readonly id: string;
  readonly costs: readonly CostChange[];
  /** Undefined where the source does not say. */
  readonly fwb: boolean | undefined;
  readonly source: string;
}

export const HOST_MODELS: readonly HostModel[] = [
  {
    id: "kunpeng-920",
    costs: parseCosts(["t_walk=46.5..69.7ns", "t_cmo=0.495..0.497us", "t_wp=19.4ns"]),
    fwb: false,
    source: "Wang, 2021-02; commit c862626e19ef",
  },
  {
    id: "ampere-altra",
    costs: parseCosts([
      "t_ser_spinlock=1.21..1.23us",
      "t_ser_rwlock=0.34..0.36us",
      "t_fault=1.5..1.8us",
    ]),
    fwb: undefined,
    source: "20220118015703.3630552-1",
  },
  {
    id: "ampereone",
    costs: parseCosts(["t0_split=5.1us", "s_broadcast=1.16..1.41us", "t_eager=3.2us"]),
    fwb: undefined,
    source: "20230215174046, Koller",
  },
  {
    id: "google-vhe-2023",
    costs: parseCosts(["t_ipa=1.49..1.53us", "t_walk_unmap=430..510ns"]),
    fwb: true,
    source: "20230811045127.3308641-1",
  },
];
