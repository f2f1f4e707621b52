// Follows a log: asks for what came since, appends it, and stays at the end unless the reader has scrolled away. Without it there is a
// link to what is newer.

const log = document.getElementById("log");
const AGAIN_MS = 1000;
const IDLE_MS = 5000;

function atEnd() { return log.scrollHeight - log.scrollTop - log.clientHeight < 24; }

async function follow() {
  let wait = AGAIN_MS;
  for (;;) {
    if (document.hidden) await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
    try {
      const answer = await fetch(`${log.dataset.part}&offset=${log.dataset.next}`, { redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const text = await answer.text();
      const end = atEnd();
      if (text) {
        log.append(document.createTextNode(text));
        if (end) log.scrollTop = log.scrollHeight;
      }
      log.dataset.next = answer.headers.get("kentai-log-next") ?? log.dataset.next;
      if (answer.headers.get("kentai-log-final") === "true") {
        log.dataset.final = "true";
        if (!log.textContent) log.textContent = log.dataset.empty;
        const note = document.getElementById("log-note");
        if (note) note.textContent = log.dataset.ended;
        return;
      }
      wait = text ? AGAIN_MS : Math.min(wait * 1.5, IDLE_MS);
    } catch {
      wait = IDLE_MS;
    }
    await new Promise((done) => setTimeout(done, wait));
  }
}

if (log?.dataset.part) {
  const offset = new URLSearchParams(location.search).has("offset");
  if (!offset) log.scrollTop = log.scrollHeight;
  if (log.dataset.final === "false") {
    document.getElementById("newer")?.remove();
    follow();
  }
}
