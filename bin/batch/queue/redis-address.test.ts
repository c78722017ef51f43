import { describe, expect, it } from "vitest";
import { reasonOf } from "./connect.ts";
import { redisAddress } from "./redis-address.ts";

describe("redisAddress", () => {
  it("comes from the option, then from the environment, then from this machine", () => {
    expect(redisAddress(undefined, {}).description).toBe("redis://127.0.0.1:6379/0");
    const both = { REDIS_URL: "redis://a", TLBI_REPLAY_REDIS_URL: "rediss://u:p%40ss@b:1/2" };
    expect(redisAddress(undefined, both)).toStrictEqual({
      host: "b",
      port: 1,
      username: "u",
      password: "p@ss",
      database: 2,
      isTls: true,
      description: "rediss://b:1/2",
    });
    expect(redisAddress("redis://[::1]:7", both)).toMatchObject({
      host: "::1",
      port: 7,
      database: 0,
    });
  });

  it("takes no password from a command line, and repeats none", () => {
    const urls = [
      "redis://u:hunter2@h",
      "hunter2",
      "http://u:hunter2@h",
      "redis://u:hunter2@h/x",
      "redis://:hunter2%@h",
    ];
    for (const url of urls) {
      for (const ask of [
        () => redisAddress(url, {}),
        () => redisAddress(undefined, { REDIS_URL: url }),
      ]) {
        let text = "";
        try {
          text = redisAddress(undefined, { REDIS_URL: url }).description;
          ask();
        } catch (error) {
          text += `${String(error)} ${JSON.stringify(error)}`;
        }
        expect(text).not.toBe("");
        expect(text).not.toMatch(/hunter2/);
      }
    }
    expect(() => redisAddress("redis://:hunter2@h", {})).toThrow(
      /does not belong on a command line/,
    );
  });
});

describe("reasonOf", () => {
  it("says what an error is without its text", () => {
    const coded = Object.assign(new Error("connect redis://u:hunter2@h"), { code: "ECONNREFUSED" });
    expect(reasonOf(coded)).toBe("ECONNREFUSED");
    expect(reasonOf(new Error("WRONGPASS invalid hunter2"))).toMatch(
      /^the user or the password is wrong/,
    );
    expect(reasonOf(new Error("hunter2"))).toBe("Error");
    expect(reasonOf("hunter2")).toBe("unknown error");
  });
});
