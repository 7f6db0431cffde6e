/**
 * Files that this browser may open again after a reload: their handles, by video, in IndexedDB.
 *
 * No upload depends on them: a browser without handles, or one whose storage is blocked, full or slow, has none to give.
 */

import { createStore, del, entries, set } from "idb-keyval";

/** lib.dom knows no permissions of handles. */
export interface FileHandle extends FileSystemFileHandle {
  queryPermission(descriptor: { mode: "read" }): Promise<PermissionState>;
  requestPermission(descriptor: { mode: "read" }): Promise<PermissionState>;
}

interface Stored {
  handle: FileHandle;
  /** by the clock of this browser */
  until: number;
}

type OpenPicker = (options: {
  id: string;
  startIn: string;
  multiple: boolean;
  types: { accept: Record<string, string[]> }[];
}) => Promise<FileHandle[]>;

/** No upload stays unfinished for longer. */
const LIFETIME_MS = 60 * 86_400_000;
const READ_LIMIT_MS = 2000;

const handles = new WeakMap<File, FileHandle>();
let store: ReturnType<typeof createStore> | undefined;

/** The person chose the file by this handle. */
export function noteHandle(file: File, handle: FileHandle): void {
  handles.set(file, handle);
}

/** The handle of a file, where the browser gave one. */
export function handleOf(file: File): FileHandle | undefined {
  return handles.get(file);
}

/** Keep the handle of an upload's file. */
export function rememberHandle(videoId: string, file: File): void {
  const handle = handleOf(file);
  if (handle) void orNothing(() => set(videoId, { handle, until: Date.now() + LIFETIME_MS }, opened()));
}

export function forgetHandle(videoId: string): void {
  void orNothing(() => del(videoId, opened()));
}

/** The handles that are there, by video. */
export async function storedHandles(): Promise<Map<string, FileHandle>> {
  const limit = new Promise<undefined>((resolve) => setTimeout(resolve, READ_LIMIT_MS));
  const found = await Promise.race([orNothing(() => entries<string, Stored>(opened())), limit]);
  const known = new Map<string, FileHandle>();
  for (const [videoId, { handle, until }] of found ?? []) {
    if (until > Date.now()) known.set(videoId, handle);
    else forgetHandle(videoId);
  }
  return known;
}

/** The file, with the person's permission: call it in a click. Null where it is refused; rejects where it is gone. */
export async function reopened(handle: FileHandle): Promise<File | null> {
  const mode = { mode: "read" } as const;
  const isAllowed =
    (await handle.queryPermission(mode)) === "granted" || (await handle.requestPermission(mode)) === "granted";
  if (!isAllowed) return null;
  return fileOf(handle);
}

/** True if the browser may give handles of what the person chooses. */
export function canPick(): boolean {
  return "showOpenFilePicker" in window;
}

/** Have the person choose files, in a click. Null where the browser gives no handles: an input has to do. */
export async function pickedFiles(extensions: string[], multiple: boolean): Promise<File[] | null> {
  const open = (window as { showOpenFilePicker?: OpenPicker }).showOpenFilePicker;
  if (!open) return null;
  try {
    const types = [{ accept: { "video/*": extensions } }];
    return await Promise.all((await open({ id: "videos", startIn: "videos", multiple, types })).map(fileOf));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return []; // closed without a choice
    return null; // not allowed in a frame of another site, say
  }
}

/** Note the handles of dropped files. Call it within the event: afterwards the browser forgets what was dropped. */
export async function noteDroppedHandles(dropped: DataTransfer): Promise<void> {
  type WithHandle = DataTransferItem & { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> };
  const files = [...dropped.files];
  const items = [...dropped.items].filter(({ kind }) => kind === "file");
  const asked = items.map((item: WithHandle) => orNothing(async () => item.getAsFileSystemHandle?.()));
  for (const [index, handle] of (await Promise.all(asked)).entries()) {
    const file = files[index];
    if (file && handle?.kind === "file" && handle.name === file.name) noteHandle(file, handle as FileHandle);
  }
}

async function fileOf(handle: FileHandle): Promise<File> {
  const file = await handle.getFile();
  noteHandle(file, handle);
  return file;
}

function opened(): ReturnType<typeof createStore> {
  store ??= createStore("video-uploader", "files");
  return store;
}

async function orNothing<Answer>(ask: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch {
    return undefined; // the file is chosen again
  }
}
