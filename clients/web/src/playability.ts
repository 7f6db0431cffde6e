/** Obstacles to playing a video in this browser: by the facts of its record, and canPlayType where browsers differ. */

import type { Media, Obstacle, Video } from "video-uploader/contract";
import { language } from "./language";

/** Codec, perhaps with its profile, as the API names them → the type to ask for (RFC 6381). */
const PROBES: Record<string, string> = {
  h264: 'video/mp4; codecs="avc1.640028"',
  "h264 High 10": 'video/mp4; codecs="avc1.6E0028"',
  "h264 High 4:2:2": 'video/mp4; codecs="avc1.7A0028"',
  "h264 High 4:4:4 Predictive": 'video/mp4; codecs="avc1.F40028"',
  hevc: 'video/mp4; codecs="hvc1.1.6.L93.B0"',
  "hevc Main 10": 'video/mp4; codecs="hvc1.2.4.L93.B0"',
  av1: 'video/mp4; codecs="av01.0.05M.08"',
  vp8: 'video/webm; codecs="vp8"',
  vp9: 'video/webm; codecs="vp09.00.10.08"',
  "vp9 Profile 2": 'video/webm; codecs="vp09.02.10.10"',
  mpeg1video: 'video/mpeg; codecs="mp1v"',
  mpeg2video: 'video/mp4; codecs="mp4v.61"',
  theora: 'video/ogg; codecs="theora"',
};
const SOUND_PROBES: Record<string, string> = {
  ac3: 'audio/mp4; codecs="ac-3"',
  eac3: 'audio/mp4; codecs="ec-3"',
  alac: 'audio/mp4; codecs="alac"',
};

/** canPlay: HTMLMediaElement.canPlayType. Returns what stands in the way, null where nothing is known to. */
export function obstacle(media: Media | null, canPlay: (type: string) => string): Obstacle | null {
  if (!media) return null;
  const { playability, video, audio } = media;
  if (playability?.browsers === "all") return null;
  if (playability?.browsers === "none") return playability.obstacle;
  const kind = playability?.obstacle;
  if (kind?.part === "container") return null; // the browser looks inside, whatever it says of the type
  if (kind?.part === "audio") return plays(canPlay, SOUND_PROBES, [audio?.codec ?? ""]) ? null : kind;
  // Version 0.1 recorded the codec alone.
  const named = kind ?? { part: "video", name: video.codec.toUpperCase() };
  return plays(canPlay, PROBES, [`${video.codec} ${video.profile}`, video.codec]) ? null : named;
}

function plays(canPlay: (type: string) => string, probes: Record<string, string>, names: string[]): boolean {
  const known = names.find((name) => Object.hasOwn(probes, name));
  const probe = known && probes[known];
  return probe ? canPlay(probe) !== "" : false;
}

/** The sentence for card and player. */
export function cannotPlay({ part, name }: Obstacle): string {
  return language.text(part === "audio" ? "player.silent" : "player.unplayable", { obstacle: name });
}

let probe: HTMLVideoElement | undefined;

/** Ask this browser. What every browser plays instead of the file meets no obstacle. */
export function obstacleOf({ media, rendition }: Pick<Video, "media" | "rendition">): Obstacle | null {
  if (rendition?.state === "ready") return null;
  probe ??= document.createElement("video");
  const asked = probe;
  return obstacle(media, (type) => asked.canPlayType(type));
}
