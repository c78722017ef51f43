import { createHash, createHmac } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";

/** What the server is asked for, and may refuse. */
export interface S3Server {
  readonly endpoint: string;
  readonly objects: Map<string, Buffer>;
  /** `METHOD /bucket/key` of every request, in order. */
  readonly requests: string[];
  /** So many writes are answered with 503 first. */
  refuseWrites: number;
  close(): Promise<void>;
}

export const ACCESS_KEY = "AKIATESTTESTTEST";
export const SECRET_KEY = "s3cr3t/DoNotPrint+Me";

/**
 * A bucket in memory with the four requests that we make, in path style. Signatures (version 4) are worked
 * out anew here, from the documentation, and must agree.
 */
export async function startS3(): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const requests: string[] = [];
  const state = { refuseWrites: 0 };
  const server = http.createServer((request, response) => {
    const body: Buffer[] = [];
    request.on("data", (chunk: Buffer) => body.push(chunk));
    request.on("end", () => {
      answer(request, Buffer.concat(body), response);
    });
  });
  function answer(
    request: http.IncomingMessage,
    body: Buffer,
    response: http.ServerResponse,
  ): void {
    const { method = "", url = "" } = request;
    const [name = ""] = url.split("?");
    requests.push(`${method} ${name}`);
    const refuse = (status: number, code: string): void => {
      response.writeHead(status, { "content-type": "application/xml" });
      response.end(method === "HEAD" ? undefined : `<Error><Code>${code}</Code></Error>`);
    };
    if (!isSigned(request, body)) {
      refuse(403, "SignatureDoesNotMatch");
      return;
    }
    if (method === "PUT") {
      if (state.refuseWrites > 0) {
        state.refuseWrites -= 1;
        refuse(503, "SlowDown");
        return;
      }
      objects.set(name, body);
      response.writeHead(200, { etag: '"x"' }).end();
      return;
    }
    if (method === "DELETE") {
      objects.delete(name);
      response.writeHead(204).end();
      return;
    }
    const found = objects.get(name);
    if (found === undefined) {
      refuse(404, "NoSuchKey");
      return;
    }
    response.writeHead(200, { "content-length": found.length, etag: '"x"' });
    response.end(method === "HEAD" ? undefined : found);
  }
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    objects,
    requests,
    get refuseWrites() {
      return state.refuseWrites;
    },
    set refuseWrites(count: number) {
      state.refuseWrites = count;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function isSigned(request: http.IncomingMessage, body: Buffer): boolean {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const match = pattern.exec(request.headers.authorization ?? "");
  if (match === null) return false;
  const [, accessKey, day, region, signed = "", signature] = match;
  if (accessKey !== ACCESS_KEY) return false;
  const [name = "", query = ""] = (request.url ?? "").split("?");
  const claimed = String(request.headers["x-amz-content-sha256"]);
  const digest = createHash("sha256").update(body).digest("hex");
  if (claimed !== digest && claimed !== "UNSIGNED-PAYLOAD") return false;
  const names = signed.split(";");
  const canonical = [
    request.method,
    name,
    query.split("&").sort().join("&"),
    ...names.map((header) => `${header}:${String(request.headers[header]).trim()}`),
    "",
    signed,
    claimed,
  ].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = [
    "AWS4-HMAC-SHA256",
    request.headers["x-amz-date"],
    scope,
    createHash("sha256").update(canonical).digest("hex"),
  ].join("\n");
  let key: Buffer = Buffer.from(`AWS4${SECRET_KEY}`);
  for (const part of [day, region, "s3", "aws4_request"]) {
    key = createHmac("sha256", key).update(String(part)).digest();
  }
  return createHmac("sha256", key).update(text).digest("hex") === signature;
}

/** The variables with which the tool finds the server. */
export function s3Environment(
  server: S3Server,
  secret: string = SECRET_KEY,
): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_REGION: "eu-test-1",
    AWS_EC2_METADATA_DISABLED: "true",
  };
}
