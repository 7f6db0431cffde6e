// The limit: parts by fetch, as many at once as a browser opens connections to one server, and nothing else.
const PART_BYTES = 5 * 1024 * 1024;
const AT_ONCE = 6;

globalThis.outcome = { done: 0, failed: 0 };

async function sign(request) {
  const response = await fetch("/sign", { method: "POST", body: JSON.stringify(request) });
  return (await response.json()).url;
}

async function urlsOfParts(key, count) {
  const created = await fetch(await sign({ method: "POST", key }), { method: "POST" });
  const uploadId = /<UploadId>(.*)<\/UploadId>/.exec(await created.text())[1];
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  return Promise.all(numbers.map((partNumber) => sign({ method: "PUT", key, uploadId, partNumber })));
}

document.querySelector("input").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  const urls = await urlsOfParts(crypto.randomUUID(), Math.ceil(file.size / PART_BYTES));
  globalThis.begin();
  const parts = urls.entries();
  const sendParts = async () => {
    for (const [index, url] of parts) {
      const body = file.slice(index * PART_BYTES, (index + 1) * PART_BYTES);
      const { ok } = await fetch(url, { method: "PUT", body });
      if (!ok) globalThis.outcome.failed += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendParts));
  globalThis.outcome.done += 1;
});
