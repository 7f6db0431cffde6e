/**
 * Moves uploads: one transfer each, on one line.
 *
 * It knows no element of a page: `state`, `error`, `hold` and the figures of an upload tell all there is to show.
 */

import type { ApiClient } from "./api";
import { ChecksumJob } from "./checksum";
import { Connection, type Probe } from "./connection";
import { putPart } from "./part_put";
import { type Tools, Transfer } from "./transfer";
import type { VideoUpload } from "./video_upload";
import { Width } from "./width";

export class UploadEngine {
  readonly #tools: Tools;
  readonly #transfers = new Map<VideoUpload, Transfer>();

  /** probe: decides whether the line is there. tools: for tests. */
  constructor(api: ApiClient, probe: Probe, tools: Partial<Tools> = {}) {
    this.#tools = {
      api,
      connection: new Connection(probe),
      width: new Width(),
      session: { isOpen: true },
      put: putPart,
      sum: (request) => new ChecksumJob(request),
      ...tools,
    };
    for (const each of [this.#tools.connection, this.#tools.width]) {
      each.addEventListener("change", () => {
        for (const transfer of this.#transfers.values()) transfer.lineChanged();
      });
    }
  }

  /** True if the person is signed in: uploads that are to begin wait for it. */
  set isSignedIn(isSignedIn: boolean) {
    this.#tools.session.isOpen = isSignedIn;
    for (const transfer of this.#transfers.values()) transfer.tellSession();
  }

  /** Send, or go on after a pause or a failure. */
  run(upload: VideoUpload): void {
    this.#of(upload).start();
  }

  /** Begin no more parts; the second time, cut those on their way. What S3 holds stays there. */
  pause(upload: VideoUpload): void {
    this.#of(upload).pause();
  }

  /** Stop, and have S3 drop the parts. */
  cancel(upload: VideoUpload): Promise<void> {
    return this.#of(upload).cancel();
  }

  /** Let go of an upload that is over, or cannot go on. */
  remove(upload: VideoUpload): void {
    this.#transfers.get(upload)?.stop();
    this.#transfers.delete(upload);
  }

  /** Stop everything; what S3 holds stays there. */
  close(): void {
    for (const transfer of this.#transfers.values()) transfer.stop();
    this.#transfers.clear();
    this.#tools.connection.close();
  }

  #of(upload: VideoUpload): Transfer {
    const transfer = this.#transfers.get(upload) ?? new Transfer(upload, this.#tools);
    this.#transfers.set(upload, transfer);
    return transfer;
  }
}
