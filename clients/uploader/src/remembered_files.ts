/**
 * Memory of an upload's file in this browser: its version, and the id under which an upload of it was asked for.
 *
 * Where nothing can be stored it costs a second upload, which the platform expires, and the check for changed files.
 */

import type { UnfinishedUpload } from "./api";
import { dropText, storedKeys, storedText, storeText } from "./browser_storage";
import { forgetHandle, rememberHandle } from "./file_handles";

const BEGINNING = "beginning ";

type Known = Pick<UnfinishedUpload, "videoId" | "correlationId">;

/** Ids of this tab's uploads: the same file may be sent twice at once. */
const taken = new Set<string>();

/** The id of an upload that was asked for and never answered, because the page was closed; else a new one. */
export function correlationIdFor(file: File, contentType: string): string {
  const known = storedText(beginning(file, contentType));
  const id = known && !taken.has(known) ? known : crypto.randomUUID();
  taken.add(id);
  return id;
}

/** Call before the API is asked: under the same id it opens the same upload again. */
export function rememberBeginning(file: File, contentType: string, correlationId: string): void {
  storeText(beginning(file, contentType), correlationId);
}

export function forgetBeginning(file: File, contentType: string): void {
  dropText(beginning(file, contentType));
}

export function rememberFile(videoId: string, file: File): void {
  storeText(modified(videoId), String(file.lastModified));
}

export function forgetFile(videoId: string): void {
  dropText(modified(videoId));
  dropText(sent(videoId));
  forgetHandle(videoId);
}

/** This browser sends it: what arrives of it is from here, and its file can be opened again from here. */
export function rememberSending(videoId: string, file: File): void {
  storeText(sent(videoId), "");
  rememberHandle(videoId, file);
}

/** Another device sends it now. */
export function forgetSending({ videoId, correlationId }: Known): void {
  dropText(sent(videoId));
  for (const key of beginningsOf(correlationId)) dropText(key);
}

/** True if this browser was the last that is known to send it, or asked for it and missed the answer. */
export function wasSentHere({ videoId, correlationId }: Known): boolean {
  return typeof storedText(sent(videoId)) === "string" || beginningsOf(correlationId).length > 0;
}

/** True if this browser saw the upload begin with another version of the file. */
export function wasChanged(videoId: string, file: File): boolean {
  const version = String(file.lastModified);
  return (storedText(modified(videoId)) ?? version) !== version;
}

function beginningsOf(correlationId: string | null): string[] {
  const keys = storedKeys();
  return keys.filter((key) => key.startsWith(BEGINNING) && storedText(key) === correlationId);
}

function beginning(file: File, contentType: string): string {
  return `${BEGINNING}${contentType} ${file.size} ${file.lastModified} ${file.name}`;
}

function modified(videoId: string): string {
  return `modified ${videoId}`;
}

function sent(videoId: string): string {
  return `sent ${videoId}`;
}
