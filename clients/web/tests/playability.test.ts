import type { Media } from "video-uploader/contract";
import { describe, expect, test } from "vitest";
import { obstacle } from "../src/playability";

function media(codec: string, container = "mp4"): Media {
  const video = { codec, width: 640, height: 360, rotationDegrees: 0 as const, frameRate: 25 };
  return { container, durationSeconds: 2, video, audio: null } as Media;
}

describe("what stands in the way of playing", () => {
  test("nothing is known before the facts are", () => {
    expect(obstacle(null, () => "")).toBeNull();
  });

  test("a codec that the browser says it may play is no obstacle", () => {
    expect(obstacle(media("hevc"), (type) => (type.includes("hvc1") ? "probably" : ""))).toBeNull();
    expect(obstacle(media("h264"), () => "maybe")).toBeNull();
  });

  test("a codec that it does not play is named as people know it", () => {
    expect(obstacle(media("hevc"), () => "")).toBe("HEVC (H.265)");
  });

  test("a codec that no browser has is not asked for", () => {
    expect(obstacle(media("prores"), () => "probably")).toBe("ProRes");
    expect(obstacle(media("cinepak"), () => "probably")).toBe("CINEPAK");
    expect(obstacle(media("constructor"), () => "probably")).toBe("CONSTRUCTOR");
  });

  test("a container that no browser opens is named", () => {
    expect(obstacle(media("h264", "avi"), () => "probably")).toBe("AVI");
    expect(obstacle(media("h264", "matroska"), () => "probably")).toBeNull();
  });
});
