/** Events of an uploader for the page around it. Every event bubbles. */

import type { VideoUpload } from "./video_upload";

/** upload: the same object in all events of one file; it fires "progress" and "state" itself. */
export interface UploadDetail {
  upload: VideoUpload;
  file: File;
  /** null until the platform knows the upload */
  videoId: string | null;
}

export function detail(upload: VideoUpload): UploadDetail {
  return { upload, file: upload.file, videoId: upload.videoId };
}

export interface ProgressDetail extends UploadDetail {
  sentBytes: number;
  sizeBytes: number;
  /** over the last seconds; 0 while nothing moves */
  bytesPerSecond: number;
}

/** code: of docs/api.md or of the uploader; message: in the uploader's language. */
export interface ErrorDetail extends UploadDetail {
  code: string;
  message: string;
}

export interface CompleteDetail extends UploadDetail {
  state: "ready" | "rejected";
  /** why it was rejected; "" when it is ready */
  code: string;
  message: string;
}

export interface RefusedDetail {
  file: File;
  code: string;
  message: string;
}

export interface VideoUploaderEventMap {
  "upload-added": CustomEvent<UploadDetail>;
  "upload-progress": CustomEvent<ProgressDetail>;
  /** `upload.state` is another one */
  "upload-state": CustomEvent<UploadDetail>;
  /** all bytes are stored, and the platform looks at the video */
  "upload-stored": CustomEvent<UploadDetail>;
  /** the platform is done with the video */
  "upload-complete": CustomEvent<CompleteDetail>;
  /** the upload stopped; the person may try again, unless the message says otherwise */
  "upload-error": CustomEvent<ErrorDetail>;
  /** no upload of this file began */
  "upload-refused": CustomEvent<RefusedDetail>;
  /** its row is gone */
  "upload-removed": CustomEvent<UploadDetail>;
  /** cancelable: who prevents it shows the text itself */
  "uploader-message": CustomEvent<{ text: string }>;
}
