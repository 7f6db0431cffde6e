/**
 * Uppy on the contract's five multipart calls: it cuts files, sends parts in parallel, tries again, pauses and resumes.
 *
 * Uppy wants to know a file's part size before it begins, which the API decides: so uploads begin in a preprocessor, and
 * createMultipartUpload only hands over what is known. Uppy also aborts an upload after any error, which would throw
 * away what S3 holds: so its abortMultipartUpload does nothing, and `cancel` tells the API.
 */

import AwsS3, { type AwsS3UploadParameters } from "@uppy/aws-s3";
import Uppy, { type Body, type Meta, type UppyFile } from "@uppy/core";

import { type ApiClient, ApiError, type PartsToComplete, type StoredPart } from "./api";
import { ChecksumJob } from "./checksum";
import { PutError, putPart } from "./part_put";
import { forgetBeginning, forgetFile, rememberBeginning, rememberFile } from "./remembered_files";
import { Delays } from "./retry_delays";
import { UploadError } from "./upload_errors";
import { letGo, lock } from "./upload_lock";
import { PartsDiffered, type VideoUpload } from "./video_upload";
import { pause } from "./waiting";

type UploadFile = UppyFile<Meta, Body>;
type UppyPart = { PartNumber?: number; ETag?: string };
type PartPutOptions = {
  signature: AwsS3UploadParameters;
  body: FormData | Blob;
  onProgress: (event: { loaded: number; lengthComputable: boolean }) => void;
  onComplete: (etag: string) => void;
  signal?: AbortSignal;
};

const PARALLEL_PARTS = 4;
const MAX_REPAIRS = 3;
/** Sums are ready before the last part has left, unless the line is faster than the disk: then they are left out. */
const CHECKSUM_GRACE_MS = 3000;
const COMPARE_LIMIT_MS = 600_000;
const REPAIRABLE = new Set([
  "parts_incomplete",
  "part_mismatch",
  "part_too_small",
  "size_mismatch",
  "checksum_mismatch",
]);
const STORED_STATES = new Set(["processing", "ready", "rejected"]);
const GONE = new Set(["upload_aborted", "upload_expired", "upload_not_found"]);

export class UploadEngine {
  readonly #api: ApiClient;
  readonly #uppy: Uppy<Meta, Body>;
  /** by Uppy's file id */
  readonly #uploads = new Map<string, VideoUpload>();
  readonly #fileIds = new Map<VideoUpload, string>();
  readonly #signed = new WeakMap<object, { upload: VideoUpload; partNumber: number }>();

