/** A seek bar of the player's own that shows the thumbnail of the moment under the pointer, or under a drag. */

import type { Video } from "video-uploader/api";
import type { Thumbnails } from "video-uploader/contract";
import { duration } from "video-uploader/format";
import { byId } from "./page";
import { loaded, tileStyle } from "./preview";

/** Thumbnails of a video. freshUrl: asked for once, where the URL has ended. */
export interface Sprite {
  shape: Thumbnails;
  url: string;
  freshUrl: () => Promise<string | null>;
}

/** null where the video has no thumbnails. */
export function spriteOf({ media, thumbnailsUrl }: Video, freshUrl: Sprite["freshUrl"]): Sprite | null {
  return media?.thumbnails && thumbnailsUrl ? { shape: media.thumbnails, url: thumbnailsUrl, freshUrl } : null;
}

/** Number of the thumbnail of a moment. */
export function tileAtMoment(seconds: number, { count, secondsPerTile }: Thumbnails): number {
  return Math.min(count - 1, Math.max(0, Math.floor(seconds / secondsPerTile)));
}

/** Show the bar while the signal lasts; without thumbnails the browser's own controls are all that is needed. */
export function scrub(video: HTMLVideoElement, sprite: Sprite | null, signal: AbortSignal): void {
  const box = byId("player-scrub");
  const bar = byId<HTMLInputElement>("player-seek");
  const tile = byId("player-tile");
  box.hidden = tile.hidden = true;
  if (!sprite) return;
  const { shape } = sprite;
  let isDragged = false;
  let isPictured = false;
  let loading: Promise<void> | null = null;

  const load = async () => {
    const url = (await loaded(sprite.url)) ?? (await loaded(await sprite.freshUrl().catch(() => null)));
    if (signal.aborted || !url) return;
    tile.style.backgroundImage = `url("${url}")`;
    isPictured = true;
  };
  const show = async (part: number) => {
    const number = tileAtMoment(part * video.duration, shape);
    // Its own width to the left at the end of the bar, so that it never leaves the player.
    const place = { width: "", height: "", left: `${part * 100}%`, translate: `${part * -100}%` };
    Object.assign(tile.style, tileStyle(shape, number), place);
    tile.dataset.tile = `${number}`;
    tile.dataset.time = duration(part * video.duration);
    tile.hidden = !isPictured;
    loading ??= load();
    if (isPictured) return;
    const wanted = tile.dataset.tile;
    await loading;
    if (isPictured && tile.dataset.tile === wanted && (isDragged || box.matches(":hover"))) tile.hidden = false;
  };
  const hide = () => {
    isDragged = false;
    tile.hidden = true;
  };
  const follow = () => {
    if (!Number.isFinite(video.duration)) return;
    box.hidden = false;
    bar.max = `${video.duration}`;
    if (!isDragged) bar.value = `${video.currentTime}`;
    bar.setAttribute("aria-valuetext", `${duration(video.currentTime)} / ${duration(video.duration)}`);
  };
  const partAt = ({ clientX }: MouseEvent) => {
    const { left, width } = bar.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientX - left) / width));
  };

  const during = { signal };
  for (const kind of ["loadedmetadata", "durationchange", "timeupdate", "seeked"] as const)
    video.addEventListener(kind, follow, during);
  bar.addEventListener(
    "input",
    () => {
      isDragged = true;
      video.currentTime = Number(bar.value);
      void show(Number(bar.value) / video.duration);
    },
    during,
  );
  bar.addEventListener("change", hide, during);
  // A finger does not hover: its drag shows the pictures.
  bar.addEventListener(
    "pointermove",
    (event) => {
      if (event.pointerType !== "touch" && !isDragged) void show(partAt(event));
    },
    during,
  );
  for (const kind of ["pointerleave", "pointercancel", "blur"] as const) bar.addEventListener(kind, hide, during);
  follow();
}
