/**
 * Videos that other apps shared with the installed page: the service worker keeps them until their upload is over, so
 * that one goes on by itself when the phone has closed the page in between.
 */

import { dropText, storedText, storeText } from "video-uploader/browser_storage";

/** Name as in public/service-worker.js. */
const CACHE = "shared-1";

const addresses = new WeakMap<File, string>();

/** The videos that wait, oldest first, without those that another tab has. Empty where nothing can be kept. */
export async function sharedVideos(): Promise<File[]> {
  if (!("caches" in window) || !(await caches.has(CACHE))) return [];
  const cache = await caches.open(CACHE);
  const files: File[] = [];
  for (const { url } of await cache.keys()) {
    const response = (await isFree(url)) ? await cache.match(url) : undefined;
    if (!response) continue;
    const name = decodeURIComponent(response.headers.get("X-File-Name") ?? "");
    const lastModified = Number(response.headers.get("X-Last-Modified"));
    const file = new File([await response.blob()], name, {
      type: response.headers.get("Content-Type") ?? "",
      lastModified,
    });
    addresses.set(file, url);
    files.push(file);
  }
  return files;
}

/**
 * True if this person has said before that the file is to be uploaded.
 *
 * Any page can post to the share target, and the next person who signs in on this device would find the waiting files.
 */
export function isAccepted(file: File, subject: string): boolean {
  return storedText(acceptance(file)) === subject;
}

/** Remember that this person said yes: after a reload the upload goes on by itself. */
export function accept(file: File, subject: string): void {
  storeText(acceptance(file), subject);
}

/** Let go of a file whose upload is over; nothing happens to one that was not shared. */
export async function forgetShared(file: File): Promise<void> {
  const url = addresses.get(file);
  if (!url) return;
  dropText(acceptance(file));
  await (await caches.open(CACHE)).delete(url);
}

function acceptance(file: File): string {
  return `accepted ${addresses.get(file)}`;
}

/** True if no tab has it; from then on this one has it until it is closed. */
function isFree(url: string): Promise<boolean> {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    void navigator.locks.request(url, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock ? new Promise(() => {}) : undefined;
    });
  });
}
