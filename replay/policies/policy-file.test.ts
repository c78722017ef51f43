import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TraceError } from "../../ingest/errors.ts";
import { RANGE_6_9 } from "./families/range.ts";
import { POLICIES } from "./registry.ts";
import { MAX_POLICY_FILE_BYTES, readPolicyFile } from "./policy-file.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "policy-file-"));
});
afterAll(() => rm(directory, { recursive: true }));

let files = 0;
async function fileOf(content: string | Uint8Array): Promise<string> {
  files += 1;
  const path = join(directory, `${files}.json`);
  await writeFile(path, content);
  return path;
}

const MINE = {
  id: "range-cutover-64k",
  base: "range-6.9",
  summary: "VM from 64k pages on",
  flags: { rangeCutoverPages: 65_536, unmap: "leaf" },
} as const;

async function errorOf(path: string): Promise<TraceError> {
  const error: unknown = await readPolicyFile(path).catch((caught: unknown) => caught);
  if (!(error instanceof TraceError)) throw new Error("no TraceError was thrown");
  expect(error.code).toBe("BAD_POLICY_FILE");
  return error;
}

/** Error of a file with this content, which must name the file as a whole. */
async function refusalOf(content: unknown): Promise<TraceError> {
  const path = await fileOf(JSON.stringify(content));
  const error = await errorOf(path);
  expect(error.where).toBe(path);
  return error;
}

describe("policies", () => {
  it("are a shipped one with other flags", async () => {
    expect(await readPolicyFile(await fileOf(JSON.stringify(MINE)))).toEqual([
      {
        id: "range-cutover-64k",
        summary: "VM from 64k pages on",
        flags: { ...RANGE_6_9.flags, rangeCutoverPages: 65_536, unmap: "leaf" },
        detail: "on range-6.9: unmap=leaf (was deferred), rangeCutoverPages=65536 (was 0)",
      },
    ]);
  });

  it("stand in a list, in its order", async () => {
    const plain = { ...MINE, id: "9.b_c-d", flags: {} };
    const policies = await readPolicyFile(await fileOf(JSON.stringify([MINE, plain])));
    expect(policies.map(({ id }) => id)).toEqual(["range-cutover-64k", "9.b_c-d"]);
    expect(policies[1]).toMatchObject({ flags: RANGE_6_9.flags, detail: "as range-6.9" });
  });

  it("may begin with a byte order mark", async () => {
    expect(await readPolicyFile(await fileOf(`\u{feff}${JSON.stringify(MINE)}`))).toHaveLength(1);
  });
});

describe("the file", () => {
  it("must be there", async () => {
    const path = join(directory, "missing.json");
    expect(await errorOf(path)).toMatchObject({
      where: path,
      message: "there is no such policy file",
    });
  });

  it("must not be a directory", async () => {
    const path = join(directory, "folder");
    await mkdir(path);
    expect(await errorOf(path)).toMatchObject({
      where: path,
      message: "this is a directory, not a policy file",
    });
  });

  it("may have 1 MiB and no more", async () => {
    const text = JSON.stringify(MINE).padEnd(MAX_POLICY_FILE_BYTES, " ");
    expect(await readPolicyFile(await fileOf(text))).toHaveLength(1);
    const error = await errorOf(await fileOf(`${text} `));
    expect(error.message).toBe("this policy file is larger than 1 MiB");
  });

  it("must be UTF-8", async () => {
    const error = await errorOf(await fileOf(new Uint8Array([0x7b, 0xff, 0x7d])));
    expect(error.message).toBe("this policy file is not UTF-8 text");
  });

  it.each(["", " \n\n"])("must not be empty: %j", async (text) => {
    expect((await errorOf(await fileOf(text))).message).toBe("this policy file is empty");
  });

  it("is told with the line where it is not JSON", async () => {
    const path = await fileOf('{\n  "id": "a",\n  "base" "b"\n}\n');
    const error = await errorOf(path);
    expect(error.where).toBe(`${path}:3`);
    expect(error.message).toMatch(/^this policy file is not JSON: /);
    expect(error.message).not.toMatch(/position/);
  });

  it("is told with its last line where it ends too early", async () => {
    const path = await fileOf('[\n{"id":\n\n');
    expect((await errorOf(path)).where).toBe(`${path}:2`);
  });

  it("is told without a line where JSON.parse names none", async () => {
    const path = await fileOf('{\n"id": tru }');
    expect((await errorOf(path)).where).toMatch(/\d\.json(:2)?$/);
  });
});

