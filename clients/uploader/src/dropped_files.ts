/** Files that a person drops, pastes or picks, those inside folders included. */

import { contentType } from "./video_types";

export interface Gathered {
  files: File[];
  /** files inside folders that are no videos */
  skippedCount: number;
}

/** Everything in a drop. To be called within the event: afterwards the browser forgets what was dropped. */
export async function droppedFiles(dropped: DataTransfer): Promise<Gathered> {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry());
  const flat = [...dropped.files];
  if (!entries.some((entry) => entry?.isDirectory)) return { files: flat, skippedCount: 0 };
  const gathered: Gathered = { files: [], skippedCount: 0 };
  for (const entry of entries) {
    if (entry?.isFile) gathered.files.push(await fileOf(entry as FileSystemFileEntry));
    else if (entry) await gather(entry as FileSystemDirectoryEntry, gathered);
  }
  return gathered;
}

/** The videos among the files of a folder. */
export function videosIn(files: Iterable<File>): Gathered {
  const all = [...files];
  const videos = all.filter(({ name }) => isVideo(name));
  return { files: videos, skippedCount: all.length - videos.length };
}

async function gather(folder: FileSystemDirectoryEntry, gathered: Gathered): Promise<void> {
  const reader = folder.createReader();
  for (;;) {
    // A reader gives a part of the entries at a time, and in the end none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const entry of some) {
      if (entry.isDirectory) await gather(entry as FileSystemDirectoryEntry, gathered);
      else if (isVideo(entry.name)) gathered.files.push(await fileOf(entry as FileSystemFileEntry));
      else gathered.skippedCount += 1;
    }
  }
}

/** "._holiday.mp4" is a note of macOS about a file on a foreign disk. */
function isVideo(name: string): boolean {
  return !name.startsWith(".") && contentType(name) !== undefined;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
