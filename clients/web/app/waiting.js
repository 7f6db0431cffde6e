/** Waiting between tries. */

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

/**
 * @param {number} milliseconds
 * @param {AbortSignal} [signal] ends the wait with its reason
 * @returns {Promise<void>}
 */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(done, milliseconds);
    // A line that came back is worth an immediate try.
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

/** Doubling, with jitter so that many clients do not come back at once. @param {number} attempt from 0 */
export function backOffMs(attempt) {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
}
