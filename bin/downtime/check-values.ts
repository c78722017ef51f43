import { VMMS } from "../../replay/migration/vmm.ts";
import { sizeText } from "../../reports/downtime/units.ts";
import { badOption } from "../values.ts";
import type { DowntimeValues } from "./values.ts";

/** Refuses options that contradict each other. @throws TraceError BAD_OPTION */
export function checkValues(values: DowntimeValues): void {
  const { memory, slots } = values;
  if (values["force-at"] !== undefined && values["cancel-at"] !== undefined) {
    throw badOption(
      "force-at",
      "and --cancel-at: the layer above either stops the guest or cancels",
    );
  }
  if (values["post-copy"] && values["force-at"] !== undefined) {
    throw badOption(
      "force-at",
      "has no meaning with --post-copy, which moves after the first pass",
    );
  }
  if (slots !== undefined && memory !== undefined) {
    const sum = slots.reduce((a, b) => a + b, 0);
    if (sum !== memory) {
      throw badOption("slots", `add up to ${sizeText(sum)}, and --memory is ${sizeText(memory)}`);
    }
  }
  checkDirty(values);
  checkVmm(values);
  checkBlocks(values);
}

function checkDirty(values: DowntimeValues): void {
  const { memory } = values;
  const hot = values["hot-set"];
  if (hot !== undefined && memory !== undefined && hot.high > memory) {
    throw badOption(
      "hot-set",
      `is larger (${sizeText(hot.high)}) than --memory (${sizeText(memory)})`,
    );
  }
  const zero = values["zero-pages"];
  if (zero !== undefined && memory !== undefined && zero > memory) {
    throw badOption(
      "zero-pages",
      `are more (${sizeText(zero)}) than --memory (${sizeText(memory)})`,
    );
  }
  if (hot !== undefined && values["dirty-rate"]?.high === 0) {
    throw badOption("hot-set", "says how much is written, and --dirty-rate is 0: nothing is");
  }
}

function checkVmm(values: DowntimeValues): void {
  const { vmm } = values;
  const chosen = vmm === undefined ? undefined : VMMS[vmm];
  if (values["auto-converge"] && chosen?.canThrottle === false) {
    throw badOption("auto-converge", `is not there in ${chosen.name}`);
  }
  if (values["throttle-timer"] !== undefined && !values["auto-converge"]) {
    throw badOption("throttle-timer", "says how often auto-converge looks, and it is off");
  }
  if (values["stop-rule"] === "early-sync" && chosen?.id === "cloud-hypervisor") {
    throw badOption("stop-rule", `early-sync is QEMU's, and --vmm is ${chosen.name}`);
  }
  if ((values["eager-chunk"] ?? 0) > 0 && values["host-page"] === 4096) {
    throw badOption("eager-chunk", "splits blocks, and --host-page 4k has none");
  }
}

function checkBlocks(values: DowntimeValues): void {
  const { blocks, memory } = values;
  const page = values["host-page"];
  if (blocks === undefined) return;
  if (page === 4096) throw badOption("blocks", "are larger than pages, and --host-page is 4k");
  if (memory !== undefined && page !== undefined && blocks.high * page > memory) {
    throw badOption(
      "blocks",
      `of ${sizeText(page)} are more (${blocks.high}) than --memory holds (${sizeText(memory)})`,
    );
  }
  const vcpus = values.vcpus;
  const faulting = values["faulting-vcpus"];
  if (faulting !== undefined && vcpus !== undefined && faulting > vcpus) {
    throw badOption("faulting-vcpus", `are more (${faulting}) than --vcpus (${vcpus})`);
  }
}