  constructor(api: ApiClient) {
    this.#api = api;
    const silent = () => {};
    this.#uppy = new Uppy<Meta, Body>({ logger: { debug: silent, warn: silent, error: silent } });
    this.#uppy.addPreProcessor((fileIds) => this.#prepare(fileIds));
    this.#uppy.use(AwsS3<Meta, Body>, {
      shouldUseMultipart: true,
      limit: PARALLEL_PARTS,
      retryDelays: new Delays(),
      getChunkSize: (data) => this.#partSizeOf(data),
      createMultipartUpload: async (file) => {
        const { uploadId, fileKey } = this.#of(file).known;
        return { uploadId, key: fileKey };
      },
      signPart: (file, { partNumber }) => this.#sign(this.#of(file), partNumber),
      listParts: (file, { signal }) => this.#list(this.#of(file), signal),
      completeMultipartUpload: (file, { parts, signal }) => this.#complete(this.#of(file), parts, signal),
      abortMultipartUpload: async () => {},
      uploadPartBytes: (options: PartPutOptions) => this.#put(options),
    });
    this.#uppy.on("upload-error", (file, error) => {
      if (file) this.#failed(file.id, error);
    });
    this.#uppy.on("upload-success", (file) => {
      if (file) this.#succeeded(file.id);
    });
  }

  /** Send, or go on after a pause or a failure. `state` and `error` of the upload tell. */
  run(upload: VideoUpload): void {
    upload.to("sending");
    upload.checksum ??= new ChecksumJob({ file: upload.file });
    const known = this.#fileIds.get(upload);
    if (known === undefined) {
      this.#add(upload);
      quietly(this.#uppy.upload());
    } else if (this.#uppy.getFile(known).error) {
      upload.repairs = 0;
      quietly(this.#uppy.retryUpload(known));
    } else if (this.#uppy.getFile(known).isPaused) {
      this.#uppy.pauseResume(known);
    }
  }

  /** Stop sending; what S3 holds stays there. */
  pause(upload: VideoUpload): void {
    if (upload.state !== "sending" && upload.state !== "waiting") return;
    upload.to("paused");
    this.#stop(upload);
  }

  /** Stop, and have S3 drop the parts. The state is "failed" when the API cannot be told. */
  async cancel(upload: VideoUpload): Promise<void> {
    upload.to("cancelling");
    this.#stop(upload);
    await upload.beginning.catch(() => {}); // nobody could cancel an upload whose answer nobody read
    try {
      const token = upload.open?.uploadToken ?? upload.unfinished?.uploadToken;
      if (token) await this.#api.forUpload(upload).abortUpload(token);
    } catch (error) {
      if (!(error instanceof ApiError && GONE.has(error.code))) {
        upload.to("failed", error);
        return;
      }
    }
    this.#forget(upload);
    upload.to("cancelled");
  }

  /** Let go of an upload that is over, or cannot go on. */
  remove(upload: VideoUpload): void {
    this.#forget(upload);
  }

  #add(upload: VideoUpload): void {
    const fileId = this.#uppy.addFile({
      name: upload.file.name,
      type: upload.contentType,
      data: upload.file,
      // Uppy tells files apart by their facts; the same file may be sent twice.
      meta: { relativePath: crypto.randomUUID() },
    });
    this.#uploads.set(fileId, upload);
    this.#fileIds.set(upload, fileId);
  }

  #stop(upload: VideoUpload): void {
    const fileId = this.#fileIds.get(upload);
    if (fileId && !this.#uppy.getFile(fileId).isPaused) this.#uppy.pauseResume(fileId);
  }

  #forget(upload: VideoUpload): void {
    upload.checksum?.stop();
    letGo(upload);
    const fileId = this.#fileIds.get(upload);
    if (!fileId) return;
    this.#fileIds.delete(upload);
    this.#uploads.delete(fileId);
    if (this.#uppy.getFile(fileId)) this.#uppy.removeFile(fileId);
  }

  #of(file: UploadFile): VideoUpload {
    const upload = this.#uploads.get(file.id);
    if (!upload) throw new UploadError("upload_aborted");
    return upload;
  }

  #partSizeOf(data: object): number {
    for (const upload of this.#uploads.values()) {
      if (upload.file === data) return upload.known.partSizeBytes;
    }
    throw new TypeError("a file that was never added");
  }

  async #prepare(fileIds: string[]): Promise<void> {
    for (const fileId of fileIds) {
      const upload = this.#uploads.get(fileId);
      if (!upload) continue;
      try {
        const goesOn = upload.open !== null || upload.unfinished !== undefined;
        await this.#begin(upload);
        await upload.whileNotPaused();
        upload.unlock ??= await lock(`upload ${upload.known.videoId}`);
        const { uploadId, fileKey } = upload.known;
        // Uppy then asks for the stored parts first.
        if (goesOn) this.#uppy.setFileState(fileId, { s3Multipart: { uploadId, key: fileKey } } as Partial<UploadFile>);
      } catch (error) {
        const file = this.#uppy.getFile(fileId);
        if (file) this.#uppy.emit("upload-error", file, error as Error);
      }
    }
  }

  async #begin(upload: VideoUpload): Promise<void> {
    if (upload.open) return;
    if (upload.unfinished) {
      upload.begun(upload.unfinished, [], this.#api.forUpload(upload));
      return;
    }
    const api = this.#api.forUpload(upload);
    rememberBeginning(upload.file, upload.contentType, upload.correlationId);
    const beginning = api.startUpload({
      fileName: upload.file.name,
      contentType: upload.contentType,
      sizeBytes: upload.file.size,
    });
    upload.beginning = beginning.then(
      (started) => {
        upload.begun(started, started.presignedUrls, api);
        rememberFile(started.videoId, upload.file);
        forgetBeginning(upload.file, upload.contentType);
      },
      (error: unknown) => {
        if (error instanceof ApiError && error.status < 500) forgetBeginning(upload.file, upload.contentType);
        throw error;
      },
    );
    await upload.beginning;
    upload.dispatchEvent(new Event("state")); // it has a videoId now
  }

  async #sign(upload: VideoUpload, partNumber: number): Promise<AwsS3UploadParameters> {
    const { url, headers = {} } = await upload.known.urls.get(partNumber);
    const signature: AwsS3UploadParameters = { method: "PUT", url, headers };
    this.#signed.set(signature, { upload, partNumber });
    return signature;
  }

  async #list(upload: VideoUpload, signal: AbortSignal | undefined): Promise<UppyPart[]> {
    const whole = await this.#stored(upload, signal);
    upload.holds(whole);
    return whole.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag }));
  }

  /** The parts that need not be sent again. */
  async #stored(upload: VideoUpload, signal: AbortSignal | undefined): Promise<StoredPart[]> {
    const { uploadToken, partCount, partSizeBytes } = upload.known;
    try {
      const { state, parts } = await this.#api.forUpload(upload).storedParts(uploadToken, signal);
      upload.isStored = STORED_STATES.has(state);
      if (!upload.isStored) {
        const whole = parts.filter((part) => part.sizeBytes === upload.partSize(part.partNumber));
        if (!upload.mustCompareParts) return whole;
        const right = await same(whole, upload.file, partSizeBytes);
        const wrong = whole.filter((part) => !right.includes(part)).map(({ partNumber }) => partNumber);
        if (wrong.length > 0) upload.dispatchEvent(new PartsDiffered(wrong));
        return right;
      }
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "upload_completed")) throw error;
      upload.isStored = true;
    }
    return Array.from({ length: partCount }, (_, index) => {
      return { partNumber: index + 1, sizeBytes: upload.partSize(index + 1), etag: "stored" };
    });
  }

  async #put({ signature, body, onProgress, onComplete, signal }: PartPutOptions): Promise<{ ETag: string }> {
    const signed = this.#signed.get(signature);
    if (!signed || !(body instanceof Blob)) throw new TypeError("a part that was never signed");
    const { upload, partNumber } = signed;
    try {
      const etag = await putPart({
        url: signature.url,
        headers: signature.headers ?? {},
        body,
        signal,
        moved: (bytes) => {
          if (signal?.aborted) return;
          upload.partMoved(partNumber, bytes);
          onProgress({ loaded: bytes, lengthComputable: true });
        },
      });
      upload.partStored(partNumber);
      onComplete(etag);
      return { ETag: etag };
    } catch (error) {
      upload.partStopped(partNumber);
      if (signal?.aborted) throw Object.assign(new Error("stopped", { cause: signal.reason }), { name: "AbortError" });
      upload.partFailed(partNumber);
      throw await this.#explained(upload, error, body);
    }
  }

  /** What Uppy tries again has a `source.status`; everything else ends the upload with its reason. */
  async #explained(upload: VideoUpload, error: unknown, body: Blob): Promise<Error> {
    const status = error instanceof PutError ? error.status : 0;
    if (status === 0 && !(await isReadable(body))) return new UploadError("file_unreadable", error);
    if (status === 404) {
      // S3 no longer knows the upload: the API knows why.
      const api = this.#api.forUpload(upload);
      const reason = await api.storedParts(upload.known.uploadToken).catch((refusal: unknown) => refusal);
      if (reason instanceof ApiError) return reason;
      return new UploadError("part_failed", error);
    }
    if (status === 403) upload.known.urls.forgetAll();
    // Uppy gives up at once on what is the client's fault; an ended URL is not.
    const retried = status === 403 || status < 400 ? 0 : status;
    return Object.assign(new UploadError("part_failed", error), { source: { status: retried } });
  }

  async #complete(upload: VideoUpload, parts: UppyPart[], signal: AbortSignal): Promise<Body> {
    upload.to("completing");
    if (upload.isStored) return {};
    const etags = parts.map(({ PartNumber = 0, ETag = "" }) => ({ partNumber: PartNumber, etag: ETag }));
    const isHidden = etags.some(({ etag }) => etag === "");
    const body: PartsToComplete = { parts: isHidden ? await this.#etags(upload, signal) : etags };
    const checksums = await upload.checksum?.within(CHECKSUM_GRACE_MS);
    if (checksums) body.checksumCRC64NVME = checksums.whole;
    const api = this.#api.forUpload(upload);
    for (;;) {
      try {
        const answer = await api.completeUpload(upload.known.uploadToken, body, signal);
        if (answer.status === "completed") return {};
        await pause(Math.max(1, answer.retryAfterSeconds) * 1000, signal);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.code === "upload_completed") return {};
        if (error.code !== "upload_completing") throw error;
        await pause(2000, signal);
      }
    }
  }

  async #etags(upload: VideoUpload, signal: AbortSignal): Promise<PartsToComplete["parts"]> {
    const stored = await this.#stored(upload, signal);
    return stored.map(({ partNumber, etag }) => ({ partNumber, etag }));
  }

  #failed(fileId: string, error: unknown): void {
    const upload = this.#uploads.get(fileId);
    if (!upload || upload.isGivenUp) return;
    if (error instanceof ApiError && REPAIRABLE.has(error.code) && upload.repairs < MAX_REPAIRS) {
      upload.repairs += 1;
      upload.mustCompareParts = error.code === "checksum_mismatch";
      upload.to("sending");
      // Only what S3 lacks is sent; not before Uppy let go of the first try.
      setTimeout(() => quietly(this.#uppy.retryUpload(fileId)));
      return;
    }
    letGo(upload);
    upload.to("failed", error);
  }

  #succeeded(fileId: string): void {
    const upload = this.#uploads.get(fileId);
    if (!upload) return;
    forgetFile(upload.known.videoId);
    upload.to("completed");
    setTimeout(() => this.#forget(upload));
  }
}

/** Uppy's promises repeat what its events told. */
function quietly(promise: Promise<unknown>): void {
  promise.catch(() => {});
}

/** The parts whose content S3 has right; all of them where S3 does not tell their sums. */
async function same(parts: StoredPart[], file: File, partSizeBytes: number): Promise<StoredPart[]> {
  const job = new ChecksumJob({ file, partSizeBytes });
  const sums = await job.within(COMPARE_LIMIT_MS);
  job.stop();
  return parts.filter(({ partNumber, checksumCRC64NVME: stored }) => {
    return !sums || !stored || stored === sums.parts[partNumber - 1];
  });
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
