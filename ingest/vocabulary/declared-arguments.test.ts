import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { openTrace } from "../open-trace.ts";
import { eventLine, type ReadTrace, readAll } from "../testing/read-text.ts";
import { declaredArguments } from "./declared-arguments.ts";
import { readProbeDefinitions } from "./probe-definitions.ts";

const MAP = "kvm_pgtable_stage2_map";

/** What the definitions say of the arguments of `symbol`, as `name: parameter/bits`. */
function declared(lines: readonly string[], symbol = MAP, isReturn = false): object {
  const definitions = readProbeDefinitions(lines).of("e", undefined);
  const found = declaredArguments(definitions, symbol, isReturn);
  return Object.fromEntries(
    [...found].map(([name, { means, bits }]) => [name, `${means}/${bits}`]),
  );
}

describe("what a definition fetches", () => {
  it("is a parameter by its register, by its number or by its own name", () => {
    expect(
      declared([`p:g/e ${MAP} a=%x0:x64 b=%x1 c=$arg3:u64 d=%x4:u32 phys foo=prot:x64`]),
    ).toEqual({
      a: "pgt/64",
      b: "addr/64",
      c: "size/64",
      d: "prot/32",
      phys: "phys/64",
      foo: "prot/64",
    });
  });

  it("has the kernel's own name where none was given", () => {
    expect(declared([`p:e ${MAP} %x0 %x1:x64 $arg3`])).toEqual({
      arg1: "pgt/64",
      arg2: "addr/64",
      arg3: "size/64",
    });
  });

  it("is nothing that is known where it is memory, a string, another register or function", () => {
    const line = `p:e ${MAP} m=+24(%x0):x64 s=+0(%x1):string c=$comm x=%x5 y=%x7 z=%sp i=\\1 st=$stack0`;
    expect(declared([line])).toEqual({});
    expect(declared(["p:e some_function a=%x0"], "some_function")).toEqual({});
    expect(declared([`p:e ${MAP} a=%x0`], "kvm_pgtable_stage2_unmap")).toEqual({});
    expect(declared(["p:u/e /bin/sh:0x12 a=%x0"])).toEqual({});
  });

  it("holds no number where it is of another type", () => {
    const line = `f:e ${MAP} a=%x1:x64[2] b=%x1:b4@0/32 c=%x1:char d=%x1:symbol`;
    expect(declared([line])).toEqual({ a: "addr/0", b: "addr/0", c: "addr/0", d: "addr/0" });
  });

  it("is the value of a return", () => {
    expect(declared([`r64:g/e ${MAP} r=$retval:s32 x=%x0`], MAP, true)).toEqual({ r: "ret/32" });
    expect(declared([`f:e ${MAP}%return r=$retval`], MAP, true)).toEqual({ r: "ret/64" });
    expect(declared([`r:e ${MAP} r=$retval`], MAP, false)).toEqual({});
  });

  it("is not believed where two definitions of the name disagree", () => {
    const [first, second] = [`p:g/e ${MAP} a=%x1 b=%x2`, `p:h/e ${MAP} a=%x1 b=%x3`];
    expect(declared([first, second])).toEqual({ a: "addr/64" });
    expect(declared([first, `p:h/e ${MAP} a=+0(%x1)`])).toEqual({ b: "size/64" });
  });

  it("goes by the function without what a compiler added, in a module or not", () => {
    const symbol = "__unmap_stage2_range.isra.0";
    expect(declared([`p:e kvm:${symbol}+0x4 q=%x1`], "__unmap_stage2_range")).toEqual({
      q: "start/64",
    });
  });
});

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "declared-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Reads lines that stand beside a list of definitions. */
async function readBeside(
  list: readonly string[],
  texts: readonly string[],
  file = "dynamic_events",
): Promise<ReadTrace> {
  await writeFile(join(folder, file), `${list.join("\n")}\n`);
  await writeFile(join(folder, "trace.txt"), texts.map((text) => eventLine(text)).join(""));
  return readAll(await openTrace(join(folder, "trace.txt")));
}

const AT_MAP = "(kvm_pgtable_stage2_map+0x0/0x1a0)";

