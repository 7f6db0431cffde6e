/** What this browser knows of an upload's file: its version, and the id under which an upload of it was asked for. */

/** Ids of this tab's uploads: the same file may be sent twice at once. */
const taken = new Set<string>();

/** The id of an upload that was asked for and never answered, because the page was closed; else a new one. */
export function correlationIdFor(file: File, contentType: string): string {
  const kept = readKept(beginning(file, contentType));
  const id = kept && !taken.has(kept) ? kept : crypto.randomUUID();
  taken.add(id);
  return id;
}

/** Call before the API is asked: under the same id it opens the same upload again. */
export function rememberBeginning(file: File, contentType: string, correlationId: string): void {
  try {
    localStorage.setItem(beginning(file, contentType), correlationId);
  } catch {
    // A full or forbidden storage only costs a second upload, which the platform expires.
  }
}

export function forgetBeginning(file: File, contentType: string): void {
  try {
    localStorage.removeItem(beginning(file, contentType));
  } catch {
    // nothing was remembered
  }
}

function beginning(file: File, contentType: string): string {
  return `beginning ${contentType} ${file.size} ${file.lastModified} ${file.name}`;
}

function readKept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function rememberFile(videoId: string, file: File): void {
  try {
    localStorage.setItem(`modified ${videoId}`, String(file.lastModified));
  } catch {
    // A full or forbidden storage only costs the check for changed files.
  }
}

export function forgetFile(videoId: string): void {
  localStorage.removeItem(`modified ${videoId}`);
}

/** Whether this browser saw the upload begin with another version of the file. */
export function wasChanged(videoId: string, file: File): boolean {
  const remembered = localStorage.getItem(`modified ${videoId}`);
  return remembered !== null && remembered !== String(file.lastModified);
}
