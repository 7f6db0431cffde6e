/** What all parts of the page share: its elements, its live region, its banner, its two dialogs. */

/** @param {string} id @returns {any} */
export function byId(id) {
  return document.getElementById(id);
}

/** @param {string} templateId @returns {HTMLElement} */
export function fromTemplate(templateId) {
  return byId(templateId).content.firstElementChild.cloneNode(true);
}

/** @param {string} text read out by screen readers */
export function announce(text) {
  byId("live").textContent = text;
}

/** @param {string} text @param {{label: string, run: () => void}} [action] */
export function showBanner(text, action) {
  // An offer stays until it is taken or closed: the errors that follow from the same cause must not hide it.
  if (!action && !byId("banner").hidden && !byId("banner-action").hidden) return;
  byId("banner-text").textContent = text;
  byId("banner-action").hidden = !action;
  byId("banner-action").textContent = action?.label ?? "";
  byId("banner-action").onclick = () => {
    hideBanner();
    action?.run();
  };
  byId("banner-close").onclick = hideBanner;
  byId("banner").hidden = false;
}

export function hideBanner() {
  byId("banner").hidden = true;
}

/**
 * @param {{title: string, text: string, yes: string, no?: string}} question
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text, yes, no = "Keep it" }) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  byId("confirm-yes").textContent = yes;
  byId("confirm-no").textContent = no;
  dialog.returnValue = "no";
  dialog.showModal();
  byId("confirm-no").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/**
 * @param {string} title
 * @param {string} url
 * @param {() => Promise<string | null>} freshUrl when the first one ended while the video was paused
 */
export function play(title, url, freshUrl) {
  const dialog = byId("player");
  const video = byId("player-video");
  const problem = byId("player-problem");
  byId("player-title").textContent = title;
  problem.hidden = true;
  let retried = false;
  video.onerror = async () => {
    const again = retried ? null : await freshUrl().catch(() => null);
    if (!dialog.open) return;
    if (again) {
      retried = true;
      const at = video.currentTime;
      video.src = again;
      video.currentTime = at;
      return;
    }
    problem.textContent = "Your browser cannot play this kind of video.";
    problem.hidden = false;
  };
  dialog.onclose = () => {
    video.onerror = null;
    video.removeAttribute("src");
    video.load();
  };
  byId("player-close").onclick = () => dialog.close();
  video.src = url;
  dialog.showModal();
  video.play().catch(() => {}); // a browser may want a click first: the controls are there
}
