import { describe, expect, it } from "vitest";

import { readKernelSymbols } from "../../beside/kernel-symbols.ts";
import { NO_PROBE_NAMES, type ProbeNames } from "../../beside/probe-names.ts";
import { EVENT_KINDS } from "../../events/kinds.ts";
import { readProbeDefinitions } from "../../vocabulary/probe-definitions.ts";
import { literal } from "../bytes.ts";
import { EventNames } from "./event-names.ts";
import { NameTable } from "../../events/names.ts";
import { NamedProbes } from "./named-probes.ts";

const MAP = "p:g/map kvm_pgtable_stage2_map";
const UNMAP_AT = "ffff80008009f688 T kvm_pgtable_stage2_unmap\n";
const MAP_AT = "ffff80008009f450 T kvm_pgtable_stage2_map\n";

function names(definitions: readonly string[], symbols = ""): ProbeNames {
  return {
    ...NO_PROBE_NAMES,
    definitions: readProbeDefinitions(definitions),
    symbols: readKernelSymbols(symbols),
  };
}

/** Kind of the probe, or why it is lost. */
function resolve(known: ProbeNames, event: string, location: string): string | undefined {
  const name = new EventNames(new NameTable()).intern(literal(event), 0, event.length, 0);
  const found = new NamedProbes(known).pointOf(name, literal(location));
  if (found === undefined) return undefined;
  return "lost" in found ? found.lost : `${EVENT_KINDS[found.kind]} ${found.symbol}`;
}

describe("a probe that is printed by its address", () => {
  it("goes by the definition of its name, as a call or as a return", () => {
    const known = names([MAP, "r:g/map_ret kvm_pgtable_stage2_map"]);
    const map = "map kvm_pgtable_stage2_map";
    expect(resolve(known, "map", "(ffff80008009f450)")).toBe(map);
    expect(resolve(known, "g:map", "(ffff80008009f450)")).toBe(map);
    expect(resolve(known, "map", "__probe_ip=ffff80008009f450")).toBe(map);
    expect(resolve(known, "map", "__probe_ip=0xffff80008009f450")).toBe(map);
    const returned = "map_ret kvm_pgtable_stage2_map";
    expect(resolve(known, "map_ret", "(ffff80008009f450 <- ffff800080063694)")).toBe(returned);
    const raw = "__probe_func=ffff80008009f450 __probe_ret_ip=ffff800080063694";
    expect(resolve(known, "map_ret", raw)).toBe(returned);
  });

  it("goes by its symbol where one is printed after all", () => {
    const location = "(kvm_pgtable_stage2_unmap+0x0/0x70)";
    expect(resolve(names([MAP]), "map", location)).toBe("unmap kvm_pgtable_stage2_unmap");
  });

  it("goes by its address where its name is not defined", () => {
    const known = names([], UNMAP_AT);
    const unmap = "unmap kvm_pgtable_stage2_unmap";
    expect(resolve(known, "x", "(ffff80008009f688)")).toBe(unmap);
    // Behind a landing pad.
    expect(resolve(known, "x", "(ffff80008009f68c)")).toBe(unmap);
    expect(resolve(known, "x", "(ffff80008009f688 <- ffff800080060b90)")).toBe(
      "unmap_ret kvm_pgtable_stage2_unmap",
    );
    expect(resolve(known, "x", "(ffff80008009f700)")).toMatch(/not known which function/);
  });

  it("is told apart by its address where one name is defined on several functions", () => {
    const twice = [MAP, "p:g/map kvm_pgtable_stage2_unmap"];
    expect(resolve(names(twice, MAP_AT + UNMAP_AT), "map", "(ffff80008009f688)")).toBe(
      "unmap kvm_pgtable_stage2_unmap",
    );
    expect(resolve(names(twice), "map", "(ffff80008009f688)")).toMatch(/does not tell which/);
    expect(resolve(names([MAP, MAP]), "map", "(ffff80008009f688)")).toMatch(/^map /);
  });

  it("goes by its address where perf probe defined it by its place in the kernel", () => {
    const definition = "p:probe/unmap _text+652936";
    expect(resolve(names([definition], UNMAP_AT), "probe:unmap", "(ffff80008009f688)")).toBe(
      "unmap kvm_pgtable_stage2_unmap",
    );
    expect(resolve(names([definition]), "probe:unmap", "(ffff80008009f688)")).toMatch(
      /a place in the whole kernel/,
    );
  });

  it("is lost where its definition and the kernel's symbols disagree", () => {
    const known = names([MAP], UNMAP_AT);
    expect(resolve(known, "map", "(ffff80008009f688)")).toBe(
      "the probe map is defined on kvm_pgtable_stage2_map, and its address is that of kvm_pgtable_stage2_unmap",
    );
    // Of another boot: no symbol begins there.
    expect(resolve(known, "map", "(ffff80008109f450)")).toMatch(/^map /);
  });

  it("is lost where it is not defined, or as the other of call and return", () => {
    expect(resolve(names([MAP]), "other", "(ffff80008009f688)")).toMatch(
      /not known which function/,
    );
    expect(resolve(names([MAP]), "h:map", "(ffff80008009f688)")).toMatch(
      /not known which function/,
    );
    expect(resolve(names([MAP]), "map", "(ffff80008009f688 <- ffff800080060b90)")).toMatch(
      /prints a return, which its definition is not/,
    );
    expect(resolve(names([MAP]), "map", "__probe_ip=18446603338370000000")).toMatch(/hexadecimal/);
  });

  it("is no call of a function where it sits in its middle, or in a user's program", () => {
    const middle = names(["p:g/mid kvm_pgtable_stage2_map+0x40"], MAP_AT);
    expect(resolve(middle, "mid", "(ffff80008009f490)")).toBe("other kvm_pgtable_stage2_map");
    expect(resolve(names(["p:g/u /bin/sh:0x12"]), "u", "(ffff8000)")).toMatch(/^other /);
    expect(resolve(names([]), "u", "(55d0c0a012)")).toMatch(/^other /);
  });

  it("is not seen in other texts", () => {
    expect(resolve(names([MAP]), "map", "(a text)")).toBeUndefined();
  });
});

describe("kernel symbols", () => {
  it("leave out hidden addresses and data, and keep modules and aliases", () => {
    const symbols = readKernelSymbols(
      "0000000000000000 T hidden\nffff800080000000 D data\nffff800080000010 t a\t[kvm]\nffff800080000010 T b\n",
    );
    expect(symbols.count).toBe(1);
    expect(symbols.at(0xffff800080000010n)).toEqual(["a", "b"]);
  });
});
