/** Stored parts of one upload, as the API reports them. */

import { type ApiClient, ApiError, type StoredPart } from "./api";
import type { Sum } from "./checksum";
import { abortable } from "./connection";
import type { PersistentCalls } from "./persistent_calls";
import { COMPLETED_MEANWHILE, codeOf, isTransient } from "./upload_errors";
import { PartsDiffered, type VideoUpload } from "./video_upload";

const LOOK_LIMIT_MS = 10_000;
const SUM_LIMIT_MS = 600_000;
const TOGETHER_STATES = new Set(["processing", "ready", "rejected"]);

export class StoredParts {
  /** S3 put the upload together already: nothing is left to send */
  isTogether = false;
  readonly #upload: VideoUpload;
  readonly #api: ApiClient;
  readonly #calls: PersistentCalls;
  readonly #sum: Sum;
  #look: Promise<StoredPart[]> | null = null;

  constructor(upload: VideoUpload, api: ApiClient, calls: PersistentCalls, sum: Sum) {
    this.#upload = upload;
    this.#api = api;
    this.#calls = calls;
    this.#sum = sum;
  }

  /** The parts that need not be sent again. isDamaged: some hold other bytes than the file. */
  async list(signal: AbortSignal, { isDamaged = false } = {}): Promise<StoredPart[]> {
    const upload = this.#upload;
    const { uploadToken, partCount } = upload.known;
    try {
      const { state, parts } = await this.#calls.insist(() => this.#api.storedParts(uploadToken), signal);
      this.isTogether = TOGETHER_STATES.has(state);
      const whole = parts.filter((part) => this.#isWhole(part));
      if (!this.isTogether) return isDamaged ? this.#same(whole, signal) : whole;
    } catch (error) {
      if (!COMPLETED_MEANWHILE.has(codeOf(error))) throw error;
      this.isTogether = true;
    }
    return Array.from({ length: partCount }, (_, index) => {
      return { partNumber: index + 1, sizeBytes: upload.partSize(index + 1), etag: "stored" };
    });
  }

  /** A part whose answer was lost, if it arrived. Parts that ask at once wait for one call, and not for long. */
  async find(number: number): Promise<StoredPart | undefined> {
    this.#look ??= this.#api
      .storedParts(this.#upload.known.uploadToken, AbortSignal.timeout(LOOK_LIMIT_MS))
      .then(({ parts }) => parts)
      .catch((error: unknown) => {
        if (error instanceof ApiError && !isTransient(error)) throw error;
        return [];
      })
      .finally(() => {
        this.#look = null;
      });
    return (await this.#look).find((part) => part.partNumber === number && this.#isWhole(part));
  }

  #isWhole({ partNumber, sizeBytes }: StoredPart): boolean {
    return sizeBytes === this.#upload.partSize(partNumber);
  }

  /** The parts whose content S3 has right; all of them where S3 does not tell their sums. */
  async #same(parts: StoredPart[], signal: AbortSignal): Promise<StoredPart[]> {
    const { file, known } = this.#upload;
    const job = this.#sum({ file, partSizeBytes: known.partSizeBytes });
    const sums = await abortable(job.within(SUM_LIMIT_MS), signal).finally(() => job.stop());
    const isRight = ({ partNumber, checksumCRC64NVME: stored }: StoredPart) =>
      !sums || !stored || stored === sums.parts[partNumber - 1];
    const wrong = parts.filter((part) => !isRight(part)).map(({ partNumber }) => partNumber);
    if (wrong.length > 0) this.#upload.dispatchEvent(new PartsDiffered(wrong));
    return parts.filter(isRight);
  }
}
