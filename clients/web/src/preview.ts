/** Thumbnails over a poster: the one under the pointer, from left to right; one after the other under the keyboard. */

import type { Thumbnails } from "video-uploader/contract";
import { within } from "video-uploader/dom";

const STEP_MILLISECONDS = 600;
const POSTER_RATIO = 16 / 9;

export class Preview {
  readonly #box: HTMLElement;
  readonly #tile = document.createElement("span");
  readonly #freshUrl: () => Promise<string | null>;
  #thumbnails: Thumbnails | null = null;
  #url: string | null = null;
  /** set once the picture is there, or on its way */
  #loading: Promise<boolean> | null = null;
  #wanted = -1;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** freshUrl: asked for once, where the URL has ended since the card was drawn */
  constructor(poster: HTMLElement, freshUrl: () => Promise<string | null>) {
    this.#box = within(poster, ".preview");
    this.#box.append(this.#tile);
    this.#freshUrl = freshUrl;
    poster.addEventListener("pointermove", (event) => {
      // A finger scrolls or taps; it does not point.
      if (event.pointerType === "touch" || !this.#thumbnails) return;
      const { left, width } = poster.getBoundingClientRect();
      this.#stop();
      this.#show(tileAt((event.clientX - left) / width, this.#thumbnails.count));
    });
    poster.addEventListener("pointerleave", () => this.#hide());
    poster.addEventListener("focus", () => {
      if (poster.matches(":focus-visible") && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.#run();
    });
    poster.addEventListener("blur", () => this.#hide());
    poster.addEventListener("click", () => this.#hide());
  }

  /** null: the video has none */
  draw(thumbnails: Thumbnails | null, url: string | null): void {
    this.#thumbnails = url ? thumbnails : null;
    this.#url = url;
    if (!this.#thumbnails) this.#hide();
  }

  #run(): void {
    const count = this.#thumbnails?.count;
    if (!count) return;
    let number = 0;
    this.#show(0);
    this.#timer = setInterval(() => this.#show(++number % count), STEP_MILLISECONDS);
  }

  #stop(): void {
    clearInterval(this.#timer);
  }

  #hide(): void {
    this.#stop();
    this.#wanted = -1;
    this.#box.hidden = true;
  }

  async #show(number: number): Promise<void> {
    this.#wanted = number;
    this.#loading ??= this.#load();
    if (!(await this.#loading) || !this.#thumbnails || this.#wanted < 0) return;
    Object.assign(this.#tile.style, tileStyle(this.#thumbnails, this.#wanted));
    this.#tile.dataset.tile = `${this.#wanted}`;
    this.#box.hidden = false;
  }

  async #load(): Promise<boolean> {
    const url = (await loaded(this.#url)) ?? (await loaded(await this.#freshUrl().catch(() => null)));
    if (url) this.#tile.style.backgroundImage = `url("${url}")`;
    return url !== null;
  }
}

/** The URL once its picture is there; null where there is none. */
export async function loaded(url: string | null): Promise<string | null> {
  if (!url) return null;
  const image = new Image();
  image.src = url;
  return image.decode().then(
    () => url,
    () => null,
  );
}

/** Number of the thumbnail for a part of the width. */
export function tileAt(part: number, count: number): number {
  return Math.min(count - 1, Math.max(0, Math.floor(part * count)));
}

/** Show one tile of the picture, as large as the poster has room for. */
export function tileStyle(thumbnails: Thumbnails, number: number): Record<string, string> {
  const { count, tileWidth, tileHeight } = thumbnails;
  const columns = Math.min(count, thumbnails.columns);
  const rows = Math.ceil(count / thumbnails.columns);
  const isWide = tileWidth / tileHeight > POSTER_RATIO;
  return {
    aspectRatio: `${tileWidth} / ${tileHeight}`,
    width: isWide ? "100%" : "auto",
    height: isWide ? "auto" : "100%",
    backgroundSize: `${columns * 100}% ${rows * 100}%`,
    backgroundPosition: `${part(number % thumbnails.columns, columns)} ${part(Math.floor(number / thumbnails.columns), rows)}`,
  };
}

function part(position: number, count: number): string {
  return count > 1 ? `${(position / (count - 1)) * 100}%` : "0%";
}
