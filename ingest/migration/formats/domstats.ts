import { fieldTable, MIB, plainNumber } from "../field-table.ts";
import type { MigrationFormat } from "../format.ts";

const FIELDS = fieldTable({
  "dirtyrate.megabytes_per_second": ["dirtyRateBytesPerS", MIB],
  "dirtyrate.calc_period": ["dirtyRatePeriodMs", 1000],
});
const KINDS = {
  "page-sampling": "sampled-content",
  "dirty-bitmap": "unique-pages",
  "dirty-ring": "ring-pushes",
} as const;
/** VIR_DOMAIN_DIRTYRATE_MEASURED. */
const MEASURED = 2;
const LINE = /^\s*(dirtyrate\.[\w.]+)=(.*?)\s*$/;
const VCPU = /^dirtyrate\.vcpu\.(\d+)\.megabytes_per_second$/;

/** virsh domstats --dirtyrate; its megabytes are MiB. */
export const domstats: MigrationFormat = {
  id: "domstats",
  vmm: "libvirt",
  describes: "virsh domstats --dirtyrate",
  applies: (text) => /^\s*dirtyrate\.\w+=/m.test(text),
  read(text, builder) {
    let status = MEASURED;
    for (const line of text.split("\n")) {
      const [, name = "", rest = ""] = LINE.exec(line) ?? [];
      if (name === "") continue;
      const value = plainNumber(rest);
      const rule = FIELDS.get(name);
      const vcpu = VCPU.exec(name)?.[1];
      if (rule !== undefined) builder.set(rule.field, value * rule.factor, name);
      else if (name === "dirtyrate.calc_status") status = value;
      else if (name === "dirtyrate.calc_mode") {
        const kind = Object.entries(KINDS).find(([mode]) => mode === rest)?.[1];
        if (kind === undefined) builder.unknown(`${name} = ${rest}`);
        else builder.dirtyRateKind = kind;
      } else if (vcpu !== undefined && !Number.isNaN(value)) {
        builder.vcpuDirtyRates.push({ vcpu: Number(vcpu), bytesPerS: value * MIB });
      } else if (name !== "dirtyrate.calc_start_time") builder.unknown(name);
    }
    if (status === MEASURED) return;
    builder.demote("dirtyRateBytesPerS");
    builder.note(`the dirty rate is not measured yet (calc_status ${status})`);
  },
};
