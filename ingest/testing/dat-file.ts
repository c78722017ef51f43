import { deflateSync } from "node:zlib";

import { ByteWriter } from "./byte-writer.ts";
import { EVENT_FORMATS, FTRACE_FORMATS, TEST_KALLSYMS } from "./dat-events.ts";

/** What a built trace.dat file holds; everything has a default but the pages. */
export interface DatFileSpec {
  readonly version?: 6 | 7;
  readonly littleEndian?: boolean;
  readonly longBytes?: 4 | 8;
  readonly pageBytes?: number;
  /** Packs sections and chunks (version 7) with zlib. */
  readonly isPacked?: boolean;
  /** Pages of each CPU. */
  readonly cpus: readonly (readonly Uint8Array[])[];
  readonly kallsyms?: string;
  /** CPUSTAT texts. */
  readonly statistics?: readonly string[];
  /** Further options: id and content. */
  readonly options?: readonly (readonly [number, Uint8Array])[];
  /** Another buffer with the pages of one CPU. */
  readonly instance?: { readonly name: string; readonly pages: readonly Uint8Array[] };
}

/** A CPUSTAT text. */
export function cpuStat(cpu: number, readEvents: number, overrun = 0, dropped = 0): string {
  return `CPU: ${cpu}\nentries: 0\noverrun: ${overrun}\ncommit overrun: 0\nbytes: 0\ndropped events: ${dropped}\nread events: ${readEvents}\n`;
}

const PAGES_IN_CHUNK = 2;

/** Builds a whole trace.dat file. */
export function buildDat(spec: DatFileSpec): Buffer {
  return spec.version === 6 ? buildV6(spec) : new V7Builder(spec).build();
}

function preamble(out: ByteWriter, spec: DatFileSpec): void {
  out.bytes(Buffer.from([0x17, 0x08, 0x44])).bytes(Buffer.from("tracing"));
  out.text(String(spec.version ?? 7)).u8(out.littleEndian ? 0 : 1);
  out.u8(spec.longBytes ?? 8).u32(spec.pageBytes ?? 4096);
}

function headerPage({ longBytes = 8, pageBytes = 4096 }: DatFileSpec): string {
  const dataAt = 8 + longBytes;
  return `\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n\tfield: local_t commit;\toffset:8;\tsize:${longBytes};\tsigned:1;\n\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n\tfield: char data;\toffset:${dataAt};\tsize:${pageBytes - dataAt};\tsigned:1;\n`;
}

function putHeaderInfo(out: ByteWriter, spec: DatFileSpec): void {
  for (const [name, text] of [
    ["header_page", headerPage(spec)],
    ["header_event", "# compressed entry header\n"],
  ] as const) {
    out.text(name).u64(text.length).bytes(Buffer.from(text));
  }
}

function putFormats(out: ByteWriter, formats: readonly string[]): void {
  out.u32(formats.length);
  for (const text of formats) out.u64(text.length).bytes(Buffer.from(text));
}

function buildV6(spec: DatFileSpec): Buffer {
  const out = new ByteWriter(spec.littleEndian);
  const kallsyms = spec.kallsyms ?? TEST_KALLSYMS;
  preamble(out, spec);
  putHeaderInfo(out, spec);
  putFormats(out, FTRACE_FORMATS);
  out.u32(1).text("kvm_s2");
  putFormats(out, EVENT_FORMATS);
  out.u32(kallsyms.length).bytes(Buffer.from(kallsyms)).u32(0).u64(0).u32(spec.cpus.length);
  out.text("options  ");
  for (const text of spec.statistics ?? [])
    out
      .u16(2)
      .u32(text.length + 1)
      .text(text);
  for (const [id, bytes] of spec.options ?? []) out.u16(id).u32(bytes.length).bytes(bytes);
  out.u16(0).text("flyrecord");
  const pageBytes = spec.pageBytes ?? 4096;
  const clock = "[mono]\0";
  const tableBytes = 16 * spec.cpus.length + 8 + clock.length;
  let offset = Math.ceil((out.length + tableBytes) / pageBytes) * pageBytes;
  for (const pages of spec.cpus) {
    const lengthBytes = pages.length * pageBytes;
    out.u64(offset).u64(lengthBytes);
    offset += lengthBytes;
  }
  out.u64(clock.length).bytes(Buffer.from(clock)).align(pageBytes);
  for (const pages of spec.cpus) for (const page of pages) out.bytes(page);
  return out.build();
}

/** Version 7, its sections in trace-cmd's order: metadata, options, pages, options, strings. */
class V7Builder {
  readonly #spec: DatFileSpec;
  readonly #out: ByteWriter;
  readonly #pageBytes: number;
  readonly #links = new Map<number, number>();

