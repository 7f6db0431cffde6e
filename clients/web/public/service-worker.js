/**
 * Keeps the shell of the page (its document, scripts, styles, icons), so that it opens at once and without a line.
 * Never touches the API, config.json or other origins: videos and sessions are not kept.
 */

const SHELL = "shell-1";
const DOCUMENT = "/";
const NAMED_BY_CONTENT = "/assets/";
const ASKED_EACH_TIME = new Set([DOCUMENT, "/icon.svg", "/icon-maskable.svg", "/manifest.json"]);

addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.add(DOCUMENT)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  event.waitUntil(clients.claim());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith(NAMED_BY_CONTENT)) event.respondWith(kept(request));
  else if (ASKED_EACH_TIME.has(url.pathname)) event.respondWith(fresh(request, url.pathname));
});

/** Content never changes under its name. */
async function kept(request) {
  const cache = await caches.open(SHELL);
  const known = await cache.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

/** The newest while there is a line; the answer of a sign-in stays out of the cache's keys. */
async function fresh(request, path) {
  const cache = await caches.open(SHELL);
  try {
    const answer = await fetch(request);
    if (answer.ok) {
      await cache.put(path, answer.clone());
      if (path === DOCUMENT) await dropOld(cache, await answer.clone().text());
    }
    return answer;
  } catch (error) {
    const known = await cache.match(path);
    if (known) return known;
    throw error;
  }
}

/** What an earlier build brought. Chunks that the document does not name itself come back when they are asked for. */
async function dropOld(cache, text) {
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith(NAMED_BY_CONTENT) && !text.includes(pathname)) await cache.delete(request);
  }
}
