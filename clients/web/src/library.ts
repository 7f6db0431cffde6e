/** The videos that are up: posters, facts, their state as it changes, filtering, playing and deleting. */

import { type ApiClient, ApiError, type Video, type VideoChanges } from "video-uploader/api";
import { within } from "video-uploader/dom";
import { VideoLooks } from "video-uploader/video_looks";
import { pause } from "video-uploader/waiting";
import { language, message } from "./language";
import { announce, byId, confirmed, showBanner } from "./page";
import { obstacleHere } from "./playability";
import { play } from "./player";
import { UsageLine } from "./usage_line";
import { expiryWords, shownName, stateWords, VideoCard } from "./video_card";
import { edit } from "./video_editor";
import { VideoGroups } from "./video_groups";

interface Entry {
  video: Video;
  card: VideoCard;
}

const LOADED_BEFORE_PIXELS = 400;
const PAUSE_AFTER_EMPTY_PAGE_MS = 250;
const UNSETTLED = new Set(["completing", "processing"]);

export class Library {
  readonly #api: ApiClient;
  readonly #onSeen: (video: Video) => void;
  readonly #onGone: (videoId: string) => void;
  /** uploaded here, and not seen yet */
  readonly #expected = new Set<string>();
  readonly #entries = new Map<string, Entry>();
  readonly #groups = new VideoGroups(byId("videos"));
  readonly #filter = byId<HTMLInputElement>("filter");
  readonly #more = byId("more");
  readonly #observer: IntersectionObserver;
  readonly #looks = new VideoLooks(
    () => this.#unsettled(),
    (videoId) => this.#refresh(videoId),
    () => this.looksWhenHidden(),
  );
  /** Whether processing is followed while the page is hidden: for somebody who wants to be notified. */
  looksWhenHidden: () => boolean = () => false;
  readonly #usage: UsageLine;
  #cursor: string | null = null;
  #isLoaded = false;
  #isLoading = false;

  /** onSeen: called with every video as the API tells it. onGone: called once one is no longer there. */
  constructor(api: ApiClient, onSeen: (video: Video) => void, onGone: (videoId: string) => void) {
    this.#api = api;
    this.#usage = new UsageLine(api);
    this.#onSeen = onSeen;
    this.#onGone = onGone;
    this.#more.onclick = () => void this.load();
    byId("library-again").onclick = () => void this.load();
    this.#filter.oninput = () => {
      this.#applyFilter();
      const shown = this.#shown();
      announce(language.text("library.count", { count: shown }));
      this.#goOnIfEndInSight();
    };
    this.#observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting && this.#cursor) void this.load();
      },
      { rootMargin: `${LOADED_BEFORE_PIXELS}px` },
    );
    this.#observer.observe(this.#more);
  }

  /** Those that were loaded so far. */
  get videos(): Video[] {
    return [...this.#entries.values()].map(({ video }) => video);
  }

  /** Load the next videos; the first time, the first. Never rejects: the page tells. */
  async load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const isFirst = !this.#isLoaded;
    byId("library-failed").hidden = true;
    this.#drawEmpty();
    try {
      // Where many were deleted in a row, the API answers pages without a video and tells where to go on.
      while (!(await this.#loadPage())) await pause(PAUSE_AFTER_EMPTY_PAGE_MS);
      this.#more.hidden = this.#cursor === null;
    } catch (error) {
      byId("library-problem").textContent = message(error);
      byId("library-failed").hidden = false;
    } finally {
      this.#isLoading = false;
    }
    this.#looks.soon();
    if (isFirst) void this.#usage.refresh();
    this.#drawEmpty();
    if (byId("library-failed").hidden) this.#goOnIfEndInSight();
  }

  /** Whether there was something to show, or it was the last page. */
  async #loadPage(): Promise<boolean> {
    const { videos, nextCursor } = await this.#api.videos(this.#cursor);
    const shown = videos.filter((video) => video.state !== "uploading");
    this.#cursor = nextCursor;
    this.#isLoaded = true;
    for (const video of shown) this.#put(video);
    return shown.length > 0 || nextCursor === null;
  }

  /** Observed anew, the end of what is loaded is told to be in sight even if a short page has not moved it. */
  #goOnIfEndInSight(): void {
    if (this.#filter.value !== "") return; // it is of those loaded: no search through all of them
    this.#observer.unobserve(this.#more);
    this.#observer.observe(this.#more);
  }

  /** Show a video that was just uploaded. */
  async add(videoId: string): Promise<void> {
    this.#expected.add(videoId);
    await this.#refresh(videoId).catch(() => {}); // the next look may see it
    void this.#usage.refresh();
    this.#looks.soon();
  }

  /** Ids of those that are still being processed, or not seen yet. */
  #unsettled(): ReadonlySet<string> {
    const unsettled = [...this.#entries.values()].filter(({ video }) => UNSETTLED.has(video.state));
    return new Set([...this.#expected, ...unsettled.map(({ video }) => video.videoId)]);
  }

  async #refresh(videoId: string): Promise<Video> {
    try {
      const video = await this.#api.video(videoId);
      this.#put(video);
      return video;
    } catch (error) {
      if (error instanceof ApiError && error.code === "video_not_found") this.#remove(videoId);
      throw error;
    }
  }

  #put(video: Video): void {
    this.#expected.delete(video.videoId);
    this.#onSeen(video);
    const before = this.#entries.get(video.videoId);
    const card = before?.card ?? this.#insert(video);
    this.#entries.set(video.videoId, { video, card });
    if (before && facts(before.video) === facts(video)) return;
    card.draw(video, before?.video);
    if (before && before.video.state !== video.state)
      announce(language.text("video.told", { name: shownName(video), state: stateWords(video) }));
    this.#applyFilter();
  }

  #insert(video: Video): VideoCard {
    const { videoId } = video;
    const card = new VideoCard({
      play: () => void this.#play(videoId),
      edit: () => this.#edit(videoId),
      remove: () => void this.#delete(videoId),
      download: () => void this.#download(videoId),
    });
    this.#groups.insert(card.element, video.createdAt);
    return card;
  }

  async #play(videoId: string): Promise<void> {
    try {
      // URLs are short-lived: the one from when the page was opened may be over.
      const video = await this.#refresh(videoId);
      if (!video.playbackUrl) return;
      play({
        title: shownName(video),
        fileName: video.fileName,
        url: video.playbackUrl,
        freshUrl: async () => (await this.#refresh(videoId)).playbackUrl,
        obstacle: obstacleHere(video.media),
        expiry: expiryWords(video),
      });
    } catch (error) {
      showBanner(message(error));
    }
  }

  async #download(videoId: string): Promise<void> {
    try {
      const { playbackUrl, fileName } = await this.#refresh(videoId);
      if (!playbackUrl) return;
      const link = document.createElement("a");
      link.href = playbackUrl;
      link.download = fileName;
      link.target = "_blank"; // where another origin ignores `download`, this page and its uploads stay
      link.rel = "noopener";
      link.click();
    } catch (error) {
      showBanner(message(error));
    }
  }

  #edit(videoId: string): void {
    const entry = this.#entries.get(videoId);
    if (!entry) return;
    edit(entry.video, async (changes: VideoChanges) => {
      const video = await this.#api.editVideo(videoId, changes);
      this.#put(video);
      announce(language.text("video.edited", { name: shownName(video) }));
    });
  }

  async #delete(videoId: string): Promise<void> {
    const entry = this.#entries.get(videoId);
    if (!entry) return;
    const name = shownName(entry.video);
    const sure = await confirmed({
      title: language.text("delete.title", { name }),
      text: language.text("delete.text"),
      yes: language.text("delete.yes"),
      no: language.text("delete.no"),
    });
    if (!sure) return;
    try {
      await this.#api.deleteVideo(videoId);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "video_not_found")) {
        showBanner(language.text("message.of_file", { name, message: message(error) }));
        return;
      }
    }
    this.#remove(videoId);
    void this.#usage.refresh();
    announce(language.text("video.deleted", { name }));
  }

  #remove(videoId: string): void {
    this.#expected.delete(videoId);
    this.#onGone(videoId);
    const entry = this.#entries.get(videoId);
    if (!entry) return;
    const hadFocus = entry.card.element.contains(document.activeElement);
    const neighbour = this.#groups.remove(entry.card.element);
    this.#entries.delete(videoId);
    this.#applyFilter();
    if (hadFocus) (neighbour ? within(neighbour, "[data-do=delete]") : byId("library-heading")).focus();
  }

  #applyFilter(): void {
    const wanted = this.#filter.value.trim().toLocaleLowerCase();
    for (const { video, card } of this.#entries.values()) {
      card.element.hidden = ![video.fileName, video.title ?? "", ...(video.tags ?? [])].some((text) =>
        text.toLocaleLowerCase().includes(wanted),
      );
    }
    this.#groups.hideEmpty();
    this.#drawEmpty();
  }

  #shown(): number {
    return [...this.#entries.values()].filter(({ card }) => !card.element.hidden).length;
  }

  #drawEmpty(): void {
    byId("library-loading").hidden = !this.#isLoading || this.#entries.size > 0;
    byId("library-empty").hidden = !this.#isLoaded || this.#entries.size > 0 || this.#cursor !== null;
    byId("filter-box").hidden = this.#entries.size < 2 && this.#filter.value === "";
    byId("filter-empty").hidden = this.#entries.size === 0 || this.#shown() > 0;
  }
}

/** All but what changes with each answer. */
function facts(video: Video): string {
  return JSON.stringify({ ...video, posterUrl: video.posterUrl !== null, playbackUrl: null, urlsExpireAt: null });
}
