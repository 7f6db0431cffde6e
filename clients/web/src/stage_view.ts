/**
 * The administrators' view: search, order, play and delete the videos of all users, and see the stage's usage.
 *
 * Each call is on record at the operators': nothing is loaded before the person asks for it.
 */

import { type ApiClient, ApiError, type StageSearch } from "video-uploader/api";
import type { ListedVideo, StageUsage } from "video-uploader/contract";
import { within } from "video-uploader/dom";
import { date, day, size } from "video-uploader/format";
import { pause } from "video-uploader/waiting";
import { language, message } from "./language";
import { announce, byId, confirmed, fromTemplate, showBanner } from "./page";
import { obstacleOf } from "./playability";
import { play } from "./player";
import { spriteOf } from "./scrubber";
import { Selection } from "./selection";
import { shownName } from "./video_card";

const PAUSE_AFTER_EMPTY_PAGE_MS = 250;
const STATES = {
  uploading: "stage.state.uploading",
  completing: "stage.state.completing",
  processing: "stage.state.processing",
  rejected: "stage.state.rejected",
  aborted: "stage.state.aborted",
  expired: "stage.state.expired",
} as const;

export class StageView {
  readonly #api: ApiClient;
  readonly #list = byId("stage-videos");
  readonly #more = byId<HTMLButtonElement>("stage-more");
  readonly #search = byId("stage-search");
  readonly #sort = byId<HTMLSelectElement>("stage-sort");
  readonly #selection: Selection<ListedVideo>;
  readonly #rows = new Map<string, HTMLElement>();
  #wanted: StageSearch = { owner: "", query: "", sort: "" };
  #cursor: string | null = null;
  #searches = 0;
  #isLoading = false;

  constructor(api: ApiClient) {
    this.#api = api;
    this.#selection = new Selection(
      { list: this.#list, start: byId("stage-select"), bar: byId("stage-selection"), head: this.#search },
      {
        warning: (videos) => language.text("stage.delete.many.text", { count: ownersOf(videos) }),
        remove: (videos) => api.deleteStageVideos(videos.map(({ owner, videoId }) => ({ owner, videoId }))),
        onGone: ({ videoId }) => this.#remove(videoId),
      },
    );
    this.#sort.append(...[...byId<HTMLSelectElement>("sort").options].map((order) => order.cloneNode(true)));
    byId<HTMLFormElement>("stage-form").onsubmit = (event) => {
      event.preventDefault();
      this.#searchAnew({ owner: typed("stage-owner"), query: typed("stage-name"), sort: this.#sort.value });
      void this.#drawUsage();
    };
    this.#sort.onchange = () => {
      if (this.#searches > 0) this.#searchAnew({ ...this.#wanted, sort: this.#sort.value });
    };
    this.#more.onclick = () => void this.#load();
  }

  show(): void {
    byId("stage").hidden = false;
  }

