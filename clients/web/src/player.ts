/** The dialog that plays a video: keys as on the large video sites, and Back closes it as it closes a screen of a phone. */

import type { Obstacle } from "video-uploader/contract";
import { language } from "./language";
import { byId } from "./page";
import { cannotPlay } from "./playability";
import { type Sprite, scrub } from "./scrubber";

export interface Playing {
  title: string;
  /** to save it under */
  fileName: string;
  url: string;
  /** asked for once, when the first URL ended while the video was paused */
  freshUrl: () => Promise<string | null>;
  /** of the file as it was uploaded */
  downloadUrl: string;
  /** what this browser cannot play, as far as that is known */
  obstacle: Obstacle | null;
  /** the warning before the video is deleted; empty without one */
  expiry: string;
  /** null: the video has none */
  sprite: Sprite | null;
}

const STEP_SECONDS = 5;
const LONG_STEP_SECONDS = 10;
const VOLUME_STEP = 0.1;
/** Action of a key; `key` as KeyboardEvent names it, letters in lower case. */
const KEYS: Record<string, (video: HTMLVideoElement) => void> = {
  " ": toggle,
  k: toggle,
  arrowleft: (video) => seek(video, -STEP_SECONDS),
  arrowright: (video) => seek(video, STEP_SECONDS),
  j: (video) => seek(video, -LONG_STEP_SECONDS),
  l: (video) => seek(video, LONG_STEP_SECONDS),
  home: (video) => seek(video, -Infinity),
  end: (video) => seek(video, Infinity),
  arrowup: (video) => turnVolume(video, VOLUME_STEP),
  arrowdown: (video) => turnVolume(video, -VOLUME_STEP),
  m: (video) => {
    video.muted = !video.muted;
  },
  f: (video) => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void video.requestFullscreen?.().catch(() => {}); // a browser may refuse; iPhones have no such call
  },
};

/** Open the dialog and play. */
export function play({ title, fileName, url, freshUrl, downloadUrl, obstacle, expiry, sprite }: Playing): void {
  const dialog = byId<HTMLDialogElement>("player");
  const video = byId<HTMLVideoElement>("player-video");
  const problem = byId("player-problem");
  const tell = (text: string) => {
    problem.textContent = text;
    problem.hidden = text === "";
  };
  byId("player-title").textContent = title;
  tell(obstacle ? cannotPlay(obstacle) : "");
  byId("player-expiry").textContent = expiry;
  byId("player-expiry").hidden = expiry === "";
  let retried = false;
  video.onerror = async () => {
    const again = retried ? null : await freshUrl().catch(() => null);
    if (!dialog.open) return;
    if (again) {
      retried = true;
      const at = video.currentTime;
      video.src = again;
      video.currentTime = at;
      return;
    }
    if (problem.hidden) tell(language.text("player.failed"));
  };
  // A browser that knows the sound's codec alone plays on over a black picture.
  video.onloadeddata = () => {
    if (video.videoWidth === 0) tell(language.text("player.only_sound"));
  };
  const close = () => dialog.close();
  dialog.onclose = () => {
    removeEventListener("popstate", close);
    whileOpen.abort();
    if (isHistoryEntry()) history.back();
    video.onerror = video.onloadeddata = null;
    video.removeAttribute("src");
    video.load();
  };
  const whileOpen = new AbortController();
  for (const kind of ["keydown", "keypress", "keyup"] as const) {
    // Before the browser's own controls, which would do the same again.
    dialog.addEventListener(kind, (event) => pressed(event, video), { capture: true, signal: whileOpen.signal });
  }
  byId("player-close").onclick = close;
  byId<HTMLAnchorElement>("player-download").href = downloadUrl;
  byId<HTMLAnchorElement>("player-download").download = fileName;
  scrub(video, sprite, whileOpen.signal);
  video.src = url;
  dialog.showModal();
  video.focus();
  history.pushState({ player: true }, "");
  addEventListener("popstate", close);
  video.play().catch(() => {}); // a browser may want a click first: the controls are there
}

/** Forget the entry of a player that a reload closed, so that Back leads where it led before. */
export function leavePlayerOfBefore(): void {
  if (isHistoryEntry()) history.back();
}

function isHistoryEntry(): boolean {
  return (history.state as { player?: boolean } | null)?.player === true;
}

function pressed(event: KeyboardEvent, video: HTMLVideoElement): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isButton = event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement;
  if (isButton && (event.key === " " || event.key === "Enter")) return;
  const key = event.key.toLowerCase();
  const action = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
  if (!action) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.type === "keydown") action(video);
}

function toggle(video: HTMLVideoElement): void {
  if (video.paused)
    video.play().catch(() => {}); // the element's error says why
  else video.pause();
}

function seek(video: HTMLVideoElement, seconds: number): void {
  if (Number.isFinite(video.duration)) {
    video.currentTime = Math.min(video.duration, Math.max(0, video.currentTime + seconds));
  }
}

function turnVolume(video: HTMLVideoElement, by: number): void {
  video.volume = Math.min(1, Math.max(0, video.volume + by));
}
