/**
 * Keeps the shell of the page (its document, scripts, styles, icons), so that it opens at once and without a line.
 * Never touches the API, config.json or other origins: sessions are not kept, and no videos but those that other apps
 * share with the installed page.
 */

const SHELL = "shell-1";
/** As in src/shared_videos.ts, which reads it. */
const SHARED = "shared-1";
const SHARE = "/share";
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
  if (request.method === "POST" && url.origin === location.origin && url.pathname === SHARE) {
    event.respondWith(received(request));
    return;
  }
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith(NAMED_BY_CONTENT)) event.respondWith(kept(request));
  else if (ASKED_EACH_TIME.has(url.pathname)) event.respondWith(fresh(request, url.pathname));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openPage());
});

/** The tab that is there, or a new one. */
async function openPage() {
  const [open] = await clients.matchAll({ type: "window" });
  return open ? open.focus() : clients.openWindow("/");
}

/** The page takes them up from here. */
async function received(request) {
  try {
    const cache = await caches.open(SHARED);
    for (const file of (await request.formData()).getAll("videos")) {
      const headers = {
        "Content-Type": file.type,
        "X-File-Name": encodeURIComponent(file.name),
        "X-Last-Modified": String(file.lastModified),
      };
      await cache.put(`${SHARE}/${crypto.randomUUID()}`, new Response(file, { headers }));
    }
    return Response.redirect("/", 303);
  } catch {
    return Response.redirect("/?share=failed", 303); // no room for it, say
  }
}

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
