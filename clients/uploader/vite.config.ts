import { defineConfig, type Plugin } from "vite";
import de from "./src/texts/de.json" with { type: "json" };
import en from "./src/texts/en.json" with { type: "json" };

const WORKER = 'new URL("./checksum_worker.ts"';
const LEFT_ALONE = "/* @vite-ignore */ ";
/** Form in which the minifier writes it. */
const LEFT = /\/\* @vite-ignore \*\/\s*[`"](\.\/checksum_worker\.js)[`"]/;

/** Leaves the worker's address to the bundler of the page around: a plain page finds the file beside this one. */
const workerBeside: Plugin = {
  name: "worker-beside",
  enforce: "pre",
  transform(code, id) {
    if (!id.endsWith("/checksum.ts")) return;
    if (!code.includes(WORKER)) this.error("checksum.ts starts its worker in another way");
    return code.replace(WORKER, `new URL(${LEFT_ALONE}"./checksum_worker.js"`);
  },
  generateBundle(_, bundle) {
    const chunk = bundle["video-uploader.js"];
    if (chunk?.type !== "chunk" || !LEFT.test(chunk.code)) this.error("the worker's address is written in another way");
    // The next bundler is to look at it.
    chunk.code = chunk.code.replace(LEFT, '"$1"');
  },
};

/** The keys of the texts are types. */
const textsForTypes: Plugin = {
  name: "texts-for-types",
  generateBundle() {
    for (const [name, texts] of Object.entries({ de, en })) {
      this.emitFile({ type: "asset", fileName: `types/texts/${name}.json`, source: JSON.stringify(texts, null, 2) });
    }
  },
};

export default defineConfig({
  plugins: [workerBeside, textsForTypes],
  build: {
    target: "es2023",
    cssTarget: ["chrome123", "firefox120", "safari17.5"], // light-dark() stays as it is
    lib: {
      entry: { "video-uploader": "src/index.ts", checksum_worker: "src/checksum_worker.ts" },
      formats: ["es"],
    },
    rolldownOptions: { output: { minify: true } },
  },
});
