/** Calls of one upload that are asked until they are answered, however long the line or the server is away. */

import { abortable, type Connection } from "./connection";
import { isTransient, isUnanswered, retryAfterMs } from "./upload_errors";
import type { VideoUpload } from "./video_upload";
import { backOffMs, pause } from "./waiting";

/** Shorter waits are over before they are read. */
export const HOLD_WORTH_TELLING_MS = 1500;

export class PersistentCalls {
  readonly #upload: VideoUpload;
  readonly #connection: Connection;

  constructor(upload: VideoUpload, connection: Connection) {
    this.#upload = upload;
    this.#connection = connection;
  }

  /** The call's answer. Rejects with what no other try can mend, or with the signal's reason. */
  async insist<Answer>(call: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await abortable(call(), signal);
        this.#upload.holdFor(null);
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        if (!isTransient(error)) throw error;
        await this.#wait(error, attempt, signal);
      }
    }
  }

  async #wait(error: unknown, attempt: number, signal: AbortSignal): Promise<void> {
    const connection = this.#connection;
    const delayMs = Math.max(retryAfterMs(error), backOffMs(attempt));
    if (isUnanswered(error)) connection.suspect();
    const tell = () => {
      if (!connection.isUp) this.#upload.holdFor({ reason: "offline", until: connection.nextTryAt });
    };
    if (delayMs > HOLD_WORTH_TELLING_MS) {
      this.#upload.holdFor({ reason: "busy", until: performance.now() + delayMs });
    }
    tell();
    connection.addEventListener("change", tell);
    try {
      // While the line is dead its probes decide, not a delay that has grown with it.
      if (isUnanswered(error)) await connection.ready(signal);
      if (attempt > 0 || !isUnanswered(error)) await pause(delayMs, signal);
      await connection.ready(signal);
    } finally {
      connection.removeEventListener("change", tell);
    }
  }
}
