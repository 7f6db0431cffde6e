/** Next steps for a part that was not stored: a fresh URL, its checksum, some time, or an end with a reason. */

import { type ApiClient, ApiError } from "./api";
import type { Sum } from "./checksum";
import { PutError } from "./part_put";
import { isTransient, retryAfterMs, UploadError } from "./upload_errors";
import type { VideoUpload } from "./video_upload";
import { backOffMs } from "./waiting";

type Signed = { url: string; headers: Record<string, string> };

/** Attempts after refusals that no wait explains. */
const MOST_REFUSALS = 5;
const SUM_LIMIT_MS = 60_000;

export class PartRefusals {
  readonly #upload: VideoUpload;
  readonly #api: ApiClient;
  readonly #sum: Sum;
  /** in a row, by part number */
  readonly #failures = new Map<number, number>();
  /** in a row, by part number, network failures in between not counted */
  readonly #signatureRefusals = new Map<number, number>();
  #signsChecksums = false;

  constructor(upload: VideoUpload, api: ApiClient, sum: Sum) {
    this.#upload = upload;
    this.#api = api;
    this.#sum = sum;
  }

  /** The part is stored. */
  forget(number: number): void {
    this.#failures.delete(number);
    this.#signatureRefusals.delete(number);
  }

  /** URL to send the part to. */
  async signed(number: number): Promise<Signed> {
    const { urls, uploadToken } = this.#upload.known;
    const checksum = this.#signsChecksums ? await this.#checksumOf(number) : null;
    if (!checksum) {
      const { url, headers = {} } = await urls.get(number);
      return { url, headers };
    }
    const { presignedUrls } = await this.#api.signPart(uploadToken, number, checksum);
    const signed = presignedUrls.find(({ partNumber }) => partNumber === number);
    if (!signed) throw new UploadError("part_failed");
    return signed;
  }

  /** Time of the next attempt. Rejects with the reason if another attempt cannot help. */
  async delayMs(number: number, error: unknown): Promise<number> {
    const failures = this.#failures.get(number) ?? 0;
    this.#failures.set(number, failures + 1);
    if (error instanceof PutError) this.#upload.partFailed(number);
    const delayMs = Math.max(retryAfterMs(error), backOffMs(failures));
    if (!(error instanceof PutError)) {
      if (isTransient(error)) return delayMs;
      throw error;
    }
    const { status } = error;
    if (status === 0 && !(await isReadable(this.#upload.partBody(number)))) {
      throw new UploadError("file_unreadable", error);
    }
    if (isTransient(error)) return delayMs;
    if (status === 403) {
      // Only refusals of fresh URLs count: none comes while the network is away.
      const refusals = this.#signatureRefusals.get(number) ?? 0;
      this.#signatureRefusals.set(number, refusals + 1);
      if (refusals >= MOST_REFUSALS) throw new UploadError("part_failed", error);
      this.#upload.known.urls.forgetAll();
      return refusals === 0 ? 0 : delayMs;
    }
    if (status === 400 && !this.#signsChecksums) {
      // Some stores take no part of such an upload without its checksum.
      this.#signsChecksums = true;
      return 0;
    }
    if (status === 404) await this.#askWhy();
    if (failures >= MOST_REFUSALS) throw new UploadError("part_failed", error);
    return delayMs;
  }

  /** S3 no longer knows the upload: the API knows why. */
  async #askWhy(): Promise<void> {
    const reason = await this.#api.storedParts(this.#upload.known.uploadToken).catch((refusal: unknown) => refusal);
    if (reason instanceof ApiError && !isTransient(reason)) throw reason;
  }

  async #checksumOf(number: number): Promise<string | null> {
    const job = this.#sum({ file: this.#upload.partBody(number) });
    const sums = await job.within(SUM_LIMIT_MS);
    job.stop();
    return sums?.whole ?? null;
  }
}

/** No connection helps when the file is gone. */
async function isReadable(body: Blob): Promise<boolean> {
  return body
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
}
