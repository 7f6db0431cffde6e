/** What this browser knows of an upload's file: its version, and the id under which an upload of it was asked for. */

import { forgetHandle, rememberHandle } from "./file_handles";

/** Ids of this tab's uploads: the same file may be sent twice at once. */
const taken = new Set<string>();

/** The id of an upload that was asked for and never answered, because the page was closed; else a new one. */
export function correlationIdFor(file: File, contentType: string): string {
  const known = kept(beginning(file, contentType));
  const id = known && !taken.has(known) ? known : crypto.randomUUID();
  taken.add(id);
  return id;
}

/** Call before the API is asked: under the same id it opens the same upload again. */
export function rememberBeginning(file: File, contentType: string, correlationId: string): void {
  keep(beginning(file, contentType), correlationId);
}

export function forgetBeginning(file: File, contentType: string): void {
  drop(beginning(file, contentType));
}

export function rememberFile(videoId: string, file: File): void {
  keep(modified(videoId), String(file.lastModified));
}

export function forgetFile(videoId: string): void {
  drop(modified(videoId));
  drop(sent(videoId));
  forgetHandle(videoId);
}

/** This browser sends it: what arrives of it is from here, and its file can be opened again from here. */
export function rememberSending(videoId: string, file: File): void {
  keep(sent(videoId), "");
  rememberHandle(videoId, file);
}

/** Another device sends it now. */
export function forgetSending(videoId: string): void {
  drop(sent(videoId));
}

/** Whether this browser was the last that is known to send it. */
export function wasSentHere(videoId: string): boolean {
  return typeof kept(sent(videoId)) === "string";
}

/** Whether this browser saw the upload begin with another version of the file. */
export function wasChanged(videoId: string, file: File): boolean {
  const version = String(file.lastModified);
  return (kept(modified(videoId)) ?? version) !== version;
}

function beginning(file: File, contentType: string): string {
  return `beginning ${contentType} ${file.size} ${file.lastModified} ${file.name}`;
}

function modified(videoId: string): string {
  return `modified ${videoId}`;
}

function sent(videoId: string): string {
  return `sent ${videoId}`;
}

function orNothing<Answer>(ask: () => Answer): Answer | undefined {
  try {
    return ask();
  } catch {
    // A full or forbidden storage costs a second upload, which the platform expires, and the check for changed files.
  }
}

function kept(key: string): string | null | undefined {
  return orNothing(() => localStorage.getItem(key));
}

function keep(key: string, value: string): void {
  orNothing(() => localStorage.setItem(key, value));
}

function drop(key: string): void {
  orNothing(() => localStorage.removeItem(key));
}