  constructor(spec: DatFileSpec) {
    this.#spec = spec;
    this.#out = new ByteWriter(spec.littleEndian);
    this.#pageBytes = spec.pageBytes ?? 4096;
  }

  build(): Buffer {
    const out = this.#out;
    const spec = this.#spec;
    preamble(out, spec);
    out.text(spec.isPacked === true ? "zlib" : "none").text("");
    const firstOptionsAt = out.length;
    out.u64(0);
    this.#section(16, (body) => putHeaderInfo(body, spec));
    this.#section(17, (body) => putFormats(body, FTRACE_FORMATS));
    this.#section(18, (body) => putFormats(body.u32(1).text("kvm_s2"), EVENT_FORMATS));
    const kallsyms = spec.kallsyms ?? TEST_KALLSYMS;
    this.#section(19, (body) => body.u32(kallsyms.length).bytes(Buffer.from(kallsyms)));
    const firstOptions = out.length;
    const doneAt = this.#putFirstOptions();
    const tables = [this.#putPages("", spec.cpus)];
    if (spec.instance !== undefined) {
      tables.push(this.#putPages(spec.instance.name, [spec.instance.pages]));
    }
    const secondOptions = out.length;
    this.#putOptions([...tables.map((bytes) => [3, bytes] as const), [0, this.#u64(0)]]);
    const file = out.build();
    file.set(this.#u64(firstOptions), firstOptionsAt);
    file.set(this.#u64(secondOptions), doneAt);
    return file;
  }

  #putFirstOptions(): number {
    const options: (readonly [number, Uint8Array])[] = [];
    for (const id of [16, 17, 18, 19]) options.push([id, this.#u64(this.#links.get(id)!)]);
    for (const text of this.#spec.statistics ?? []) options.push([2, Buffer.from(`${text}\0`)]);
    options.push(...(this.#spec.options ?? []));
    options.push([4, Buffer.from("local [mono] boot\n\0")], [0, this.#u64(0)]);
    this.#putOptions(options);
    return this.#out.length - 8;
  }

  #putOptions(options: readonly (readonly [number, Uint8Array])[]): void {
    const body = new ByteWriter(this.#spec.littleEndian);
    for (const [id, bytes] of options) body.u16(id).u32(bytes.length).bytes(bytes);
    this.#out.u16(0).u16(0).u32(0).u64(body.length).bytes(body.build());
  }

  #section(id: number, fill: (body: ByteWriter) => unknown): void {
    const body = new ByteWriter(this.#spec.littleEndian);
    fill(body);
    this.#links.set(id, this.#out.length);
    const bytes = body.build();
    if (this.#spec.isPacked !== true) {
      this.#out.u16(id).u16(0).u32(0).u64(bytes.length).bytes(bytes);
      return;
    }
    const packed = deflateSync(bytes);
    this.#out
      .u16(id)
      .u16(1)
      .u32(0)
      .u64(packed.length + 8);
    this.#out.u32(packed.length).u32(bytes.length).bytes(packed);
  }

  /** Writes the pages of a buffer; gives its option. */
  #putPages(name: string, cpus: DatFileSpec["cpus"]): Buffer {
    const { littleEndian, isPacked } = this.#spec;
    const headerAt = this.#out.length;
    const dataAt = headerAt + 16;
    const data = new ByteWriter(littleEndian);
    const option = new ByteWriter(littleEndian).u64(headerAt).text(name).text("mono");
    option.u32(this.#pageBytes).u32(cpus.length);
    for (const [cpu, pages] of cpus.entries()) {
      const gap = (this.#pageBytes - ((dataAt + data.length) % this.#pageBytes)) % this.#pageBytes;
      data.bytes(Buffer.alloc(gap));
      const from = data.length;
      if (isPacked === true) this.#putChunks(data, pages);
      else for (const page of pages) data.bytes(page);
      option
        .u32(cpu)
        .u64(dataAt + from)
        .u64(data.length - from);
    }
    const flags = isPacked === true ? 1 : 0;
    this.#out.u16(3).u16(flags).u32(0).u64(data.length).bytes(data.build());
    return option.build();
  }

  #putChunks(data: ByteWriter, pages: readonly Uint8Array[]): void {
    data.u32(Math.ceil(pages.length / PAGES_IN_CHUNK));
    for (let i = 0; i < pages.length; i += PAGES_IN_CHUNK) {
      const bytes = Buffer.concat(pages.slice(i, i + PAGES_IN_CHUNK));
      const packed = deflateSync(bytes);
      data.u32(packed.length).u32(bytes.length).bytes(packed);
    }
  }

  #u64(value: number): Buffer {
    return new ByteWriter(this.#spec.littleEndian).u64(value).build();
  }
}