describe("a trace with argument names of the user's own", () => {
  it("is read by the registers of the list beside it, of any syntax of dynamic_events", async () => {
    const list = [
      `p:mine/m ${MAP} table=%x0 where=%x1:u64 much=%x2 to=%x3 how=%x4`,
      `r16:mine/m_end ${MAP} out=$retval:s32`,
      "f:fprobes/u kvm_pgtable_stage2_unmap t=pgt a=$arg2 s=$arg3",
      "t:tracepoints/x kvm_entry a=$arg1",
      "e:eprobes/y kvm.kvm_exit",
      "s:synthetic u64 a; pid_t b;",
      "p:kprobes/ap stage2_apply_range.isra.0 o=%x0 from=%x1 to=%x2 what=%x3:symbol",
    ];
    const { rows, counts } = await readBeside(list, [
      `m: ${AT_MAP} table=0xffff000000000010 where=4096 much=0x2000 to=0x3000 how=0x7`,
      "m_end: (user_mem_abort+0x1/0x2 <- kvm_pgtable_stage2_map) out=-11",
      "u: (kvm_pgtable_stage2_unmap+0x4/0x70) t=0xffff000000000010 a=0x1000 s=4096",
      "ap: (stage2_apply_range.isra.0+0x0/0xf0) o=0xffff000000000020 from=0x1000 to=0x3000 what=kvm_pgtable_stage2_unmap+0x0/0x70",
    ]);
    const pgt = "0xffff000000000010";
    expect(counts).toEqual({});
    expect(rows).toMatchObject([
      { kind: "map", pgt, addr: 4096, len: 0x2000, phys: 0x3000, prot: 7n },
      { kind: "map_ret", arg0: -11 },
      { kind: "unmap", pgt, addr: 4096, len: 4096 },
      {
        kind: "apply_range",
        mmu: "0xffff000000000020",
        kvm: "0xffff000000000020",
        addr: 0x1000,
        len: 0x2000,
        arg0: 1,
      },
    ]);
  });

  it("is the same on 6.1 and 6.12: a first parameter of another type fills both columns", async () => {
    // 6.1: stage2_apply_range(struct kvm *); 6.12: stage2_apply_range(struct kvm_s2_mmu *).
    const { rows, counts } = await readBeside(
      [
        "p:a stage2_apply_range first=%x0 second=%x1 third=%x2",
        `p:m ${MAP} %x0 %x1 %x2 %x3 %x4 seventh=%x6:x32`,
      ],
      [
        "a: (stage2_apply_range+0x0/0xf0) first=0xffff000000000020 second=0x0 third=0x1000",
        `m: ${AT_MAP} arg1=0xffff000000000010 arg2=0x1000 arg3=0x1000 arg4=0x0 arg5=0x4 seventh=0x18`,
      ],
    );
    expect(rows).toMatchObject([
      { mmu: "0xffff000000000020", kvm: "0xffff000000000020", addr: 0, len: 0x1000 },
      { kind: "map", addr: 0x1000, prot: 4n, arg0: 0x18 },
    ]);
    expect(counts).toEqual({});
  });

  it("keeps the names that say themselves what they are", async () => {
    // `x` is the register of `addr`, which is there already.
    const { rows, counts } = await readBeside(
      ["p:u kvm_pgtable_stage2_unmap pgt=%x0 addr=%x1 x=%x1 size=%x2"],
      [
        "u: (kvm_pgtable_stage2_unmap+0x0/0x70) pgt=0xffff000000000010 addr=0x1000 x=0x1000 size=0x1000",
      ],
    );
    expect(rows).toMatchObject([{ kind: "unmap", addr: 0x1000, len: 0x1000 }]);
    expect(counts).toEqual({ UNKNOWN_ARGUMENT: 1 });
  });

  it("is not read where the list says that a name means something else, or that a value is cut", async () => {
    const line =
      "u: (kvm_pgtable_stage2_unmap+0x0/0x70) pgt=0xffff000000000010 addr=0x1000 size=0x1000";
    for (const [definition, reason] of [
      ["pgt=%x0 addr=%x2 size=%x1", "`addr` is defined as the parameter size"],
      ["pgt=%x0 addr=%x1:u32 size=%x2", "`addr` is defined with a type that does not hold it"],
      ["pgt=%x0 addr=%x1 size=%x2:x64[2]", "`size` is defined with a type that does not hold it"],
    ] as const) {
      const { rows, counts, examples } = await readBeside(
        [`p:u kvm_pgtable_stage2_unmap ${definition}`],
        [line],
      );
      expect(rows).toMatchObject([{ kind: "other" }]);
      expect(counts).toEqual({ MISSING_ARGUMENT: 1 });
      expect(examples[0]).toContain(reason);
    }
  });

  it("is not read without the list, or with that of other probes", async () => {
    const text = `m: ${AT_MAP} table=0xffff000000000010 where=4096 much=0x2000 to=0x3000 how=0x7`;
    for (const list of ["# nothing", `p:n ${MAP} table=%x0 where=%x1 much=%x2 to=%x3 how=%x4`]) {
      const { rows, counts } = await readBeside([list], [text]);
      expect(rows).toMatchObject([{ kind: "other" }]);
      expect(counts).toMatchObject({ MISSING_ARGUMENT: 1 });
    }
  });
});
