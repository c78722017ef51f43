import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";

/** A redis-server of a test's own, with its data in a folder. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #options: readonly string[];
  #child: ChildProcess | undefined;

  /** @param options of redis-server, such as `--requirepass`. */
  static async start(folder: string, options: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), folder, options);
    await server.resume();
    return server;
  }

  private constructor(port: number, folder: string, options: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#options = options;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  /** Starts it again with what it had saved. */
  async resume(): Promise<void> {
    fs.mkdirSync(this.#folder, { recursive: true });
    this.#child = spawn(
      "redis-server",
      `--port ${this.port} --bind 127.0.0.1 --appendonly yes --appendfsync always`
        .split(" ")
        .concat("--save", "", "--dir", this.#folder, this.#options),
      { stdio: "ignore" },
    );
    this.#child.on("error", () => {
      throw new Error("redis-server is not installed (Debian: apt-get install redis-server)");
    });
    const start = performance.now();
    while (!(await answers(this.port))) {
      if (performance.now() - start > 20_000) throw new Error("redis-server does not start");
      await sleep(20);
    }
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  /** Every key with its value as text, for a look at what the server was told. */
  async dump(password?: string): Promise<string> {
    const redis = new Redis(this.port, "127.0.0.1", password === undefined ? {} : { password });
    try {
      const texts: string[] = [];
      for (const key of await redis.keys("*")) {
        const type = await redis.type(key);
        if (type === "hash") texts.push(JSON.stringify(await redis.hgetall(key)));
        else if (type === "string") texts.push(String(await redis.get(key)));
        else texts.push(key);
      }
      return texts.join("\n");
    } finally {
      redis.disconnect();
    }
  }
}

/** It says PONG, or that it wants a password; while it reads what it had saved it does neither. */
async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    const end = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.on("connect", () => socket.write("PING\r\n"));
    socket.on("data", (chunk) => end(/^(\+PONG|-NOAUTH)/.test(chunk.toString("latin1"))));
    socket.on("error", () => end(false));
    socket.on("close", () => end(false));
  });
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
