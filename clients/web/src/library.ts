/** The videos that are up: posters, facts, their state as it changes, searching, playing and deleting. */

import { type ApiClient, ApiError, type Video, type VideoChanges } from "video-uploader/api";
import type { VideoDeletion } from "video-uploader/contract";
import { within } from "video-uploader/dom";
import { VideoLooks } from "video-uploader/video_looks";
import { pause } from "video-uploader/waiting";
import { language, message } from "./language";
import { announce, byId, confirmed, showBanner } from "./page";
import { obstacleOf } from "./playability";
import { play } from "./player";
import { spriteOf } from "./scrubber";
import { Selection } from "./selection";
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
const TYPING_PAUSE_MS = 300;
const UNSETTLED = new Set(["completing", "processing"]);

export class Library {
  readonly #api: ApiClient;
  readonly #onSeen: (video: Video) => void;
  readonly #onGone: (videoId: string) => void;
  /** uploaded here, and not seen yet */
  readonly #expected = new Set<string>();
  readonly #entries = new Map<string, Entry>();
  readonly #groups = new VideoGroups(byId("videos"));
  readonly #search = byId<HTMLInputElement>("search");
  readonly #sort = byId<HTMLSelectElement>("sort");
  readonly #selection = new Selection<string>(
    { list: byId("videos"), start: byId("select"), bar: byId("selection"), head: byId("library-heading") },
    {
      warning: () => language.text("delete.text"),
      remove: (videoIds) => this.#deleteAll(videoIds),
      onGone: (videoId) => this.#remove(videoId),
    },
  );
  readonly #more = byId("more");
  readonly #observer: IntersectionObserver;
  readonly #looks = new VideoLooks(
    () => this.#unsettled(),
    (videoId) => this.#refresh(videoId),
    () => this.looksWhenHidden(),
  );
  /** True if processing is followed while the page is hidden: for somebody who wants to be notified. */
  looksWhenHidden: () => boolean = () => false;
  readonly #usage: UsageLine;
  #cursor: string | null = null;
  /** what the API was asked for last, and how often that has changed */
  #wanted = { query: "", sort: "newest" };
  #searches = 0;
  #typing = 0;
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
    byId<HTMLFormElement>("search-box").onsubmit = (event) => {
      event.preventDefault();
      void this.#searchAnew();
    };
    this.#search.oninput = () => {
      clearTimeout(this.#typing);
      this.#typing = window.setTimeout(() => void this.#searchAnew(), TYPING_PAUSE_MS);
    };
    this.#sort.onchange = () => void this.#searchAnew();
    this.#observer = new IntersectionObserver(
      (entries) => {
        // A busy page is told of several moments at once: the last one counts.
        if (entries.at(-1)?.isIntersecting && this.#cursor) void this.load();
      },
      { rootMargin: `${LOADED_BEFORE_PIXELS}px` },
    );
    this.#observer.observe(this.#more);
  }

  /** Videos loaded so far. */
  get videos(): Video[] {
    return [...this.#entries.values()].map(({ video }) => video);
  }

  /** Load the next videos; the first time, the first. Never rejects: the page tells. */
  async load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const search = this.#searches;
    const isFirst = !this.#isLoaded && search === 0;
    byId("library-failed").hidden = true;
    this.#drawEmpty();
    try {
      // Where many were deleted in a row, the API answers pages without a video and tells where to go on.
      while (!(await this.#loadPage(search))) await pause(PAUSE_AFTER_EMPTY_PAGE_MS);
      if (search !== this.#searches) return;
      this.#more.hidden = this.#cursor === null;
    } catch (error) {
      if (search !== this.#searches) return;
      byId("library-problem").textContent = message(error);
      byId("library-failed").hidden = false;
    } finally {
      if (search === this.#searches) this.#isLoading = false;
    }
    this.#looks.soon();
    if (isFirst) void this.#usage.refresh();
    this.#drawEmpty();
    if (byId("library-failed").hidden) this.#goOnIfEndInSight();
  }

  async #searchAnew(): Promise<void> {
    clearTimeout(this.#typing);
    const wanted = { query: this.#search.value.trim(), sort: this.#sort.value };
    if (wanted.query === this.#wanted.query && wanted.sort === this.#wanted.sort) return;
    this.#wanted = wanted;
    this.#searches += 1;
    const search = this.#searches;
    this.#cursor = null;
    this.#isLoaded = false;
    this.#isLoading = false;
    await this.load();
    if (search === this.#searches) announce(language.text("library.count", { count: this.#entries.size }));
  }

  #clear(): void {
    this.#entries.clear();
    this.#groups.clear(this.#wanted.sort === "newest");
  }

  /** True if there was something to show, or it was the last page, or another search has begun. */
  async #loadPage(search: number): Promise<boolean> {
    const { videos, nextCursor } = await this.#api.videos(this.#cursor, this.#wanted);
    if (search !== this.#searches) return true;
    // Earlier results stay until new ones replace them.
    if (!this.#isLoaded && search > 0) this.#clear();
    const shown = videos.filter((video) => video.state !== "uploading");
    this.#cursor = nextCursor;
    this.#isLoaded = true;
    for (const video of shown) this.#put(video);
    return shown.length > 0 || nextCursor === null;
  }

  /** Observed again, the end of the list is reported as visible even if a short page has not moved it. */
  #goOnIfEndInSight(): void {
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

  /** Ids of those that are still being processed or copied, or not seen yet. */
  #unsettled(): ReadonlySet<string> {
    const unsettled = [...this.#entries.values()].filter(({ video }) => isUnsettled(video));
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
    if (!before && this.#wanted.query !== "" && !isFoundBy(this.#wanted.query, video)) return;
    const card = before?.card ?? this.#insert(video);
    this.#entries.set(video.videoId, { video, card });
    if (before && facts(before.video) === facts(video)) return;
    card.draw(video, before?.video);
    this.#selection.offer(card.element, video.videoId, shownName(video), video.videoId);
    if (before && before.video.state !== video.state)
      announce(language.text("video.told", { name: shownName(video), state: stateWords(video) }));
    this.#drawEmpty();
  }

  #insert(video: Video): VideoCard {
    const { videoId } = video;
    const card = new VideoCard({
      play: () => void this.#play(videoId),
      edit: () => this.#edit(videoId),
      remove: () => void this.#delete(videoId),
      download: () => void this.#download(videoId),
      freshThumbnails: async () => (await this.#refresh(videoId)).thumbnailsUrl ?? null,
    });
    this.#groups.insert(card.element, video.createdAt);
    return card;
  }

  async #play(videoId: string): Promise<void> {
    try {
      // URLs are short-lived: the one from when the page was opened may be over.
      const video = await this.#refresh(videoId);
      if (!video.playbackUrl || !video.downloadUrl) return;
      play({
        title: shownName(video),
        fileName: video.fileName,
        url: video.playbackUrl,
        freshUrl: async () => (await this.#refresh(videoId)).playbackUrl,
        downloadUrl: video.downloadUrl,
        obstacle: obstacleOf(video),
        expiry: expiryWords(video),
        sprite: spriteOf(video, async () => (await this.#refresh(videoId)).thumbnailsUrl ?? null),
      });
    } catch (error) {
      showBanner(message(error));
    }
  }

  async #download(videoId: string): Promise<void> {
    try {
      const { downloadUrl, fileName } = await this.#refresh(videoId);
      if (!downloadUrl) return;
      const link = document.createElement("a");
      link.href = downloadUrl;
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

  async *#deleteAll(videoIds: string[]): AsyncGenerator<VideoDeletion> {
    try {
      yield* this.#api.deleteVideos(videoIds);
    } finally {
      void this.#usage.refresh();
    }
  }

  #remove(videoId: string): void {
    this.#expected.delete(videoId);
    this.#selection.forget(videoId);
    this.#onGone(videoId);
    const entry = this.#entries.get(videoId);
    if (!entry) return;
    const hadFocus = entry.card.element.contains(document.activeElement);
    const neighbour = this.#groups.remove(entry.card.element);
    this.#entries.delete(videoId);
    this.#drawEmpty();
    if (hadFocus) (neighbour ? within(neighbour, "[data-do=delete]") : byId("library-heading")).focus();
  }

  #drawEmpty(): void {
    const isSearch = this.#wanted.query !== "";
    const isEmpty = this.#isLoaded && this.#entries.size === 0 && this.#cursor === null;
    byId("library-loading").hidden = !this.#isLoading || this.#entries.size > 0;
    byId("library-empty").hidden = !isEmpty || isSearch;
    byId("search-empty").hidden = !isEmpty || !isSearch;
    const hasSeveral = this.#entries.size > 1;
    byId("search-box").hidden = !hasSeveral && this.#searches === 0;
    this.#selection.allow(hasSeveral);
  }
}

function isUnsettled({ state, rendition }: Video): boolean {
  return UNSETTLED.has(state) || rendition?.state === "pending";
}

/** Match as the API does: all words, in any case and without regard to accents. */
function isFoundBy(query: string, video: Video): boolean {
  const text = searched([video.title ?? "", video.fileName, ...(video.tags ?? [])].join(" "));
  return searched(query)
    .split(" ")
    .every((word) => text.includes(word));
}

function searched(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{Mn}/gu, "")
    .toLowerCase()
    .replace(/\s+/gu, " ")
    .trim();
}

const NO_URLS = { thumbnailsUrl: null, playbackUrl: null, downloadUrl: null, urlsExpireAt: null };

/** All but what changes with each answer. */
function facts(video: Video): string {
  return JSON.stringify({ ...video, posterUrl: video.posterUrl !== null, ...NO_URLS });
}
