/** The bodies of the API. Made by `make contract`: change chalice_app/chalicelib/contract instead. */

/** An aborted upload. */
export interface AbortedUpload {
  status: "aborted";
  videoId: string;
}

/** The number of accepted events. */
export interface AcceptedProgress {
  accepted: number;
}

/** The first audio stream. */
export interface AudioTrack {
  codec: string;
  channels: number;
  sampleRateHz: number;
}

/** A part that S3 holds, with the ETag of S3's answer. */
export interface CompletedPart {
  partNumber: number;
  /** ETag that S3 returned. */
  etag: string;
}

/** A completed upload, or one whose parts S3 is still joining: repeat the call. */
export interface Completion {
  status: "completed" | "completing";
  videoId: string;
  fileKey: string;
  sizeBytes: number;
}

/** Must fit the extension of `fileName`. */
export type ContentType = "video/3gpp" | "video/3gpp2" | "video/mp2t" | "video/mp4" | "video/mpeg" | "video/ogg" | "video/quicktime" | "video/webm" | "video/x-matroska" | "video/x-msvideo";

/** A user's video that an administrator deleted. */
export interface DeletedStageVideo {
  status: "deleted";
  videoId: string;
  linksExpireAt: string;
  /** The `sub` of a user, or a program's client id. */
  owner: string;
}

/** Outcomes by video, in the order of the request, each video once. */
export interface DeletedStageVideos {
  videos: StageVideoDeletion[];
  linksExpireAt: string;
}

/** A deleted video. URLs that were issued before can play until `linksExpireAt`. */
export interface DeletedVideo {
  status: "deleted";
  videoId: string;
  linksExpireAt: string;
}

/** Outcomes by video, in the order of the request, each id once. */
export interface DeletedVideos {
  videos: VideoDeletion[];
  linksExpireAt: string;
}

/** Liveness and version. */
export interface Health {
  status: "ok";
  version: string;
  stage: string;
}

export type LinkId = string;

/** One video in an administrator's list, without its URLs. */
export interface ListedVideo {
  /** The `sub` of a user, or a program's client id. */
  owner: string;
  videoId: string;
  fileName: string;
  title: string | null;
  /** Must fit the extension of `fileName`. */
  contentType: "video/3gpp" | "video/3gpp2" | "video/mp2t" | "video/mp4" | "video/mpeg" | "video/ogg" | "video/quicktime" | "video/webm" | "video/x-matroska" | "video/x-msvideo";
  sizeBytes: number;
  state: "aborted" | "completing" | "expired" | "processing" | "ready" | "rejected" | "uploading";
  createdAt: string;
  updatedAt: string;
  rejection: Rejection | null;
  linkId: string | null;
  uploaderName: string | null;
  reference: string | null;
  onBehalfOf: string | null;
}

/** The facts that processing found in the file. A field is null if the file does not state it. `profile` and `playability` are also null for a video that version 0.1 processed; `thumbnails` is null if there are none: with the setting off, for a video with one keyframe, or if drawing them would cost too much. */
export interface Media {
  container: string;
  durationSeconds: number | null;
  bitRateBitsPerSecond: number | null;
  video: VideoTrack;
  audio: AudioTrack | null;
  playability?: Playability | null;
  thumbnails?: Thumbnails | null;
}

/** A video to upload by an upload link: the body of POST /link/multipart/init. */
export interface NewLinkUpload {
  /** Without folders and control characters. */
  fileName: string;
  /** Must fit the extension of `fileName`. */
  contentType: "video/3gpp" | "video/3gpp2" | "video/mp2t" | "video/mp4" | "video/mpeg" | "video/ogg" | "video/quicktime" | "video/webm" | "video/x-matroska" | "video/x-msvideo";
  /** From 1 to what the stage accepts, at most 53,687,091,200,000. */
  sizeBytes: number;
  /** Name that the sender gave, unverified. */
  uploaderName: string;
}

