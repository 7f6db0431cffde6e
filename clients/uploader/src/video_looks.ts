/** Looks at videos that the platform still works on: soon, then less and less often, in a hidden page only on demand. */

const FIRST_LOOK_MS = 1000;
const SLOWEST_LOOK_MS = 10_000;
const SLOWER_EACH_TIME = 1.3;

export class VideoLooks {
  readonly #wanted: () => Iterable<string>;
  readonly #look: (videoId: string) => Promise<unknown>;
  readonly #looksWhenHidden: () => boolean;
  readonly #closed = new AbortController();
  #timer: number | undefined;
  #everyMs = FIRST_LOOK_MS;

  /** wanted: ids of the videos. look: may reject: the next look may see the video. looksWhenHidden: for who is told. */
  constructor(
    wanted: () => Iterable<string>,
    look: (videoId: string) => Promise<unknown>,
    looksWhenHidden: () => boolean = () => false,
  ) {
    this.#wanted = wanted;
    this.#looksWhenHidden = looksWhenHidden;
    this.#look = look;
    document.addEventListener("visibilitychange", () => this.soon(), { signal: this.#closed.signal });
  }

  /** Start again with short pauses: something is new. */
  soon(): void {
    this.#everyMs = FIRST_LOOK_MS;
    this.#later();
  }

  /** Look no more. */
  close(): void {
    this.#closed.abort();
    clearTimeout(this.#timer);
  }

  #later(): void {
    clearTimeout(this.#timer);
    if (!this.#closed.signal.aborted) this.#timer = window.setTimeout(() => void this.#lookAtAll(), this.#everyMs);
  }

  async #lookAtAll(): Promise<void> {
    const wanted = [...this.#wanted()];
    if (wanted.length === 0 || (document.visibilityState === "hidden" && !this.#looksWhenHidden())) return;
    for (const videoId of wanted) await this.#look(videoId).catch(() => {});
    this.#everyMs = Math.min(SLOWEST_LOOK_MS, this.#everyMs * SLOWER_EACH_TIME);
    this.#later();
  }
}
