import type * as S3 from "@aws-sdk/client-s3";
import { TraceError } from "../../../ingest/errors.ts";
import { documentPlace } from "./document-place.ts";
import { type DocumentKind, MAX_DOCUMENT_BYTES, type ResultStore } from "./result-store.ts";

/** Where the store is: `s3://BUCKET/PREFIX`. Credentials, region and endpoint come from the environment. */
export interface S3Place {
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
}

/** Undefined where it is none. @throws TraceError BAD_OPTION for one with credentials or without a bucket. */
export function parseS3Place(text: string): S3Place | undefined {
  if (!/^s3:/i.test(text)) return undefined;
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([\w!.*'()/-]*))?$/i.exec(text);
  if (match === null) {
    // The text itself may hold a secret: it is not repeated.
    throw new TraceError(
      "BAD_OPTION",
      "a bucket is written s3://BUCKET/PREFIX, without credentials",
      undefined,
      "credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile",
    );
  }
  return { bucket: match[1] ?? "", prefix: (match[2] ?? "").replace(/^\/+|\/+$/g, "") };
}

/**
 * Results in an S3-compatible bucket, by the AWS client: what it reads from the environment (AWS_REGION,
 * AWS_ENDPOINT_URL_S3, credentials) is not kept and not printed. An object is written in one request, so
 * it is there as a whole or not at all. The library takes long to load and is loaded here only.
 */
export async function openS3Store(
  place: S3Place,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ResultStore> {
  // The version is pinned and runs here; which Node later ones want is not for the user of a batch.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const library = await import("@aws-sdk/client-s3");
  const endpoint = environment["AWS_ENDPOINT_URL_S3"] ?? environment["AWS_ENDPOINT_URL"];
  const region = environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"];
  const client = new library.S3Client({
    // Others than Amazon's seldom have a host name for each bucket, and do not look at the region.
    ...(endpoint === undefined ? {} : { forcePathStyle: true, region: region ?? "us-east-1" }),
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 5,
  });
  return new S3Store(library, client, place);
}

class S3Store implements ResultStore {
  readonly description: string;
  readonly #library: typeof S3;
  readonly #client: S3.S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(library: typeof S3, client: S3.S3Client, { bucket, prefix }: S3Place) {
    this.#library = library;
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix === "" ? "" : `${prefix}/`;
    this.description = `s3://${bucket}/${prefix}`;
  }

  async has(kind: DocumentKind, key: string): Promise<boolean> {
    const command = new this.#library.HeadObjectCommand(this.#object(kind, key));
    return this.#orMissing(async () => {
      await this.#client.send(command);
      return true;
    }).then((found) => found ?? false);
  }

  async read(kind: DocumentKind, key: string): Promise<string | undefined> {
    const command = new this.#library.GetObjectCommand(this.#object(kind, key));
    return this.#orMissing(async () => {
      const { Body, ContentLength } = await this.#client.send(command);
      if (Body === undefined || (ContentLength ?? 0) > MAX_DOCUMENT_BYTES) return undefined;
      return Body.transformToString("utf-8");
    });
  }

  async write(kind: DocumentKind, key: string, text: string): Promise<void> {
    const command = new this.#library.PutObjectCommand({
      ...this.#object(kind, key),
      Body: text,
      ContentType: "application/json",
    });
    try {
      await this.#client.send(command);
    } catch (error) {
      throw new TraceError(
        "UNWRITABLE",
        `cannot write the results: ${nameOf(error)}`,
        this.description,
      );
    }
  }

  async remove(kind: DocumentKind, key: string): Promise<void> {
    const command = new this.#library.DeleteObjectCommand(this.#object(kind, key));
    await this.#orMissing(async () => this.#client.send(command));
  }

  place(kind: DocumentKind, key: string): string {
    return documentPlace(kind, key);
  }

  close(): void {
    this.#client.destroy();
  }

  #object(kind: DocumentKind, key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + documentPlace(kind, key) };
  }

  async #orMissing<Value>(ask: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await ask();
    } catch (error) {
      const name = nameOf(error);
      if (name === "NoSuchKey" || name === "NotFound") return undefined;
      throw new TraceError(
        "UNREADABLE",
        `the store of results does not answer: ${name}`,
        this.description,
      );
    }
  }
}

/** Only the kind of the error: its text may repeat what was sent. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  const code = "code" in error && typeof error.code === "string" ? ` (${error.code})` : "";
  return `${error.name}${code}`;
}