/** A video to upload: the body of POST /multipart/init and POST /upload. `reference` and `onBehalfOf` are for machine clients only. */
export interface NewUpload {
  /** Without folders and control characters. */
  fileName: string;
  /** Must fit the extension of `fileName`. */
  contentType: "video/3gpp" | "video/3gpp2" | "video/mp2t" | "video/mp4" | "video/mpeg" | "video/ogg" | "video/quicktime" | "video/webm" | "video/x-matroska" | "video/x-msvideo";
  /** From 1 to what the stage accepts, at most 53,687,091,200,000. */
  sizeBytes: number;
  title?: string | null;
  description?: string | null;
  /** Duplicates are dropped, regardless of case. */
  tags?: string[];
  reference?: string | null;
  onBehalfOf?: string | null;
}

/** The body of POST /links. `reference` and `onBehalfOf`, for machine clients only, apply to all its uploads. */
export interface NewUploadLink {
  /** Shown to the person who opens the link. */
  title: string;
  note?: string | null;
  /** No longer than the stage allows. */
  validSeconds: number;
  maxVideos: number;
  maxBytes: number;
  reference?: string | null;
  onBehalfOf?: string | null;
}

/** The part of a file that some browsers do not play, and its common name. */
export interface Obstacle {
  part: "audio" | "container" | "video";
  name: string;
}

/** A form for S3: send all `fields` as multipart/form-data, then `file`. */
export interface OfferedUpload {
  videoId: string;
  fileKey: string;
  url: string;
  fields: Record<string, string>;
  expiresAt: string;
}

/** An unfinished upload of the caller. `uploadToken` is absent for a caller without the write scope. `receivedBytes` is what S3 holds of the upload, `idleSeconds` the time since S3 received its newest part, or since it began; both are null for all but the newest uploads. */
export interface OpenUpload {
  videoId: string;
  uploadId: string;
  fileKey: string;
  fileName: string;
  /** Must fit the extension of `fileName`. */
  contentType: "video/3gpp" | "video/3gpp2" | "video/mp2t" | "video/mp4" | "video/mpeg" | "video/ogg" | "video/quicktime" | "video/webm" | "video/x-matroska" | "video/x-msvideo";
  sizeBytes: number;
  partSizeBytes: number;
  partCount: number;
  /** Bytes that S3 holds of it; null beyond the newest 50. */
  receivedBytes: number | null;
  /** Time since S3 received its newest part, or since it began; null beyond the newest 50. */
  idleSeconds: number | null;
  /** Opens this upload alone. */
  uploadToken?: string;
  startedAt: string;
  expiresAt: string;
  correlationId: string | null;
  linkId: string | null;
  uploaderName: string | null;
  reference: string | null;
  onBehalfOf: string | null;
}

/** The caller's unfinished uploads, newest first. */
export interface OpenUploads {
  uploads: OpenUpload[];
}

/** An upload link as the person who opens it sees it: what it is for, and what may still be sent by it. */
export interface OpenedLink {
  /** Shown to the person who opens the link. */
  title: string;
  note: string | null;
  expiresAt: string;
  videosLeft: number;
  bytesLeft: number;
}

/** A part is sent again after this number of failures. */
export interface PartRetried {
  event: "partRetried";
  /** Milliseconds since 1970, by the client's clock. */
  at: number;
  videoId: string;
  correlationId?: string | null;
  sizeBytes: number;
  sentBytes: number;
  partNumber: number;
  failures: number;
}

/** A part that needs a URL. A checksum is signed into the URL and verified by S3. */
export interface PartToSign {
  partNumber: number;
  checksumCRC64NVME?: string | null;
}

/** The parts at S3 differed from the file. */
export interface PartsDiffered {
  event: "partsDiffered";
  /** Milliseconds since 1970, by the client's clock. */
  at: number;
  videoId: string;
  correlationId?: string | null;
  sizeBytes: number;
  sentBytes: number;
  partNumbers: number[];
}

