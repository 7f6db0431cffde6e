/** Which version of a file an upload began with: names and sizes alone do not tell. */

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
