/** A line of some speed between a page and the platform, in fake time: it can die, cut, refuse and lose answers. */

import { vi } from "vitest";
import { type ApiClient, ApiError, type NewFile, type PartsToComplete } from "../src/api";
import type { Sum } from "../src/checksum";
import type { Tools } from "../src/transfer";
import { UploadEngine } from "../src/upload_engine";
import { VideoUpload } from "../src/video_upload";

/** 5 MiB and megabytes, a thousand times smaller. */
export const PART_BYTES = 5243;
const TICK_MS = 100;
const CALL_MS = 50;
const LOST_CALL_MS = 1000;

interface Answer {
  status: number;
  retryAfterSeconds?: number;
}

export class FakeNetwork {
  bytesPerSecond: number;
  /** nothing arrives, and nothing says so */
  isDead = false;
  /** what the storage answers to the next parts; then 200 */
  answers: Answer[] = [];
  /** what the API answers to the next calls of this name: status and code */
  refusals: Record<string, [number, string][]> = {};
  /** how many parts are stored whose answer is lost */
  lostAnswers = 0;
  /** a storage that takes no part without its checksum */
  wantsChecksums = false;
  readonly begun: string[] = [];
  readonly acknowledged: string[] = [];
  readonly stored = new Map<string, Set<number>>();
  readonly calls: string[] = [];
  readonly probes: number[] = [];
  mostAtOnce = 0;
  readonly #requests = new Set<FakeRequest>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond;
    const network = this;
    vi.stubGlobal(
      "XMLHttpRequest",
      class extends FakeRequest {
        constructor() {
          super(network);
        }
      },
    );
  }

  engine(tools: Partial<Tools> = {}): UploadEngine {
    const sum: Sum = () => ({ within: async () => ({ whole: "sum", parts: [] }), stop: () => {} });
    const engine = new UploadEngine(this.#api(), (signal) => this.#probe(signal), { sum, ...tools });
    engines.push(engine);
    return engine;
  }

  /** Every connection ends at once. */
  cut(): void {
    for (const request of this.#requests) request.end(0);
  }

  keptBytes(): number {
    return this.acknowledged.length * PART_BYTES;
  }

  begin(request: FakeRequest): void {
    this.begun.push(request.part);
    if (this.#requests.size === 0) this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#requests.add(request);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#requests.size);
  }

  end(request: FakeRequest): void {
    this.#requests.delete(request);
    if (this.#requests.size === 0) clearInterval(this.#timer);
  }

  #tick(): void {
    if (this.isDead) return;
    const share = (this.bytesPerSecond * TICK_MS) / 1000 / Math.max(1, this.#requests.size);
    for (const request of [...this.#requests]) {
      if (!request.move(share)) continue;
      const { status, retryAfterSeconds } = this.answers.shift() ?? this.#answerTo(request);
      if (status !== 200) request.end(status, retryAfterSeconds ? `Retry-After: ${retryAfterSeconds}` : "");
      else this.#store(request);
    }
  }

  #answerTo({ sentHeaders }: FakeRequest): Answer {
    return { status: this.wantsChecksums && !sentHeaders["x-amz-checksum-crc64nvme"] ? 400 : 200 };
  }

  #store(request: FakeRequest): void {
    const [video = "", number = ""] = request.part.split("/");
    this.stored.set(video, (this.stored.get(video) ?? new Set()).add(Number(number)));
    if (this.lostAnswers > 0) {
      this.lostAnswers -= 1;
      request.end(0);
    } else {
      this.acknowledged.push(request.part);
      request.end(200, 'ETag: "etag"');
    }
  }

  async #probe(signal: AbortSignal): Promise<boolean> {
    this.probes.push(performance.now());
    // As TCP does, whose first retransmission comes after a second.
    while (this.isDead && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, LOST_CALL_MS));
    return !signal.aborted;
  }

  async #call<Result>(name: string, answer: () => Result): Promise<Result> {
    this.calls.push(name);
    await new Promise((resolve) => setTimeout(resolve, this.isDead ? LOST_CALL_MS : CALL_MS));
    if (this.isDead) throw new ApiError({ status: 0, code: "network_error" });
    const refusal = this.refusals[name]?.shift();
    if (refusal) throw new ApiError({ status: refusal[0], code: refusal[1] });
    return answer();
  }

  #api(): ApiClient {
    const sign = (token: string, numbers: number[], headers: Record<string, string>) => ({
      presignedUrls: numbers.map((partNumber) => {
        return { partNumber, sizeBytes: 0, url: `https://s3.example/${token}/${partNumber}`, headers };
      }),
    });
    const api = {
      forUpload: () => api,
      startUpload: ({ fileName, sizeBytes }: NewFile) =>
        this.#call("init", () => {
          const partCount = Math.ceil(sizeBytes / PART_BYTES);
          const ids = { videoId: fileName, uploadId: "id", fileKey: "key", uploadToken: fileName };
          return { ...ids, partSizeBytes: PART_BYTES, partCount, presignedUrls: [] };
        }),
      signParts: (token: string, numbers: number[]) => this.#call("sign", () => sign(token, numbers, {})),
      signPart: (token: string, number: number, checksum: string) =>
        this.#call("sign", () => sign(token, [number], { "x-amz-checksum-crc64nvme": checksum })),
      storedParts: (token: string) =>
        this.#call("list", () => ({
          state: "uploading",
          parts: [...(this.stored.get(token) ?? [])].map((partNumber) => {
            return { partNumber, etag: "etag", sizeBytes: PART_BYTES };
          }),
        })),
      completeUpload: (token: string, { parts }: PartsToComplete) =>
        this.#call("complete", () => {
          if (parts.length !== this.stored.get(token)?.size) throw new Error("parts are missing");
          return { status: "completed", retryAfterSeconds: 0 };
        }),
      abortUpload: () => this.#call("abort", () => ({})),
    };
    return api as unknown as ApiClient;
  }
}