/** The body of POST /multipart/complete. `checksumCRC64NVME` is of the whole file. */
export interface PartsToComplete {
  /** Each part once. */
  parts: CompletedPart[];
  checksumCRC64NVME?: string | null;
  uploadId?: string | null;
  fileKey?: string | null;
}

/** The body of POST /multipart/parts. */
export interface PartsToSign {
  parts: PartToSign[];
}

/** The browsers that play the file as it is; `some` also if it depends on the machine. `all` has no obstacle. */
export interface Playability {
  browsers: "all" | "none" | "some";
  obstacle: Obstacle | null;
}

/** The destination of one part. `headers` must be sent with it, and no other `x-amz-*` header. */
export interface PresignedPart {
  partNumber: number;
  url: string;
  sizeBytes: number;
  headers: Record<string, string>;
}

/** One problem of a body or a query. */
export interface Problem {
  field: string;
  problem: string;
}

/** The body of POST /progress: events of any of the caller's uploads. */
export interface ProgressBatch {
  client: string;
  system?: string | null;
  events: (UploadBegan | UploadProgress | UploadState | PartRetried | PartsDiffered)[];
}

/** Processing's reason for rejecting the file. */
export interface Rejection {
  code: "container_mismatch" | "container_not_accepted" | "encrypted_media" | "malware" | "media_limits_exceeded" | "no_video_stream" | "not_a_video" | "not_scanned" | "size_mismatch" | "unreadable_media" | "unsupported_codec";
  message: string;
}

/** The copy of a video that every browser plays. `sizeBytes` is null until it is `ready`. `reason` is null unless it `failed`: `not_convertible` if the file cannot be converted, `unanswered` if no attempt finished. */
export interface Rendition {
  state: "failed" | "pending" | "ready";
  sizeBytes: number | null;
  reason: "not_convertible" | "unanswered" | null;
}

/** A revoked upload link. */
export interface RevokedLink {
  status: "revoked";
  linkId: string;
}

/** URLs of further parts. */
export interface SignedParts {
  presignedUrls: PresignedPart[];
  urlsExpireAt: string;
}

/** All users' use of the stage's limit; null means no limit. `storedBytes` and `storedVideos` are as of `countedAt`, null before the first count; `reservedBytes` and `reservedVideos` count the uploads that are open now. A video that was completed since the count is in neither. */
export interface StageUsage {
  storedBytes: number | null;
  storedVideos: number | null;
  countedAt: string | null;
  reservedBytes: number;
  reservedVideos: number;
  maxStoredBytes: number | null;
}

/** One video of any user, as an administrator sees it. Its URLs open only this video. */
export interface StageVideo {
  videoId: string;
  fileName: string;
  title: string | null;
  description: string | null;
  /** Duplicates are dropped, regardless of case. */
  tags: string[];
  /** Must fit the extension of `fileName`. */
  contentType: "video/3gpp" | "video/3gpp2" | "video/mp2t" | "video/mp4" | "video/mpeg" | "video/ogg" | "video/quicktime" | "video/webm" | "video/x-matroska" | "video/x-msvideo";
  sizeBytes: number;
  checksumCRC64NVME: string | null;
  state: "aborted" | "completing" | "expired" | "processing" | "ready" | "rejected" | "uploading";
  waitsFor: "malwareScan" | null;
  createdAt: string;
  updatedAt: string;
  completedAt: string | null;
  media: Media | null;
  rejection: Rejection | null;
  rendition: Rendition | null;
  posterUrl: string | null;
  playbackUrl: string | null;
  downloadUrl: string | null;
  thumbnailsUrl: string | null;
  urlsExpireAt: string | null;
  expiresAt: string | null;
  expiresSoon: boolean;
  linkId: string | null;
  uploaderName: string | null;
  reference: string | null;
  onBehalfOf: string | null;
  /** The `sub` of a user, or a program's client id. */
  owner: string;
}

/** The outcome for one of several videos of any users. */
export interface StageVideoDeletion {
  videoId: string;
  status: "deleted" | "failed" | "not_found";
  /** The `sub` of a user, or a program's client id. */
  owner: string;
}

