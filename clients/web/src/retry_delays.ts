/** When Uppy tries a part again. */

import { backOffMs } from "./waiting";

const TRIES_PER_PART = 8;

/** Fresh delays with jitter each time Uppy starts to count, for one part. */
export class Delays extends Array<number> {
  override *values(): ArrayIterator<number> {
    for (let attempt = 0; attempt + 1 < TRIES_PER_PART; attempt += 1) yield backOffMs(attempt);
  }
}
