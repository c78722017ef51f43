/**
 * The event table as files hold it: one row an event or a loss, the same columns in the same order in
 * Arrow and in CSV, whatever the trace was recorded as. `EventColumns` is the same table in memory.
 */

/** Grows by one when a column is added, removed, reordered or changes its meaning. */
export const EVENT_TABLE_VERSION = 1;

export type EventTableType = "int64" | "uint64" | "int32" | "uint32" | "uint16" | "utf8" | "kind";

export interface EventTableColumn {
  readonly name: string;
  /** Arrow type; `kind` is a dictionary of UInt8 indices into names. */
  readonly type: EventTableType;
  /** Null in Arrow, an empty cell in CSV. */
  readonly nullable: boolean;
  readonly unit: string;
  readonly meaning: string;
  /** How CSV writes it: `hex` is 0x and 16 digits, so that no program takes it for a rounded number. */
  readonly csv: "decimal" | "hex" | "text";
}

const column = (
  name: string,
  type: EventTableType,
  csv: EventTableColumn["csv"],
  unit: string,
  meaning: string,
): EventTableColumn => ({ name, type, nullable: true, unit, meaning, csv });
const always = (of: EventTableColumn): EventTableColumn => ({ ...of, nullable: false });

export const EVENT_TABLE_COLUMNS: readonly EventTableColumn[] = [
  always(column("ts_ns", "int64", "decimal", "ns", "value of the trace's clock, exact")),
  column("cpu", "uint16", "decimal", "", "CPU number; null: not recorded"),
  column("pid", "int32", "decimal", "", "thread id; null: not recorded"),
  always(column("event", "utf8", "text", "", "name that the trace gives the event")),
  always(column("kind", "kind", "text", "", "what the event means, by its kernel function")),
  always(column("line", "uint32", "decimal", "", "line or record of the source, from 1")),
  column("pgt", "uint64", "hex", "pointer", "struct kvm_pgtable"),
  column("mmu", "uint64", "hex", "pointer", "struct kvm_s2_mmu"),
  column("kvm", "uint64", "hex", "pointer", "struct kvm"),
  column("addr", "uint64", "decimal", "by kind", "start address; bytes, or pages by kind"),
  column("len", "uint64", "decimal", "by kind", "length; bytes, or pages by kind"),
  column("phys", "uint64", "decimal", "byte", "output address"),
  column("prot", "uint64", "hex", "", "enum kvm_pgtable_prot"),
  column("arg0", "int64", "decimal", "by kind", "meaning by kind"),
  column("arg1", "int64", "decimal", "by kind", "meaning by kind"),
  column("arg2", "int64", "decimal", "by kind", "meaning by kind"),
  column("arg3", "int64", "decimal", "by kind", "meaning by kind"),
];
