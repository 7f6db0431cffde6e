/** Keeps the screen awake while uploads run: a phone that sleeps stops them. */

export class ScreenWakeLock {
  readonly #isNeeded: () => boolean;
  #lock: WakeLockSentinel | null = null;
  #asking = false;

  /** signal: ends it. */
  constructor(isNeeded: () => boolean, signal: AbortSignal) {
    this.#isNeeded = isNeeded;
    // The browser takes the lock back when the page is hidden.
    document.addEventListener("visibilitychange", () => this.update(), { signal });
    signal.addEventListener("abort", () => void this.#lock?.release());
  }

  /** Take the lock, or give it back. Browsers without it, or with an empty battery, just go on. */
  update(): void {
    const isHeld = this.#lock !== null && !this.#lock.released;
    if (isHeld && !this.#isNeeded()) void this.#lock?.release();
    if (isHeld || this.#asking || !this.#isNeeded() || document.hidden || !("wakeLock" in navigator)) return;
    this.#asking = true;
    navigator.wakeLock
      .request("screen")
      .then((lock) => {
        this.#lock = lock;
      })
      .catch(() => {})
      .finally(() => {
        this.#asking = false;
        if (!this.#isNeeded()) void this.#lock?.release();
      });
  }
}