/** A video of any user. */
export interface StageVideoName {
  /** The `sub` of a user, or a program's client id. */
  owner: string;
  videoId: string;
}

/** A page of all users' videos. Only a `nextCursor` of null ends the list. */
export interface StageVideoPage {
  videos: ListedVideo[];
  nextCursor: string | null;
}

/** The body of POST /admin/videos/delete. */
export interface StageVideosToDelete {
  videos: StageVideoName[];
}

/** A multipart upload that may begin. `presignedUrls` is the first page: all parts up to 500. */
export interface StartedUpload {
  videoId: string;
  uploadId: string;
  fileKey: string;
  partSizeBytes: number;
  partCount: number;
  presignedUrls: PresignedPart[];
  urlsExpireAt: string;
  /** Opens this upload alone. */
  uploadToken: string;
  /** The end of the upload and of its token. */
  expiresAt: string;
  checksumAlgorithm: "CRC64NVME";
}

/** One part as S3 holds it. `checksumCRC64NVME` is present when S3 computed it. */
export interface StoredPart {
  partNumber: number;
  sizeBytes: number;
  /** ETag that S3 returned. */
  etag: string;
  /** Base64 of the eight big-endian bytes of a CRC64NVME. */
  checksumCRC64NVME?: string;
}

/** An unfinished upload and the parts that S3 holds of it. */
export interface StoredUpload {
  videoId: string;
  uploadId: string;
  fileKey: string;
  state: "aborted" | "completing" | "expired" | "processing" | "ready" | "rejected" | "uploading";
  fileName: string;
  /** Must fit the extension of `fileName`. */
  contentType: "video/3gpp" | "video/3gpp2" | "video/mp2t" | "video/mp4" | "video/mpeg" | "video/ogg" | "video/quicktime" | "video/webm" | "video/x-matroska" | "video/x-msvideo";
  sizeBytes: number;
  partSizeBytes: number;
  partCount: number;
  parts: StoredPart[];
}

/** Small pictures at equal distances, in one JPEG at `thumbnailsUrl`, row by row, each `tileWidth` by `tileHeight` pixels, upright. The picture for a second of the video has the number `second / secondsPerTile`, rounded down; its column is the number modulo `columns`. */
export interface Thumbnails {
  count: number;
  columns: number;
  tileWidth: number;
  tileHeight: number;
  secondsPerTile: number;
}

/** An upload began or was resumed. */
export interface UploadBegan {
  event: "uploadBegan";
  /** Milliseconds since 1970, by the client's clock. */
  at: number;
  videoId: string;
  correlationId?: string | null;
  sizeBytes: number;
  sentBytes: number;
  partCount: number;
}

/** An upload link of the caller. `linkToken` is absent for a caller without the write scope, and for a link that is not `open`. `usedVideos` and `usedBytes` count the uploads that were begun by the link and neither aborted nor expired. */
export interface UploadLink {
  linkId: string;
  /** Shown to the person who opens the link. */
  title: string;
  note: string | null;
  state: "expired" | "open" | "revoked";
  maxVideos: number;
  maxBytes: number;
  usedVideos: number;
  usedBytes: number;
  createdAt: string;
  expiresAt: string;
  revokedAt: string | null;
  reference: string | null;
  onBehalfOf: string | null;
  /** Opens the uploads of this link alone. */
  linkToken?: string;
}

/** The caller's upload links, newest first. */
export interface UploadLinks {
  links: UploadLink[];
}

/** An upload made progress. */
export interface UploadProgress {
  event: "uploadProgress";
  /** Milliseconds since 1970, by the client's clock. */
  at: number;
  videoId: string;
  correlationId?: string | null;
  sizeBytes: number;
  sentBytes: number;
}

/** An upload entered a state. `code`: why it failed. */
export interface UploadState {
  event: "uploadState";
  /** Milliseconds since 1970, by the client's clock. */
  at: number;
  videoId: string;
  correlationId?: string | null;
  sizeBytes: number;
  sentBytes: number;
  state: "aborted" | "completing" | "deleted" | "expired" | "failed" | "paused" | "processing" | "ready" | "rejected" | "uploading";
  code?: string | null;
}

