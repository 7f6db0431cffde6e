/** Whether this browser shows the picture of a video: canPlayType, asked with a typical profile of each codec. */

import type { Media } from "video-uploader/contract";
import { language } from "./language";

/** Codec as the API names it → the type to ask for (RFC 6381); an ordinary profile, 8 bits a sample. */
const PROBES: Record<string, string> = {
  h264: 'video/mp4; codecs="avc1.640028"',
  hevc: 'video/mp4; codecs="hvc1.1.6.L93.B0"',
  av1: 'video/mp4; codecs="av01.0.05M.08"',
  vp8: 'video/webm; codecs="vp8"',
  vp9: 'video/webm; codecs="vp09.00.10.08"',
  theora: 'video/ogg; codecs="theora"',
};

const NAMES: Record<string, string> = {
  h264: "H.264",
  hevc: "HEVC (H.265)",
  av1: "AV1",
  mpeg4: "MPEG-4 Part 2",
  mpeg2video: "MPEG-2",
  mjpeg: "Motion JPEG",
  prores: "ProRes",
};

/** Containers that no browser opens, whatever is inside. */
const UNPLAYABLE_CONTAINERS: ReadonlySet<string> = new Set(["avi"]);

/** canPlay: HTMLMediaElement.canPlayType. Returns what stands in the way ("HEVC (H.265)"), null where nothing does. */
export function obstacle(media: Media | null, canPlay: (type: string) => string): string | null {
  if (!media) return null;
  const { codec } = media.video;
  const probe = Object.hasOwn(PROBES, codec) ? PROBES[codec] : undefined;
  if (!probe || canPlay(probe) === "") return (Object.hasOwn(NAMES, codec) && NAMES[codec]) || codec.toUpperCase();
  return UNPLAYABLE_CONTAINERS.has(media.container) ? media.container.toUpperCase() : null;
}

/** The sentence for card and player. */
export function cannotPlay(obstacle: string): string {
  return language.text("player.unplayable", { obstacle });
}

let probe: HTMLVideoElement | undefined;

/** Ask this browser. */
export function obstacleHere(media: Media | null): string | null {
  probe ??= document.createElement("video");
  const asked = probe;
  return obstacle(media, (type) => asked.canPlayType(type));
}
