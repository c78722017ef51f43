import { TraceError } from "../../errors.ts";
import type { MemslotFact, MemslotTable } from "./memslot.ts";

/**
 * Memslots from what QEMU's monitor prints: `info ramblock` (which host address a block of RAM has; QEMU
 * 8.1 and later) and `info mtree -f` or `info mtree` (where in the guest it lies), in one file. Columns and
 * lines that are not of these two are passed over: the monitor prints much else.
 */
export function readMemslotsOfQemu(text: string, path: string, pageBytes: number): MemslotTable {
  const lines = text.split(/\r?\n/);
  const blocks = blocksOf(lines);
  const regions = regionsOf(lines);
  if (regions.length === 0) {
    throw new TraceError(
      "BAD_OPTION",
      "no RAM of the guest is in it: 'info mtree -f' tells where that lies",
      path,
    );
  }
  const notes: string[] = [];
  const slots: MemslotFact[] = [];
  for (const region of regions) {
    const block = blocks.find(({ name }) => isSameBlock(name, region.block));
    if (block?.hvaBytes === undefined) {
      notes.push(
        block === undefined
          ? `${path}: 'info ramblock' does not name ${region.block}: its unmaps cannot be placed`
          : `${path}: 'info ramblock' has no host address of ${region.block} (QEMU before 8.1)`,
      );
    }
    slots.push(slotOf(region, block, pageBytes));
  }
  return { slots, form: "qemu", notes };
}

interface Block {
  readonly name: string;
  readonly pageBytes: number;
  readonly hvaBytes: number | undefined;
}

interface Region {
  readonly block: string;
  readonly ipaBytes: number;
  readonly lenBytes: number;
  readonly offsetBytes: number;
  readonly isReadOnly: boolean;
}

function slotOf(region: Region, block: Block | undefined, pageBytes: number): MemslotFact {
  const hva = block?.hvaBytes;
  // Pages of the host's own size may still be huge ones (THP): only larger ones are told by it.
  const isHuge = block !== undefined && block.pageBytes > pageBytes;
  return {
    vm: "qemu",
    slot: undefined,
    ipaBytes: region.ipaBytes,
    lenBytes: region.lenBytes,
    hvaBytes: hva === undefined ? undefined : hva + region.offsetBytes,
    backingBytes: isHuge ? block.pageBytes : undefined,
    isReadOnly: region.isReadOnly,
    isLogged: undefined,
    pid: undefined,
    fromNs: undefined,
    toNs: undefined,
  };
}

/** `mach-virt.ram    4 KiB  0x… 0x… 0x… 0x00007f…  rw`: offset, used, total, and since 8.1 the host address. */
const BLOCK =
  /^\s*(\S+)\s+(\d+) ([KMGT]?)i?B\s+0x[\da-f]+\s+0x[\da-f]+\s+0x[\da-f]+(?:\s+(0x[\da-f]+))?/i;
const PAGE_UNITS = ["", "K", "M", "G", "T"];

function blocksOf(lines: readonly string[]): readonly Block[] {
  const blocks: Block[] = [];
  for (const line of lines) {
    const [, name, count, unit = "", hva] = BLOCK.exec(line) ?? [];
    if (name === undefined) continue;
    const pageBytes = Number(count) * 1024 ** PAGE_UNITS.indexOf(unit.toUpperCase());
    blocks.push({ name, pageBytes, hvaBytes: hva === undefined ? undefined : Number(hva) });
  }
  return blocks;
}

/** `0000000040000000-0000000047ffffff (prio 0, ram): mach-virt.ram @0000000000000000 KVM`. */
const REGION = /^\s*([\da-f]{8,16})-([\da-f]{8,16}) \(prio -?\d+, (ram|rom|romd|nv-ram)\): (.*)$/i;
/** Of a tree: `alias ram-below-4g @pc.ram 0000000000000000-00000000bfffffff`. */
const ALIAS = /^alias \S+ @(\S+) ([\da-f]{8,16})-[\da-f]{8,16}/i;
const NAME = /^(\S+)(?: @([\da-f]{8,16}))?/i;

function regionsOf(lines: readonly string[]): readonly Region[] {
  const found = new Map<number, Region>();
  const hasViews = lines.some((line) => line.startsWith("FlatView"));
  let isMemory = !hasViews;
  for (const line of lines) {
    if (line.startsWith("FlatView")) isMemory = false;
    // A view stands for all address spaces that it names; the guest's own is "memory".
    else if (/^\s*AS "memory"/.test(line)) isMemory = true;
    const [, first, last, kind, rest] = REGION.exec(line) ?? [];
    if (!isMemory || first === undefined || last === undefined || rest === undefined) continue;
    if (rest.includes("[disabled]")) continue;
    const region = regionOf(first, last, kind ?? "", rest);
    // A tree names what an alias shows at its own place too: the first one is the outermost.
    if (region !== undefined && !found.has(region.ipaBytes)) found.set(region.ipaBytes, region);
  }
  return [...found.values()];
}

function regionOf(first: string, last: string, kind: string, rest: string): Region | undefined {
  const alias = ALIAS.exec(rest);
  const [, block, offset] = alias ?? NAME.exec(rest) ?? [];
  if (block === undefined) return undefined;
  const ipaBytes = Number.parseInt(first, 16);
  return {
    block,
    ipaBytes,
    lenBytes: Number.parseInt(last, 16) + 1 - ipaBytes,
    offsetBytes: offset === undefined ? 0 : Number.parseInt(offset, 16),
    isReadOnly: kind.toLowerCase().startsWith("rom"),
  };
}

/** A block may carry its device or its place in front of the region's name. */
function isSameBlock(block: string, region: string): boolean {
  return block === region || block.endsWith(`/${region}`);
}
