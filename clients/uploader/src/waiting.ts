/** Waiting between tries. */

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;

/** Ends early when the line comes back, which is worth an immediate try, or with the signal's reason. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(done, milliseconds);
    window.addEventListener("online", done);
    signal?.addEventListener("abort", stop);
    function done() {
      clean();
      resolve();
    }
    function stop() {
      clean();
      reject(signal?.reason);
    }
    function clean() {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      signal?.removeEventListener("abort", stop);
    }
  });
}

/** Doubling from the first attempt (0), with jitter so that many clients do not come back at once. */
export function backOffMs(attempt: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
}
