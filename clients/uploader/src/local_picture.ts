/** A picture of a video that is still on the person's disk. */

import { pause } from "./waiting";

const WIDTH_PIXELS = 128;
const HEIGHT_PIXELS = 72;
const PATIENCE_MS = 5000;
const DRAWN_AGAIN_AFTER_MS = 100;
const MAX_TRIES = 10;
/** Many films begin in black. */
const SECONDS_IN = 1;

/** One at a time: decoding must not take the processor from sending. */
let before: Promise<unknown> = Promise.resolve();

/** The picture, or null where the browser cannot play the file or the page's policy forbids it. */
export function localPicture(file: File): Promise<HTMLCanvasElement | null> {
  const picture = before.then(() => draw(file)).catch(() => null);
  before = picture;
  return picture;
}

async function draw(file: File): Promise<HTMLCanvasElement | null> {
  const video = document.createElement("video");
  const url = URL.createObjectURL(file);
  try {
    video.muted = true;
    video.preload = "auto";
    video.src = url;
    await heard(video, "loadeddata");
    if (!video.videoWidth) return null; // sound alone
    video.currentTime = Math.min(SECONDS_IN, video.duration / 2);
    await heard(video, "seeked");
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const picture = drawn(video);
      if (picture) return picture;
      await pause(DRAWN_AGAIN_AFTER_MS);
    }
    return null;
  } finally {
    video.removeAttribute("src");
    video.load(); // lets go of the decoder
    URL.revokeObjectURL(url);
  }
}

/** Cut so that it fills the frame; null while the browser has no picture, which it may not have yet after a seek. */
function drawn(video: HTMLVideoElement): HTMLCanvasElement | null {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH_PIXELS;
  canvas.height = HEIGHT_PIXELS;
  const { videoWidth, videoHeight } = video;
  const scale = Math.max(WIDTH_PIXELS / videoWidth, HEIGHT_PIXELS / videoHeight);
  const [width, height] = [videoWidth * scale, videoHeight * scale];
  const context = canvas.getContext("2d", { willReadFrequently: true }); // stays in memory: the picture is tiny
  context?.drawImage(video, (WIDTH_PIXELS - width) / 2, (HEIGHT_PIXELS - height) / 2, width, height);
  const centre = context?.getImageData(WIDTH_PIXELS / 2, HEIGHT_PIXELS / 2, 1, 1).data;
  return centre?.[3] ? canvas : null;
}

function heard(video: HTMLVideoElement, name: "loadeddata" | "seeked"): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, PATIENCE_MS, new Error("no picture in time"));
    const over = (settle: () => void) => () => {
      clearTimeout(timer);
      settle();
    };
    video.addEventListener(name, over(resolve), { once: true });
    video.addEventListener(
      "error",
      over(() => reject(video.error)),
      { once: true },
    );
  });
}