/** The body of POST /multipart/abort, which may be left out. */
export interface UploadToAbort {
  uploadId?: string | null;
  fileKey?: string | null;
}

/** The caller's use of each limit; null means no limit. `storedBytes` and `storedVideos` count what is stored, rejected videos included; `reservedBytes` and `reservedVideos` the open uploads that hold a reservation. A new upload needs room in addition to both. */
export interface Usage {
  storedBytes: number;
  storedVideos: number;
  reservedBytes: number;
  reservedVideos: number;
  maxStoredBytes: number | null;
  maxStoredVideos: number | null;
  maxReservedBytes: number;
  maxOpenUploads: number;
}

/** One video of the caller's library. Its URLs are null unless it is `ready`. `playbackUrl` plays the rendition once that is `ready`, and until then the file itself; `downloadUrl` is always the file as it was uploaded. `rendition` is null if the stage makes none, and for a video that needs none or cannot have one. `checksumCRC64NVME` is of the whole file, null if its client did not send it. `waitsFor`: the one thing still missing while it is `processing`, null if there is more than one. `expiresAt`: the earliest time at which retention deletes it, null if retention is off; `expiresSoon`: whether that was announced. */
export interface Video {
  videoId: string;
  fileName: string;
  title: string | null;
  description: string | null;
  /** Duplicates are dropped, regardless of case. */
  tags: string[];
  /** Must fit the extension of `fileName`. */
  contentType: "video/3gpp" | "video/3gpp2" | "video/mp2t" | "video/mp4" | "video/mpeg" | "video/ogg" | "video/quicktime" | "video/webm" | "video/x-matroska" | "video/x-msvideo";
  sizeBytes: number;
  checksumCRC64NVME: string | null;
  state: "aborted" | "completing" | "expired" | "processing" | "ready" | "rejected" | "uploading";
  waitsFor: "malwareScan" | null;
  createdAt: string;
  updatedAt: string;
  completedAt: string | null;
  media: Media | null;
  rejection: Rejection | null;
  rendition: Rendition | null;
  posterUrl: string | null;
  playbackUrl: string | null;
  downloadUrl: string | null;
  thumbnailsUrl: string | null;
  urlsExpireAt: string | null;
  expiresAt: string | null;
  expiresSoon: boolean;
  linkId: string | null;
  uploaderName: string | null;
  reference: string | null;
  onBehalfOf: string | null;
}

/** The body of PATCH /videos/{videoId}. A field that is left out stays as it is; null removes a text. */
export interface VideoChanges {
  title?: string | null;
  description?: string | null;
  /** Duplicates are dropped, regardless of case. */
  tags?: string[];
}

/** The outcome for one of several videos. One that `failed` stays as it is; the call may be repeated. */
export interface VideoDeletion {
  videoId: string;
  status: "deleted" | "failed" | "not_found";
}

export type VideoId = string;

