import { TraceError } from "../../../ingest/errors.ts";

/** Where Redis (or Valkey) is, with what it takes to get in. Never printed; `description` is. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly isTls: boolean;
  /** `redis://HOST:PORT/DATABASE`, without credentials. */
  readonly description: string;
}

const VARIABLES = ["TLBI_REPLAY_REDIS_URL", "REDIS_URL"] as const;
const DEFAULT_URL = "redis://127.0.0.1:6379/0";

/**
 * By `--redis`, else by TLBI_REPLAY_REDIS_URL or REDIS_URL. On a command line everybody on the machine can
 * read a password: a URL with one is only taken from the environment.
 * @throws TraceError BAD_OPTION; its text does not repeat the URL.
 */
export function redisAddress(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): RedisAddress {
  const variable = VARIABLES.find((name) => (environment[name] ?? "") !== "");
  if (option !== undefined) {
    const address = parse(option, "--redis");
    if (address.password === undefined) return address;
    throw new TraceError(
      "BAD_OPTION",
      "a password does not belong on a command line, where others can read it",
      "--redis",
      `put the URL into ${VARIABLES[0]}`,
    );
  }
  if (variable !== undefined) return parse(environment[variable] ?? "", variable);
  return parse(DEFAULT_URL, "the default");
}

function parse(text: string, origin: string): RedisAddress {
  const refuse = (): TraceError =>
    new TraceError("BAD_OPTION", "a Redis URL is written redis://HOST:PORT/DATABASE", origin);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refuse();
  }
  const isTls = url.protocol === "rediss:" || url.protocol === "valkeys:";
  if (!isTls && url.protocol !== "redis:" && url.protocol !== "valkey:") throw refuse();
  const database = /^\/?(\d{0,4})$/.exec(url.pathname)?.[1];
  if (url.hostname === "" || database === undefined) throw refuse();
  const port = url.port === "" ? 6379 : Number(url.port);
  const scheme = isTls ? "rediss" : "redis";
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port,
    username: url.username === "" ? undefined : decoded(url.username, refuse),
    password: url.password === "" ? undefined : decoded(url.password, refuse),
    database: Number(database),
    isTls,
    description: `${scheme}://${url.hostname}:${port}/${Number(database)}`,
  };
}

function decoded(text: string, refuse: () => TraceError): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse();
  }
}
