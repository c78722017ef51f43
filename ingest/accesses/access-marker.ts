/** What a line of the stage-2 driver says that the guest accesses: `n` pages from `ipa` on. */
export interface MarkedAccesses {
  /** The driver's number of the VM; undefined where it is not said. */
  readonly vm: number | undefined;
  readonly isWrite: boolean;
  readonly ipaBytes: number;
  /** From one access to the next; a page where the line does not say. */
  readonly strideBytes: number;
  readonly count: number;
}

/** Beyond this a marker is not what it looks like: 2^40 bytes in pages of 4 KiB. */
const MAX_COUNT: number = 2 ** 28;
const MAX_IPA: number = 2 ** 52;
const OPERATION = /(?:^|\s)op=(?:read|write)(?:\s|$)/;
const FIELD = /(?:^|\s)(vm|op|ipa|stride|n)=(\S+)/g;

/**
 * Reads the text of a trace marker `… op=read|write ipa=HEX [stride=HEX] n=N`.
 * @returns undefined where the text tells no access; a sentence where it does but cannot be used.
 */
export function parseAccessMarker(
  text: string,
  pageBytes: number,
): MarkedAccesses | string | undefined {
  if (!OPERATION.test(text)) return undefined;
  const fields = new Map<string, string>();
  for (const [, name, value] of text.matchAll(FIELD)) {
    if (fields.has(name!)) return `${name} stands twice`;
    fields.set(name!, value!);
  }
  const hex = (name: string): number | undefined => {
    const value = fields.get(name) ?? "";
    return /^(?:0x)?[0-9a-f]{1,13}$/i.test(value) ? Number.parseInt(value, 16) : undefined;
  };
  const ipaBytes = hex("ipa");
  const count = /^\d{1,9}$/.test(fields.get("n") ?? "") ? Number(fields.get("n")) : undefined;
  const strideBytes = fields.has("stride") ? hex("stride") : pageBytes;
  const vm = fields.get("vm");
  if (ipaBytes === undefined) return "no ipa in hexadecimal";
  if (count === undefined || count > MAX_COUNT) return "no number n of accesses";
  if (strideBytes === undefined || strideBytes === 0) return "a stride that is no number";
  if (ipaBytes + strideBytes * count > MAX_IPA) return "accesses behind the last IPA";
  if (vm !== undefined && !/^\d{1,6}$/.test(vm)) return "vm is no number";
  const isWrite = fields.get("op") === "write";
  return { vm: vm === undefined ? undefined : Number(vm), isWrite, ipaBytes, strideBytes, count };
}