describe("shape", () => {
  it.each([null, 5, "text", true])("is an object: not %j", async (content) => {
    expect((await refusalOf(content)).message).toBe("a policy is not an object");
  });

  it("has at least one policy in a list", async () => {
    expect((await refusalOf([])).message).toBe("the list has no policy in it");
  });

  it("has no lists in the list", async () => {
    expect((await refusalOf([MINE, []])).message).toBe(
      "policy 2 of the list: a policy is not an object",
    );
  });

  it.each(["id", "base", "summary", "flags"])("has %s", async (key) => {
    const entries = Object.entries(MINE).filter(([name]) => name !== key);
    expect((await refusalOf(Object.fromEntries(entries))).message).toBe(`${key} is missing`);
  });

  it.each(["id", "base", "summary"])("has a text for %s", async (key) => {
    expect((await refusalOf({ ...MINE, [key]: 7 })).message).toBe(`${key} is not a text`);
  });

  it("has no other keys", async () => {
    expect(await refusalOf({ ...MINE, sumary: "x" })).toMatchObject({
      message: "sumary is not a known key",
      hint: "did you mean 'summary'?",
    });
    expect((await refusalOf({ ...MINE, zzzzzzzz: 1 })).hint).toBe(
      "the keys here are id, base, summary, flags",
    );
  });

  it.each(["__proto__", "constructor", "toString"])("has no key %s", async (key) => {
    const path = await fileOf(JSON.stringify(MINE).replace("{", `{"${key}":{},`));
    expect((await errorOf(path)).message).toBe(`${key} is not a known key`);
  });

  it.each([[""], ["  "], ["two\nlines"], ["\u{1b}[31mred"]])(
    "has one line as summary: not %j",
    async (summary) => {
      expect((await refusalOf({ ...MINE, summary })).message).toBe(
        "summary is not one line of text",
      );
    },
  );
});

describe("flags", () => {
  it("are known", async () => {
    expect(await refusalOf({ ...MINE, flags: { unmapp: "leaf" } })).toMatchObject({
      message: "flags.unmapp is not a known key",
      hint: "did you mean 'unmap'?",
    });
  });

  it.each([[[]], [null], ["unmap"]])("are an object: not %j", async (flags) => {
    expect((await refusalOf({ ...MINE, flags })).message).toBe("flags is not an object");
  });

  it.each([
    [{ unmap: "leef" }, 'unmap takes leaf, deferred, threshold, vmid, range, exact, not "leef"'],
    [{ leafHint: "true" }, 'leafHint takes true, false, not "true"'],
    [{ leafHint: null }, "leafHint takes true, false, not null"],
    [{ leafHint: [true] }, "leafHint takes true, false, not a list"],
    [{ leafHint: {} }, "leafHint takes true, false, not an object"],
    [{ maxRangePages: 0 }, "maxRangePages takes whole numbers from 1 to 2097152, not 0"],
    [{ maxRangePages: "9" }, 'maxRangePages takes whole numbers from 1 to 2097152, not "9"'],
    [
      { rangeCutoverPages: 0.5 },
      "rangeCutoverPages takes whole numbers from 0 to 1099511627776, not 0.5",
    ],
    [{ age: "x".repeat(99) }, `age takes vmid, none, not "${"x".repeat(59)}…`],
  ])("have values of their type: not %j", async (flags, message) => {
    expect((await refusalOf([{ ...MINE, flags }])).message).toBe(
      `policy 1 of the list: flags.${message}`,
    );
  });

  it("may be nested as deep as they like, and are refused", async () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    const path = await fileOf(JSON.stringify(MINE).replace('"leaf"', deep));
    expect((await errorOf(path)).message).toMatch(/^flags\.unmap takes .*, not a list$/);
  });

  it("do not contradict each other", async () => {
    expect(await refusalOf({ ...MINE, flags: { unmap: "threshold" } })).toMatchObject({
      message:
        "unmap=threshold has no range instructions and cannot stand beside collapse=range, logFlush=range",
      hint: "set as well collapse=vmid, logFlush=vmid",
    });
  });

  it("are the base's where nothing else is said", async () => {
    for (const { id, flags } of POLICIES) {
      const path = await fileOf(JSON.stringify({ ...MINE, base: id, flags: {} }));
      expect((await readPolicyFile(path))[0]?.flags).toEqual(flags);
    }
  });
});

describe("ids", () => {
  it.each(["", "Mine", "-x", ".x", "a b", "a,b", "ä", "a\n"])("are not %j", async (id) => {
    expect((await refusalOf({ ...MINE, id })).message).toMatch(/^id is not made of a-z, 0-9/);
  });

  it.each(["recorded", "auto", "nv-max", "x86-once-5.18", ...POLICIES.map(({ id }) => id)])(
    "are not %j, which is taken",
    async (id) => {
      expect(await refusalOf({ ...MINE, id })).toMatchObject({
        message: `id '${id}' is taken by tlbi-replay itself`,
        hint: "choose another id",
      });
    },
  );

  it("are different in a list", async () => {
    expect((await refusalOf([MINE, MINE])).message).toBe(
      "policy 2 of the list: id 'range-cutover-64k' is defined twice",
    );
  });
});

describe("base", () => {
  it("is a shipped policy", async () => {
    const error = await refusalOf([MINE, { ...MINE, id: "b", base: "range-69" }]);
    expect(error.message).toMatch(
      /^policy 2 of the list: base 'range-69' is not a shipped policy; those are legacy-5\.8, /,
    );
    expect(error.hint).toBe("did you mean 'range-6.9'?");
  });

  it.each(["auto", "recorded", MINE.id])("is not %s", async (base) => {
    const error = await refusalOf([MINE, { ...MINE, id: "b", base }]);
    expect(error.message).toContain(`base '${base}' is not a shipped policy`);
  });
});