/** The message to subscribers about one event of one video. It may come more than once, with the same `id`. `occurredAt` is when the event happened. `state` is the `type` without its prefix, as in version 0.1. `cause` says why an upload failed (`expired`: not finished in time; `given_up`: processing did not succeed) or who deleted the video; it is null otherwise. `rendition` is the copy of a ready video that every browser plays, null if it gets none. `media` is present for a video that is ready or was ready when it was deleted, `rejection` for a rejected one. `expiresAt`: the earliest time at which a video that is `expiring` is deleted, null otherwise. `linkId` and `uploaderName` name the upload link by which it came and its sender; `reference` and `onBehalfOf` are a machine client's own names. */
export interface VideoMessage {
  version: 1;
  /** The same for each repetition of the message. */
  id: string;
  type: "video.deleted" | "video.expiring" | "video.failed" | "video.ready" | "video.rejected" | "video.rendition_failed" | "video.rendition_ready";
  occurredAt: string;
  videoId: string;
  owner: string;
  fileKey: string;
  versionId: string | null;
  fileName: string;
  /** Must fit the extension of `fileName`. */
  contentType: "video/3gpp" | "video/3gpp2" | "video/mp2t" | "video/mp4" | "video/mpeg" | "video/ogg" | "video/quicktime" | "video/webm" | "video/x-matroska" | "video/x-msvideo";
  sizeBytes: number;
  state: "deleted" | "expiring" | "failed" | "ready" | "rejected" | "rendition_failed" | "rendition_ready";
  cause: "administrator" | "expired" | "given_up" | "operator" | "owner" | "retention" | null;
  completedAt: string | null;
  media: Media | null;
  rejection: Rejection | null;
  rendition: Rendition | null;
  expiresAt: string | null;
  linkId: string | null;
  uploaderName: string | null;
  reference: string | null;
  onBehalfOf: string | null;
}

/** A page of the library. Only a `nextCursor` of null ends the list. */
export interface VideoPage {
  videos: Video[];
  nextCursor: string | null;
}

/** The first video stream: its size as displayed, after the clockwise rotation; `profile` as in `High 10`. */
export interface VideoTrack {
  codec: string;
  profile?: string | null;
  width: number;
  height: number;
  rotationDegrees: 0 | 90 | 180 | 270;
  frameRate: number | null;
}

/** The body of POST /videos/delete. */
export interface VideosToDelete {
  videoIds: string[];
}

/** Accepted files, by content type. */
export const VIDEO_TYPES = {
  "video/mp4": { label: "MP4", extensions: [".mp4", ".m4v"], container: "mp4" },
  "video/quicktime": { label: "MOV", extensions: [".mov"], container: "quicktime" },
  "video/x-matroska": { label: "MKV", extensions: [".mkv"], container: "matroska" },
  "video/webm": { label: "WebM", extensions: [".webm"], container: "webm" },
  "video/x-msvideo": { label: "AVI", extensions: [".avi"], container: "avi" },
  "video/3gpp": { label: "3GP", extensions: [".3gp", ".3gpp"], container: "3gpp" },
  "video/3gpp2": { label: "3G2", extensions: [".3g2"], container: "3gpp" },
  "video/mp2t": { label: "MTS", extensions: [".mts", ".m2ts", ".ts"], container: "mpegts" },
  "video/mpeg": { label: "MPEG", extensions: [".mpg", ".mpeg"], container: "mpeg" },
  "video/ogg": { label: "Ogg", extensions: [".ogv", ".ogg"], container: "ogg" },
};

/** Offsets and the bytes there in hex, all of them. */
export type Signature = readonly (readonly [number, string])[];

/** A file that begins with none of these is no video; one that does may still be something else. */
export const VIDEO_SIGNATURES: readonly { containers: readonly string[]; signature: Signature }[] = [
  { containers: ["matroska", "webm"], signature: [[0, "1a45dfa3"]] },
  { containers: ["avi"], signature: [[0, "52494646"], [8, "41564920"]] },
  { containers: ["mpeg"], signature: [[0, "000001ba"]] },
  { containers: ["ogg"], signature: [[0, "4f676753"]] },
  { containers: ["mp4", "quicktime", "3gpp"], signature: [[4, "66747970"]] },
  { containers: ["mp4", "quicktime", "3gpp"], signature: [[4, "6d6f6f76"]] },
  { containers: ["mp4", "quicktime", "3gpp"], signature: [[4, "6d646174"]] },
  { containers: ["mp4", "quicktime", "3gpp"], signature: [[4, "77696465"]] },
  { containers: ["mp4", "quicktime", "3gpp"], signature: [[4, "66726565"]] },
  { containers: ["mp4", "quicktime", "3gpp"], signature: [[4, "736b6970"]] },
  { containers: ["mp4", "quicktime", "3gpp"], signature: [[4, "706e6f74"]] },
  { containers: ["mpegts"], signature: [[0, "47"], [188, "47"], [376, "47"], [564, "47"]] },
  { containers: ["mpegts"], signature: [[4, "47"], [196, "47"], [388, "47"], [580, "47"]] },
] as const;

