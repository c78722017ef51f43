import { isKey } from "../item-key.ts";
import type { DocumentKind } from "./result-store.ts";

/** `results/ab/abcd….json`: no folder grows beyond what file systems like. */
export function documentPlace(kind: DocumentKind, key: string): string {
  if (!isKey(key)) throw new Error("not a key of a result");
  return `${kind}/${key.slice(0, 2)}/${key}.json`;
}
