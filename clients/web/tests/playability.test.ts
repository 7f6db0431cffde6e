import type { Media, Playability } from "video-uploader/contract";
import { describe, expect, test } from "vitest";
import { obstacle } from "../src/playability";

const NONE = () => "";
const ANY = () => "probably";

function media(codec: string, playability?: Playability, more: { profile?: string; sound?: string } = {}): Media {
  const picture = { width: 640, height: 360, rotationDegrees: 0 as const, frameRate: 25 };
  const audio = more.sound ? { codec: more.sound, channels: 2, sampleRateHz: 48000 } : null;
  const video = { codec, profile: more.profile ?? null, ...picture };
  return { container: "mp4", durationSeconds: 2, bitRateBitsPerSecond: null, video, audio, playability };
}

function some(part: "video" | "container" | "audio", name: string): Playability {
  return { browsers: "some", obstacle: { part, name } };
}

describe("what stands in the way of playing", () => {
  test("nothing is known before the facts are", () => {
    expect(obstacle(null, NONE)).toBeNull();
  });

  test("what all browsers play is not asked for", () => {
    expect(obstacle(media("h264", { browsers: "all", obstacle: null }), NONE)).toBeNull();
  });

  test("what no browser plays is not asked for, and told as the record names it", () => {
    const avi = { part: "container", name: "AVI" } as const;
    expect(obstacle(media("h264", { browsers: "none", obstacle: avi }), ANY)).toBe(avi);
  });

  test("where browsers differ, this one is asked, with the profile", () => {
    const asked: string[] = [];
    const ask = (answer: string) => (type: string) => {
      asked.push(type);
      return answer;
    };
    const hevc = media("hevc", some("video", "HEVC (H.265)"), { profile: "Main 10" });
    expect(obstacle(hevc, ask("probably"))).toBeNull();
    expect(obstacle(hevc, ask(""))?.name).toBe("HEVC (H.265)");
    expect(new Set(asked)).toEqual(new Set(['video/mp4; codecs="hvc1.2.4.L93.B0"']));
  });

  test("a container that some browsers open is tried", () => {
    expect(obstacle(media("h264", some("container", "QuickTime")), NONE)).toBeNull();
  });

  test("sound that this browser does not play is told", () => {
    const dolby = media("h264", some("audio", "Dolby Digital (AC-3)"), { sound: "ac3" });
    expect(obstacle(dolby, NONE)?.part).toBe("audio");
    expect(obstacle(dolby, (type) => (type.includes("ac-3") ? "maybe" : ""))).toBeNull();
  });

  test("a record of version 0.1 is judged by its codec", () => {
    expect(obstacle(media("h264"), () => "maybe")).toBeNull();
    expect(obstacle(media("hevc"), NONE)).toEqual({ part: "video", name: "HEVC" });
    expect(obstacle(media("prores"), ANY)?.name).toBe("PRORES");
    expect(obstacle(media("constructor"), ANY)?.name).toBe("CONSTRUCTOR");
  });
});
