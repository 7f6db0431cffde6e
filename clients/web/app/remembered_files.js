/** Which version of a file an upload began with: names and sizes alone do not tell. */

/** @param {string} videoId @param {File} file */
export function rememberFile(videoId, file) {
  try {
    localStorage.setItem(`modified ${videoId}`, String(file.lastModified));
  } catch {
    // A full or forbidden storage only costs the check for changed files.
  }
}

/** @param {string} videoId */
export function forgetFile(videoId) {
  localStorage.removeItem(`modified ${videoId}`);
}

/** Whether this browser saw the upload begin with another version of the file. @param {string} videoId @param {File} file */
export function wasChanged(videoId, file) {
  const remembered = localStorage.getItem(`modified ${videoId}`);
  return remembered !== null && remembered !== String(file.lastModified);
}
