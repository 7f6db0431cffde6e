/** Connectivity, by a cheap probe: `navigator.onLine` stays true on a dead line. */

import { backOffMs, pause } from "./waiting";

/** Asks for something small. Resolves to whether the answer came; rejects as fetch does. */
export type Probe = (signal: AbortSignal) => Promise<boolean>;

const PROBE_LIMIT_MS = 5000;
/** Back-off: the first probes follow each other at one and two seconds. */
const FIRST_ATTEMPT = 1;

/** Fires "change" when the line is found dead, when the next try is planned, and when it is back. */
export class Connection extends EventTarget {
  readonly #probe: Probe;
  readonly #closed = new AbortController();
  #isUp = true;
  #nextTryAt = 0;
  #check: Promise<void> | null = null;

  constructor(probe: Probe) {
    super();
    this.#probe = probe;
    globalThis.addEventListener("offline", () => this.suspect(), { signal: this.#closed.signal });
  }

  /** Ask no more. */
  close(): void {
    this.#closed.abort();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** True if it is worth sending: the line is up, and nothing says otherwise at the moment. */
  get isReady(): boolean {
    return this.#check === null;
  }

  /** By performance.now(), while the line is dead. */
  get nextTryAt(): number {
    return this.#nextTryAt;
  }

  /** Something got no answer: probe until the line is there. */
  suspect(): void {
    this.#check ??= this.#untilUp().then(
      () => {
        this.#check = null;
        this.#isUp = true;
        this.dispatchEvent(new Event("change"));
      },
      () => {}, // closed
    );
  }

  /** Resolves as soon as the line is there; rejects with the signal's reason. */
  async ready(signal: AbortSignal): Promise<void> {
    while (this.#check) await abortable(this.#check, signal);
  }

  async #untilUp(): Promise<void> {
    for (let attempt = FIRST_ATTEMPT; !(await this.#answers()); attempt += 1) {
      const delayMs = backOffMs(attempt);
      this.#isUp = false;
      this.#nextTryAt = performance.now() + delayMs;
      this.dispatchEvent(new Event("change"));
      await pause(delayMs, this.#closed.signal);
    }
  }

  async #answers(): Promise<boolean> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), PROBE_LIMIT_MS);
    try {
      return await abortable(this.#probe(limit.signal), limit.signal);
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The promise, or a rejection with the signal's reason, whichever comes first. */
export function abortable<Answer>(promise: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
