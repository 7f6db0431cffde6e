/** Exports of the package: the element, defined by importing this, and its types. */

export type { Video } from "./contract";
export type { PluralText, Texts } from "./language";
export type {
  CompleteDetail,
  ErrorDetail,
  ProgressDetail,
  RefusedDetail,
  UploadDetail,
  VideoUploaderEventMap,
} from "./uploader_events";
export { UPLOADER_TEXTS, type UploaderTextKey, type UploaderTexts } from "./uploader_texts";
export type { UploadState, VideoUpload } from "./video_upload";
export { type AccessToken, VideoUploader } from "./video_uploader";
