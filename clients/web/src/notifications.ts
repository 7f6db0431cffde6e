/** Notifications of the browser for somebody who looks at another tab: a video is ready, or was rejected. */

import type { Video } from "video-uploader/api";

const SETTING = "notifications";
const UNSETTLED: ReadonlySet<string> = new Set(["completing", "processing"]);

export class Notifications {
  readonly #setting: string;
  readonly #words: (video: Video) => string;
  /** Ids of videos that were seen before they were settled. */
  readonly #awaited = new Set<string>();

  /** subject: the person's; another person at this browser has a wish of their own. words: what to say of a video. */
  constructor(subject: string, words: (video: Video) => string) {
    this.#setting = `${SETTING}.${subject}`;
    this.#words = words;
  }

  /** True if this browser has notifications, outside of an installed app too. */
  get isSupported(): boolean {
    return typeof Notification !== "undefined";
  }

  /** True if the browser refuses and asks the person no more. */
  get isBlocked(): boolean {
    return this.isSupported && Notification.permission === "denied";
  }

  /** True if the person wants them, and the browser lets them through. */
  get isOn(): boolean {
    return this.isSupported && Notification.permission === "granted" && readSetting(this.#setting) === "on";
  }

  /** Ask the browser; whether they are on then. Call it from a click: a prompt of its own accord annoys. */
  async turnOn(): Promise<boolean> {
    if ((await Notification.requestPermission()) !== "granted") return false;
    writeSetting(this.#setting, "on");
    return this.isOn;
  }

  turnOff(): void {
    writeSetting(this.#setting, "off");
  }

  /** Tell of this video once it is settled, although no look has seen it unsettled. */
  expect(videoId: string): void {
    this.#awaited.add(videoId);
  }

  /** To be called with every video as the API tells it. */
  seen(video: Video): void {
    if (UNSETTLED.has(video.state)) this.#awaited.add(video.videoId);
    else if (this.#awaited.delete(video.videoId) && (video.state === "ready" || video.state === "rejected"))
      this.#tell(video);
  }

  #tell(video: Video): void {
    if (!this.isOn || document.visibilityState === "visible") return;
    // The tag: another tab of this page tells of the same video, and one notification is enough.
    void show(video.fileName, { body: this.#words(video), tag: video.videoId, icon: "/icon.svg" });
  }
}

/** Phones take notifications from a service worker alone. */
async function show(title: string, options: NotificationOptions): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  if (registration?.active) return registration.showNotification(title, options);
  const shown = new Notification(title, options);
  shown.onclick = () => {
    window.focus();
    shown.close();
  };
}

function readSetting(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // blocked: nothing is remembered, and nothing is shown
  }
}

function writeSetting(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // as above
  }
}
