/** The videos that are up: posters, facts, their state as it changes, playing and deleting. */

import { ApiError } from "./api.js";
import { date, duration, size } from "./format.js";
import { message } from "./messages.js";
import { announce, byId, confirmed, fromTemplate, play, showBanner } from "./page.js";

/** @typedef {import("./api.js").ApiClient} ApiClient */
/** @typedef {import("./api.js").Video} Video */
/** @typedef {{video: Video, row: HTMLElement}} Entry */

const FIRST_LOOK_MS = 1000;
const SLOWEST_LOOK_MS = 10_000;
const UNSETTLED = new Set(["completing", "processing"]);

export class Library {
  #api;
  /** @type {Map<string, Entry>} newest first */
  #entries = new Map();
  /** @type {string | null} */
  #cursor = null;
  #loading = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #lookMs = FIRST_LOOK_MS;

  /** @param {ApiClient} api */
  constructor(api) {
    this.#api = api;
    byId("more").onclick = () => this.#loadAndTell();
    new IntersectionObserver(([entry]) => {
      if (entry.isIntersecting && this.#cursor) this.#loadAndTell();
    }, { rootMargin: "400px" }).observe(byId("more"));
    document.addEventListener("visibilitychange", () => this.#lookSoon());
  }

  /** Load the next page; the first time, the first. */
  async load() {
    if (this.#loading) return;
    this.#loading = true;
    try {
      const { videos, nextCursor } = await this.#api.videos(this.#cursor);
      this.#cursor = nextCursor;
      for (const video of videos) if (video.state !== "uploading") this.#put(video);
      byId("more").hidden = nextCursor === null;
    } finally {
      this.#loading = false;
    }
    this.#lookSoon();
    this.#drawEmpty();
  }

  /** Show a video that was just uploaded. @param {string} videoId */
  async add(videoId) {
    await this.#refresh(videoId).catch((error) => showBanner(message(error)));
    this.#lookSoon();
  }

  #loadAndTell() {
    this.load().catch((error) => showBanner(message(error)));
  }

  #lookSoon() {
    clearTimeout(this.#timer);
    this.#lookMs = FIRST_LOOK_MS;
    this.#timer = setTimeout(() => this.#look(), this.#lookMs);
  }

  /** Ask after those that are still being processed, less and less often. */
  async #look() {
    const unsettled = [...this.#entries.values()].filter(({ video }) => UNSETTLED.has(video.state));
    if (unsettled.length === 0 || document.visibilityState === "hidden") return;
    for (const { video } of unsettled) await this.#refresh(video.videoId).catch(() => {}); // the next look may see it
    this.#lookMs = Math.min(SLOWEST_LOOK_MS, this.#lookMs * 1.3);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), this.#lookMs);
  }

  /** @param {string} videoId @returns {Promise<Video>} */
  async #refresh(videoId) {
    try {
      const video = await this.#api.video(videoId);
      this.#put(video);
      return video;
    } catch (error) {
      if (error instanceof ApiError && error.code === "video_not_found") this.#remove(videoId);
      throw error;
    }
  }

  /** @param {Video} video */
  #put(video) {
    const before = this.#entries.get(video.videoId);
    const entry = { video, row: before?.row ?? this.#insert(video) };
    this.#entries.set(video.videoId, entry);
    if (before && JSON.stringify({ ...before.video, urlsExpireAt: "" }) === JSON.stringify({ ...video, urlsExpireAt: "" })) return;
    this.#draw(entry, before?.video);
    if (before && before.video.state !== video.state) announce(`${video.fileName}: ${stateWords(video)}`);
    this.#drawEmpty();
  }

  /** @param {Video} video @returns {HTMLElement} a row in its place: newest first */
  #insert(video) {
    const row = fromTemplate("video-template");
    const older = [...this.#entries.values()].filter((entry) => entry.video.createdAt < video.createdAt);
    older.sort((a, b) => (a.video.createdAt < b.video.createdAt ? 1 : -1));
    byId("videos").insertBefore(row, older[0]?.row ?? null);
    const { videoId } = video;
    /** @type {any} */ (row.querySelector("[data-do=play]")).onclick = () => this.#play(videoId);
    /** @type {any} */ (row.querySelector("[data-do=delete]")).onclick = () => this.#delete(videoId);
    return row;
  }

  /** @param {Entry} entry @param {Video} [before] */
  #draw({ video, row }, before) {
    const part = (/** @type {string} */ selector) => /** @type {any} */ (row.querySelector(selector));
    row.dataset.state = video.state;
    part(".name").textContent = video.fileName;
    part(".name").title = video.fileName;
    part(".facts").textContent = facts(video);
    part(".state").textContent = video.state === "ready" ? "" : stateWords(video);
    part(".duration").textContent = video.media ? duration(video.media.durationSeconds) : "";
    const button = part("[data-do=play]");
    button.disabled = video.state !== "ready";
    button.setAttribute("aria-label", video.state === "ready" ? `Play ${video.fileName}` : `${video.fileName} cannot be played yet`);
    part("[data-do=delete]").setAttribute("aria-label", `Delete ${video.fileName}`);
    const image = part("img");
    if (video.posterUrl && !before?.posterUrl) {
      image.onload = () => { image.hidden = false; };
      image.onerror = () => { image.hidden = true; };
      image.src = video.posterUrl;
    }
  }

  /** @param {string} videoId */
  async #play(videoId) {
    try {
      // URLs are short-lived: the one from when the page was opened may be over.
      const video = await this.#refresh(videoId);
      if (!video.playbackUrl) return;
      play(video.fileName, video.playbackUrl, async () => (await this.#refresh(videoId)).playbackUrl);
    } catch (error) {
      showBanner(message(error));
    }
  }

  /** @param {string} videoId */
  async #delete(videoId) {
    const entry = this.#entries.get(videoId);
    if (!entry) return;
    const { fileName } = entry.video;
    const sure = await confirmed({ title: `Delete ${fileName}?`, text: "It cannot be brought back.", yes: "Delete" });
    if (!sure) return;
    try {
      await this.#api.deleteVideo(videoId);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "video_not_found")) {
        showBanner(`${fileName}: ${message(error)}`);
        return;
      }
    }
    this.#remove(videoId);
    announce(`${fileName} was deleted`);
  }

  /** @param {string} videoId */
  #remove(videoId) {
    const row = this.#entries.get(videoId)?.row;
    const neighbour = row?.nextElementSibling ?? row?.previousElementSibling;
    row?.remove();
    this.#entries.delete(videoId);
    this.#drawEmpty();
    /** @type {HTMLElement} */ (neighbour?.querySelector("[data-do=delete]") ?? byId("library-heading")).focus();
  }

  #drawEmpty() {
    byId("library-empty").hidden = this.#entries.size > 0 || this.#cursor !== null;
  }
}

/** @param {Video} video */
function facts(video) {
  const each = [size(video.sizeBytes), date(video.createdAt)];
  if (video.media) each.unshift(`${video.media.video.width} × ${video.media.video.height}`);
  return each.join(" · ");
}

/** @param {Video} video */
function stateWords(video) {
  if (video.state === "rejected") return message(video.rejection);
  if (video.state === "ready") return "ready to play";
  return video.state === "completing" ? "Being put together…" : "Being processed…";
}
