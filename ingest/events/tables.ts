import type { EventBatch } from "./columns.ts";
import type { NameTable } from "./names.ts";
import type { PointerTable } from "./pointers.ts";

/** Where a format's parser puts its events: the rows, and the tables that their ids stand in. */
export interface EventTables {
  readonly batch: EventBatch;
  readonly pointers: PointerTable;
  readonly names: NameTable;
}
