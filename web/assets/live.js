// Keeps a page fresh: one stream of topics per browser, whatever the number of tabs; who holds the lock listens and tells the others.
// It knows no page: parts that may change carry an id and data-live, and are fetched anew from the page's own address.

const stale = document.getElementById("stale");
const live = document.querySelectorAll("[data-live]").length > 0;
const channel = "BroadcastChannel" in window ? new BroadcastChannel("kentai") : null;
const AGAIN_MS = 1000;
let paused = sessionStorage.getItem("paused") === "yes";
let wanted = false;
let busy = false;
let last = 0;
let heard = Date.now();

function topics() {
  return [...document.querySelectorAll("[data-live]")].flatMap((part) => part.dataset.live.split(" ").filter(Boolean));
}

function concerns(changed) {
  return changed.includes("*") || topics().some((topic) => changed.includes(topic));
}

function inUse(part) {
  return part.matches(":hover") || part.contains(document.activeElement);
}

// A row under the pointer never moves: the part waits until the pointer or the focus has left it.
function put(old, fresh) {
  const replace = () => {
    const before = new Set([...old.querySelectorAll("tr[id]")].map((row) => row.id + row.textContent));
    for (const row of fresh.querySelectorAll("tr[id]")) {
      if (!before.has(row.id + row.textContent)) row.classList.add("changed");
    }
    old.replaceWith(fresh);
  };
  if (!inUse(old)) return replace();
  old.dataset.newer = "yes";
  const when = () => { if (!inUse(old) && old.isConnected) { old.removeEventListener("pointerleave", later); old.removeEventListener("focusout", later); replace(); } };
  const later = () => setTimeout(when, 0);
  old.addEventListener("pointerleave", later);
  old.addEventListener("focusout", later);
}

async function refresh() {
  if (paused || busy || document.hidden) { wanted = true; return; }
  busy = true;
  wanted = false;
  last = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const fresh of page.querySelectorAll("[data-live][id]")) {
      const old = document.getElementById(fresh.id);
      if (old && old.outerHTML !== fresh.outerHTML) put(old, document.importNode(fresh, true));
    }
    document.documentElement.dataset.refreshed = String(Number(document.documentElement.dataset.refreshed ?? 0) + 1);
  } catch {
    wanted = true;
  } finally {
    busy = false;
    if (wanted) setTimeout(() => wanted && refresh(), AGAIN_MS);
  }
}

function changed(list) {
  heard = Date.now();
  if (!concerns(list)) return;
  const wait = Math.max(0, last + AGAIN_MS - Date.now());
  if (!wanted) { wanted = true; setTimeout(() => wanted && refresh(), Math.min(wait, AGAIN_MS)); }
}

function hear(message) {
  heard = Date.now();
  if (message.changed) changed(message.changed);
}

function listen() {
  const source = new EventSource("/events");
  const tell = (message) => { hear(message); channel?.postMessage(message); };
  source.addEventListener("changed", (event) => tell({ changed: JSON.parse(event.data).topics }));
  source.addEventListener("alive", () => tell({}));
  source.addEventListener("open", () => tell({ changed: ["*"] }));
  return new Promise((done) => addEventListener("pagehide", () => { source.close(); done(); }));
}

if (live) {
  channel?.addEventListener("message", (event) => hear(event.data));
  if (channel && navigator.locks) navigator.locks.request("kentai-live", listen);
  else listen();
  document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted) refresh(); });
  setInterval(() => {
    const silent = Date.now() - heard > 45_000;
    if (stale) stale.hidden = !silent;
    document.documentElement.dataset.connection = silent ? "stale" : "live";
  }, 1000);
  const pause = document.getElementById("pause");
  if (pause) {
    pause.hidden = false;
    const say = () => { pause.textContent = paused ? pause.dataset.resume : pause.dataset.pause; pause.setAttribute("aria-pressed", String(paused)); };
    say();
    pause.addEventListener("click", () => {
      paused = !paused;
      sessionStorage.setItem("paused", paused ? "yes" : "no");
      say();
      if (!paused && wanted) refresh();
    });
  }
}

// A button that prints; without a script it is not there, and the browser's own menu prints the same.
for (const button of document.querySelectorAll("[data-print-page]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
