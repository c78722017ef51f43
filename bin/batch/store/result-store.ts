/**
 * Where a batch keeps its results: a folder (a shared one for several machines) or a bucket. A document is
 * there as a whole or not at all, writing one again with the same text changes nothing, and its name is
 * made of its kind and its key alone.
 */
export interface ResultStore {
  /** For messages; without credentials. */
  readonly description: string;
  has(kind: DocumentKind, key: string): Promise<boolean>;
  /** Undefined where there is none. */
  read(kind: DocumentKind, key: string): Promise<string | undefined>;
  /** @throws TraceError UNWRITABLE. */
  write(kind: DocumentKind, key: string, text: string): Promise<void>;
  /** Does nothing where there is none. */
  remove(kind: DocumentKind, key: string): Promise<void>;
  /** For a person: where the document lies, relative to the store. */
  place(kind: DocumentKind, key: string): string;
  close(): void;
}

export const DOCUMENT_KINDS = ["results", "failures"] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

/** No document of ours is larger: what is gets not read. */
export const MAX_DOCUMENT_BYTES: number = 256 * 1024 * 1024;