  #searchAnew(wanted: StageSearch): void {
    this.#wanted = wanted;
    this.#searches += 1;
    this.#cursor = null;
    this.#isLoading = false;
    this.#more.hidden = true;
    for (const videoId of [...this.#rows.keys()]) this.#remove(videoId);
    void this.#load();
  }

  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const search = this.#searches;
    const hadFocus = document.activeElement === this.#more;
    const before = this.#rows.size;
    byId("stage-empty").hidden = true;
    try {
      // A call looks at a limited number of videos: a page without one is not the end.
      while (!(await this.#loadPage(search))) await pause(PAUSE_AFTER_EMPTY_PAGE_MS);
      if (search !== this.#searches) return;
      byId("stage-empty").hidden = this.#rows.size > 0;
      announce(language.text("library.count", { count: this.#rows.size }));
    } catch (error) {
      if (search === this.#searches) showBanner(message(error));
    } finally {
      if (search === this.#searches) this.#isLoading = false;
    }
    if (search !== this.#searches) return;
    this.#more.hidden = this.#cursor === null;
    if (hadFocus && this.#more.hidden) focusRow(this.#list.children[before]);
  }

  /** True if there was something to show, or it was the last page, or another search has begun. */
  async #loadPage(search: number): Promise<boolean> {
    const { videos, nextCursor } = await this.#api.stageVideos(this.#wanted, this.#cursor);
    if (search !== this.#searches) return true;
    this.#cursor = nextCursor;
    for (const video of videos) {
      const row = this.#row(video);
      this.#rows.set(video.videoId, row);
      this.#list.append(row);
    }
    this.#selection.allow(this.#rows.size > 1);
    return videos.length > 0 || nextCursor === null;
  }

  #row(video: ListedVideo): HTMLElement {
    const row = fromTemplate("stage-video-template");
    const name = shownName(video);
    within(row, ".name").textContent = name;
    const isReady = video.state === "ready";
    const state = video.state === "ready" ? "" : language.text(STATES[video.state]);
    const facts = [size(video.sizeBytes, language), day(video.createdAt, language), state].filter(Boolean);
    within(row, ".facts").textContent = facts.join(" · ");
    within(row, ".owner").textContent = language.text("stage.of_owner", { owner: video.owner });
    const playButton = within<HTMLButtonElement>(row, "[data-do=play]");
    playButton.hidden = !isReady;
    playButton.setAttribute("aria-label", language.text("video.play.named", { name }));
    playButton.onclick = () => void this.#play(video);
    const deleteButton = within<HTMLButtonElement>(row, "[data-do=delete]");
    deleteButton.setAttribute("aria-label", language.text("video.delete.named", { name }));
    deleteButton.onclick = () => void this.#delete(video);
    this.#selection.offer(row, video.videoId, name, video);
    return row;
  }

  async #play({ owner, videoId }: ListedVideo): Promise<void> {
    try {
      const video = await this.#api.stageVideo(owner, videoId);
      if (!video.playbackUrl || !video.downloadUrl) return;
      play({
        title: shownName(video),
        fileName: video.fileName,
        url: video.playbackUrl,
        freshUrl: async () => (await this.#api.stageVideo(owner, videoId)).playbackUrl,
        downloadUrl: video.downloadUrl,
        obstacle: obstacleOf(video),
        expiry: "",
        sprite: spriteOf(video, async () => (await this.#api.stageVideo(owner, videoId)).thumbnailsUrl ?? null),
      });
    } catch (error) {
      showBanner(message(error));
    }
  }

  async #delete(video: ListedVideo): Promise<void> {
    const name = shownName(video);
    const sure = await confirmed({
      title: language.text("delete.title", { name }),
      text: language.text("stage.delete.text", { owner: video.owner }),
      yes: language.text("delete.yes"),
      no: language.text("delete.no"),
    });
    if (!sure) return;
    try {
      await this.#api.deleteStageVideo(video.owner, video.videoId);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "video_not_found")) {
        showBanner(language.text("message.of_file", { name, message: message(error) }));
        return;
      }
    }
    this.#remove(video.videoId);
    announce(language.text("video.deleted", { name }));
  }

  #remove(videoId: string): void {
    const row = this.#rows.get(videoId);
    if (!row) return;
    const hadFocus = row.contains(document.activeElement);
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    this.#rows.delete(videoId);
    row.remove();
    this.#selection.forget(videoId);
    this.#selection.allow(this.#rows.size > 1);
    if (hadFocus) focusRow(neighbour ?? this.#search);
  }

  /** Never rejects: without figures the line stays as it is. */
  async #drawUsage(): Promise<void> {
    try {
      const line = byId("stage-usage");
      line.textContent = usageWords(await this.#api.stageUsage());
      line.hidden = false;
    } catch {
      // The list tells when the API cannot be reached.
    }
  }
}

function ownersOf(videos: ListedVideo[]): number {
  return new Set(videos.map(({ owner }) => owner)).size;
}

/** Focus a row's last button, or what is no row itself. */
function focusRow(element: Element | undefined): void {
  const target = element?.querySelector<HTMLElement>("[data-do=delete]") ?? element;
  if (target instanceof HTMLElement) target.focus();
}

function typed(id: string): string {
  return byId<HTMLInputElement>(id).value.trim();
}

function usageWords({ storedBytes, storedVideos, countedAt, maxStoredBytes }: StageUsage): string {
  if (storedBytes === null || storedVideos === null || countedAt === null) return language.text("stage.uncounted");
  const used = size(storedBytes, language);
  const limit = maxStoredBytes === null ? "" : size(maxStoredBytes, language);
  const space = limit ? language.text("usage.space", { used, limit }) : language.text("stage.space", { used });
  const counted = language.text("stage.counted", { time: date(countedAt, language) });
  return [space, language.text("library.count", { count: storedVideos }), counted].join(" · ");
}