/** Well-known files that are no videos, by the name that people know. */
export const OTHER_SIGNATURES: readonly { kind: string; signature: Signature }[] = [
  { kind: "HEIC", signature: [[4, "66747970"], [8, "68656963"]] },
  { kind: "HEIC", signature: [[4, "66747970"], [8, "68656978"]] },
  { kind: "HEIC", signature: [[4, "66747970"], [8, "6865696d"]] },
  { kind: "HEIC", signature: [[4, "66747970"], [8, "68656973"]] },
  { kind: "HEIC", signature: [[4, "66747970"], [8, "68657663"]] },
  { kind: "HEIC", signature: [[4, "66747970"], [8, "68657678"]] },
  { kind: "HEIC", signature: [[4, "66747970"], [8, "6865766d"]] },
  { kind: "HEIC", signature: [[4, "66747970"], [8, "68657673"]] },
  { kind: "AVIF", signature: [[4, "66747970"], [8, "61766966"]] },
  { kind: "AVIF", signature: [[4, "66747970"], [8, "61766973"]] },
  { kind: "HEIF", signature: [[4, "66747970"], [8, "6d696631"]] },
  { kind: "HEIF", signature: [[4, "66747970"], [8, "6d696632"]] },
  { kind: "HEIF", signature: [[4, "66747970"], [8, "6d736631"]] },
  { kind: "HEIF", signature: [[4, "66747970"], [8, "6d696166"]] },
  { kind: "GIF", signature: [[0, "47494638"]] },
  { kind: "JPEG", signature: [[0, "ffd8ff"]] },
  { kind: "PNG", signature: [[0, "89504e47"]] },
  { kind: "WebP", signature: [[0, "52494646"], [8, "57454250"]] },
  { kind: "WAV", signature: [[0, "52494646"], [8, "57415645"]] },
  { kind: "MP3", signature: [[0, "494433"]] },
  { kind: "PDF", signature: [[0, "25504446"]] },
  { kind: "ZIP", signature: [[0, "504b0304"]] },
  { kind: "FLV", signature: [[0, "464c56"]] },
  { kind: "WMV", signature: [[0, "3026b2758e66cf11"]] },
  { kind: "MXF", signature: [[0, "060e2b34"]] },
] as const;

/** Progress reports of clients: their events and interval. */
export const PROGRESS = {
  "toldEverySeconds": 30,
  "counted": ["aborted", "failed", "partRetried", "partsDiffered", "processing", "uploadBegan"],
  "maxEvents": 25,
  "maxPartNumbers": 20,
  "maxFailures": 1000,
};

/** Parts that one call signs. */
export const MAX_SIGNED_PARTS = 500;

export type ErrorCode =
  | "checksum_mismatch"
  | "empty_file"
  | "file_too_large"
  | "forbidden"
  | "gateway_timeout"
  | "index_missing"
  | "internal_error"
  | "invalid_json"
  | "invalid_request"
  | "link_expired"
  | "link_maker_full"
  | "link_not_found"
  | "link_revoked"
  | "link_used_up"
  | "method_not_allowed"
  | "part_mismatch"
  | "part_too_small"
  | "parts_incomplete"
  | "request_too_large"
  | "reserved_bytes_exceeded"
  | "route_not_found"
  | "size_mismatch"
  | "stage_full"
  | "storage_forbidden"
  | "storage_unavailable"
  | "stored_bytes_exceeded"
  | "too_many_links"
  | "too_many_open_uploads"
  | "too_many_requests"
  | "too_many_stored_videos"
  | "unauthorized"
  | "unsupported_video_type"
  | "upload_aborted"
  | "upload_completed"
  | "upload_completing"
  | "upload_expired"
  | "upload_not_found"
  | "upload_starting"
  | "video_not_found";
