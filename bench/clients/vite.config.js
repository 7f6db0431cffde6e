export default { build: { rollupOptions: { input: ["uppy.html", "upchunk.html", "raw.html"] } } };
