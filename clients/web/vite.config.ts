import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";
import de from "./src/texts/de.json" with { type: "json" };
import en from "./src/texts/en.json" with { type: "json" };

const TEXTS: Record<string, Record<string, unknown>> = { de, en };

/** Fills `<!-- part:NAME -->` in a document: what several documents have, from `parts/`. */
const partsOfDocument: Plugin = {
  name: "parts-of-document",
  transformIndexHtml: {
    // Before Vite looks for styles and scripts.
    order: "pre",
    handler: (html) =>
      html.replace(/<!-- part:(\w+) -->\n/g, (_, name: string) =>
        readFileSync(`${import.meta.dirname}/parts/${name}.html`, "utf8"),
      ),
  },
};

/** Fills `%en:KEY%` in a document: what is read before, or without, the script that knows the language. */
const textsOfDocument: Plugin = {
  name: "texts-of-document",
  transformIndexHtml: (html) =>
    html.replace(/%(\w+):([\w.]+)%/g, (_, name: string, key: string) => {
      const text = TEXTS[name]?.[key];
      if (typeof text !== "string") throw new Error(`no text ${key} in ${name}`);
      return text;
    }),
};

export default defineConfig({
  plugins: [partsOfDocument, textsOfDocument],
  build: {
    target: "es2023",
    // The Content-Security-Policy allows files of this site alone, no data: scripts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
    rolldownOptions: { input: ["index.html", "signed-in.html", "account.html"] },
  },
  worker: { format: "es" },
});
