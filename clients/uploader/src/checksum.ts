/** CRC64NVME of files, computed in a worker so that neither the page nor the upload waits for it. */

export interface ChecksumRequest {
  file: Blob;
  /** when given, each part is summed as well */
  partSizeBytes?: number;
}

export interface Checksums {
  whole: string;
  parts: string[];
}

/** The sums of a file, under way. */
export interface Summing {
  within(milliseconds: number): Promise<Checksums | null>;
  stop(): void;
}

export type Sum = (request: ChecksumRequest) => Summing;

export class ChecksumJob implements Summing {
  readonly #worker: Worker | null;
  readonly #done: Promise<Checksums | null>;

  /** workerUrl: of checksum_worker.js; beside this module where it is not given. */
  constructor(request: ChecksumRequest, workerUrl = "") {
    const worker = started(workerUrl);
    this.#worker = worker;
    this.#done = new Promise((resolve) => {
      if (!worker) return resolve(null);
      worker.onmessage = ({ data }: MessageEvent<Checksums>) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(null);
      };
    });
    this.#done.then(() => this.stop());
    worker?.postMessage(request);
  }

  /** The checksums, or null when the file cannot be read or they take longer than that. */
  async within(milliseconds: number): Promise<Checksums | null> {
    const late = new Promise<null>((resolve) => setTimeout(resolve, milliseconds, null));
    return Promise.race([this.#done, late]);
  }

  stop(): void {
    this.#worker?.terminate();
  }
}

/** null where the browser refuses: a worker's script has to come from the page's own origin. */
function started(url: string): Worker | null {
  try {
    if (url) return new Worker(url, { type: "module" });
    return new Worker(new URL("./checksum_worker.ts", import.meta.url), { type: "module" });
  } catch {
    return null;
  }
}
