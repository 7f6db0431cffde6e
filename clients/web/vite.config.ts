import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2023",
    // The Content-Security-Policy allows files of this site alone, no data: scripts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
    rolldownOptions: { input: ["index.html", "signed-in.html"] },
  },
  worker: { format: "es" },
});