/** The part of XMLHttpRequest that sending a part needs. */
class FakeRequest {
  status = 0;
  part = "";
  readonly sentHeaders: Record<string, string> = {};
  readonly upload: { onprogress?: (event: { loaded: number }) => void } = {};
  onloadend?: () => void;
  readonly #network: FakeNetwork;
  #responseHeaders = "";
  #sizeBytes = 0;
  #leftBytes = 0;

  constructor(network: FakeNetwork) {
    this.#network = network;
  }

  open(_method: string, url: string): void {
    this.part = url.replace("https://s3.example/", "");
  }

  setRequestHeader(name: string, value: string): void {
    this.sentHeaders[name] = value;
  }

  send(body: Blob): void {
    this.#sizeBytes = body.size;
    this.#network.begin(this);
  }

  abort(): void {
    this.end(0);
  }

  /** True if all has left. */
  move(bytes: number): boolean {
    this.#leftBytes = Math.min(this.#sizeBytes, this.#leftBytes + bytes);
    this.upload.onprogress?.({ loaded: this.#leftBytes });
    return this.#leftBytes === this.#sizeBytes;
  }

  end(status: number, responseHeaders = ""): void {
    this.status = status;
    this.#responseHeaders = responseHeaders;
    this.#network.end(this);
    this.onloadend?.();
  }

  getAllResponseHeaders(): string {
    return this.#responseHeaders;
  }

  getResponseHeader(name: string): string | null {
    return this.#responseHeaders.startsWith(name) ? this.#responseHeaders.slice(name.length + 2) : null;
  }
}

const engines: UploadEngine[] = [];

/** End what still runs: another test's time is not its own. */
export function endAll(): void {
  for (const engine of engines.splice(0)) engine.close();
}

/** A file of so many whole parts, each a thousandth of 5 MiB. */
export function film(name: string, parts: number): VideoUpload {
  return new VideoUpload(new File([new Uint8Array(parts * PART_BYTES)], name), "video/mp4");
}

export async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}
