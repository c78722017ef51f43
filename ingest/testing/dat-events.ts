import { ByteWriter } from "./byte-writer.ts";

/** Event ids of the built files. */
export const TestEvent = { print: 5, map: 100, mapRet: 101, applyRange: 102, entry: 103 } as const;

/** Where the probed functions of the built files stand. */
export const TestSymbol = {
  map: 0xffff_8000_8009_f450n,
  unmap: 0xffff_8000_8009_f800n,
  applyRange: 0xffff_8000_8006_0000n,
  marker: 0xffff_8000_8020_0000n,
} as const;

/** Lines of kallsyms for those functions. */
export const TEST_KALLSYMS: string = [
  "ffff800080000000 T _text",
  "ffff800080060000 t stage2_apply_range",
  "ffff80008009f450 T kvm_pgtable_stage2_map",
  "ffff80008009f800 T kvm_pgtable_stage2_unmap",
  "ffff800080200000 t tracing_mark_write",
  "ffff800080300000 t somewhere [module]",
]
  .map((line) => `${line}\n`)
  .join("");

const COMMON = [
  "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;",
  "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;",
  "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;",
  "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;",
];

/** The format text of an event with these fields: type, name, offset, size. */
export function formatText(
  name: string,
  id: number,
  fields: readonly (readonly [string, string, number, number])[],
): string {
  const lines = fields.map(
    ([type, field, offset, size]) =>
      `\tfield:${type} ${field};\toffset:${offset};\tsize:${size};\tsigned:${type.startsWith("s") ? 1 : 0};`,
  );
  const fieldText = [...COMMON, "", ...lines].join("\n");
  return `name: ${name}\nID: ${id}\nformat:\n${fieldText}\n\nprint fmt: "(%lx)", REC->x\n`;
}

/** Formats of the kernel's own entries, and of the probes and tracepoints. */
export const FTRACE_FORMATS: readonly string[] = [
  formatText("print", TestEvent.print, [
    ["unsigned long", "ip", 8, 8],
    ["char", "buf[]", 16, 0],
  ]),
];

export const EVENT_FORMATS: readonly string[] = [
  formatText("map", TestEvent.map, [
    ["unsigned long", "__probe_ip", 8, 8],
    ["u64", "pgt", 16, 8],
    ["u64", "addr", 24, 8],
    ["u64", "size", 32, 8],
    ["u64", "phys", 40, 8],
    ["u64", "prot", 48, 8],
  ]),
  formatText("map_ret", TestEvent.mapRet, [
    ["unsigned long", "__probe_func", 8, 8],
    ["unsigned long", "__probe_ret_ip", 16, 8],
    ["s32", "ret", 24, 4],
  ]),
  formatText("apply_range", TestEvent.applyRange, [
    ["unsigned long", "__probe_ip", 8, 8],
    ["u64", "obj", 16, 8],
    ["u64", "addr", 24, 8],
    ["u64", "end", 32, 8],
    ["u64", "fn", 40, 8],
  ]),
  formatText("kvm_entry", TestEvent.entry, [["unsigned long", "vcpu_pc", 8, 8]]),
];

const start = (id: number, littleEndian: boolean, pid: number): ByteWriter =>
  new ByteWriter(littleEndian).u16(id).u8(0).u8(0).u32(pid);

/** Payloads of records. */
export const payloads = {
  map: (addr: number, littleEndian = true, pid = 7): Uint8Array =>
    start(TestEvent.map, littleEndian, pid)
      .u64(TestSymbol.map)
      .u64(0xffff_0000_1111_0000n)
      .u64(addr)
      .u64(0x1000)
      .u64(0x8000_0000 + addr)
      .u64((1n << 55n) | 7n)
      .build(),
  mapRet: (ret: number, littleEndian = true, pid = 7): Uint8Array =>
    start(TestEvent.mapRet, littleEndian, pid)
      .u64(TestSymbol.map)
      .u64(TestSymbol.applyRange + 64n)
      .u32(ret)
      .build(),
  applyRange: (littleEndian = true, pid = 7): Uint8Array =>
    start(TestEvent.applyRange, littleEndian, pid)
      .u64(TestSymbol.applyRange)
      .u64(0xffff_0000_2222_0000n)
      .u64(0x10_0000)
      .u64(0x20_0000)
      .u64(TestSymbol.unmap)
      .build(),
  entry: (littleEndian = true, pid = 7): Uint8Array =>
    start(TestEvent.entry, littleEndian, pid).u64(0x40_0000).build(),
  print: (text: string, littleEndian = true, pid = 7): Uint8Array =>
    start(TestEvent.print, littleEndian, pid).u64(TestSymbol.marker).text(text).align(4).build(),
  unknown: (): Uint8Array => start(999, true, 7).u64(0).build(),
};
