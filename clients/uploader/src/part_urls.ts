/** The presigned URLs of one upload: the first page comes with it, the others are signed a page at a time. */

import type { ApiClient, PresignedUrl } from "./api";
import { MAX_SIGNED_PARTS } from "./contract";

/** A URL that ends while its part is under way is refused; parts on slow lines take a while. */
const URL_MARGIN_SECONDS = 20;

export class PartUrls {
  readonly #api: ApiClient;
  readonly #uploadToken: string;
  readonly #missing: () => number[];
  /** until: performance.now() milliseconds */
  readonly #known = new Map<number, { url: PresignedUrl; until: number }>();
  #signing: Promise<void> | null = null;

  /** missing: the part numbers that are still to be sent, in order. */
  constructor(api: ApiClient, uploadToken: string, missing: () => number[]) {
    this.#api = api;
    this.#uploadToken = uploadToken;
    this.#missing = missing;
  }

  keep(urls: PresignedUrl[]): void {
    for (const url of urls) {
      // Measured from now on this machine's own clock: it need not agree with the server's.
      const seconds = Number(new URL(url.url).searchParams.get("X-Amz-Expires") ?? 0) || 600;
      const usable = Math.max(seconds - URL_MARGIN_SECONDS, seconds / 2);
      this.#known.set(url.partNumber, { url, until: performance.now() + usable * 1000 });
    }
  }

  async get(partNumber: number): Promise<PresignedUrl> {
    for (;;) {
      const known = this.#known.get(partNumber);
      if (known && known.until > performance.now()) return known.url;
      this.#signing ??= this.#signFrom(partNumber).finally(() => {
        this.#signing = null;
      });
      await this.#signing;
    }
  }

  /** One was refused as ended: its siblings ended with it. */
  forgetAll(): void {
    this.#known.clear();
  }

  async #signFrom(partNumber: number): Promise<void> {
    const wanted = [partNumber, ...this.#missing().filter((each) => each > partNumber)].slice(0, MAX_SIGNED_PARTS);
    const { presignedUrls } = await this.#api.signParts(this.#uploadToken, wanted);
    this.keep(presignedUrls);
  }
}
