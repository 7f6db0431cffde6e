/**
 * The person's own stream of the platform's log group, opened with credentials that can do nothing else.
 *
 * An identity pool changes the ID token for an identity and an hour of AWS credentials; the stream is named after the
 * identity, which is all that its role allows.
 */

import { AwsClient } from "aws4fetch";

import type { EventSink, TelemetryEvent } from "./telemetry";

/** The section `telemetry` of config.json. */
export interface TelemetryConfig {
  region: string;
  identityPoolId: string;
  logGroupName: string;
  /** these two stand in for the region's own endpoints */
  identityUrl?: string;
  logsUrl?: string;
}

/** Where ID tokens come from. */
export interface SignedIn {
  issuer: string;
  idToken(): Promise<string>;
}

interface Identity {
  IdentityId: string;
}

interface IdentityCredentials {
  /** Expiration: seconds since 1970 */
  Credentials: { AccessKeyId: string; SecretKey: string; SessionToken: string; Expiration: number };
}

const TIMEOUT_MS = 10_000;
const EXPIRY_MARGIN_SECONDS = 60;
const CONTENT_TYPE = "application/x-amz-json-1.1";

/** An answer other than 200; `code` is AWS's name of the error. */
class TelemetryError extends Error {
  constructor(
    action: string,
    status: number,
    readonly code: string,
  ) {
    super(`${action} answered ${status} ${code}`);
  }
}

export class TelemetryStream implements EventSink {
  readonly #config: TelemetryConfig;
  readonly #signedIn: SignedIn;
  readonly #identityUrl: string;
  readonly #logsUrl: string;
  #identityId = "";
  #client: AwsClient | null = null;
  /** milliseconds since 1970 */
  #goodUntil = 0;
  #hasStream = false;

  constructor(config: TelemetryConfig, signedIn: SignedIn) {
    this.#config = config;
    this.#signedIn = signedIn;
    this.#identityUrl = config.identityUrl ?? `https://cognito-identity.${config.region}.amazonaws.com/`;
    this.#logsUrl = config.logsUrl ?? `https://logs.${config.region}.amazonaws.com/`;
  }

  /** Rejects when they did not arrive. */
  async write(events: TelemetryEvent[]): Promise<void> {
    if (!this.#client || Date.now() > this.#goodUntil) this.#client = await this.#exchange();
    const stream = { logGroupName: this.#config.logGroupName, logStreamName: this.#identityId };
    if (!this.#hasStream) await this.#createStream(this.#client, stream);
    const logEvents = events.map(({ atMs, message }) => ({ timestamp: atMs, message }));
    await this.#log(this.#client, "PutLogEvents", { ...stream, logEvents });
  }

  async #exchange(): Promise<AwsClient> {
    const Logins = { [this.#signedIn.issuer.replace(/^https:\/\//, "")]: await this.#signedIn.idToken() };
    if (!this.#identityId) {
      const pool = { IdentityPoolId: this.#config.identityPoolId, Logins };
      this.#identityId = (await this.#identity<Identity>("GetId", pool)).IdentityId;
    }
    const holder = { IdentityId: this.#identityId, Logins };
    const { Credentials } = await this.#identity<IdentityCredentials>("GetCredentialsForIdentity", holder);
    this.#goodUntil = (Credentials.Expiration - EXPIRY_MARGIN_SECONDS) * 1000;
    return new AwsClient({
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretKey,
      sessionToken: Credentials.SessionToken,
      region: this.#config.region,
      service: "logs",
    });
  }

  async #createStream(client: AwsClient, stream: object): Promise<void> {
    try {
      await this.#log(client, "CreateLogStream", stream);
    } catch (error) {
      if (!(error instanceof TelemetryError && error.code.includes("ResourceAlreadyExists"))) throw error;
    }
    this.#hasStream = true;
  }

  async #identity<Answer>(action: string, body: object): Promise<Answer> {
    const headers = { "Content-Type": CONTENT_TYPE, "X-Amz-Target": `AWSCognitoIdentityService.${action}` };
    const request = new Request(this.#identityUrl, { method: "POST", headers, body: JSON.stringify(body) });
    return (await send(action, request)).json();
  }

  async #log(client: AwsClient, action: string, body: object): Promise<void> {
    const headers = { "Content-Type": CONTENT_TYPE, "X-Amz-Target": `Logs_20140328.${action}` };
    await send(action, await client.sign(this.#logsUrl, { method: "POST", headers, body: JSON.stringify(body) }));
  }
}

async function send(action: string, request: Request): Promise<Response> {
  const response = await fetch(request, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    credentials: "omit",
    redirect: "error",
    referrerPolicy: "no-referrer",
  });
  if (response.ok) return response;
  const problem: { __type?: string } = await response.json().catch(() => ({}));
  throw new TelemetryError(action, response.status, problem.__type ?? "");
}
