/** Asks for the page again and again and takes over its live parts; all else stays, so that nothing that somebody has
 * opened or focused is lost. */

const PAUSE_MS = 2000;
const PATIENCE_MS = 10000;
const trouble = document.getElementById("trouble");

for (;;) {
  await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  if (document.visibilityState !== "visible") continue;
  try {
    await refresh();
    trouble.hidden = true;
  } catch (error) {
    trouble.textContent = `The platform does not answer (${error.message}). What stands here is from before.`;
    trouble.hidden = false;
  }
  document.body.classList.toggle("stale", !trouble.hidden);
}

async function refresh() {
  const answer = await fetch("/status", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelectorAll("[data-live]");
  document.querySelectorAll("[data-live]").forEach((part, index) => part.replaceChildren(...fresh[index].childNodes));
}
