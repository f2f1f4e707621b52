// The editor: asks what is wrong when typing pauses, and shows it. Without it there is a button that does the same.

const area = document.getElementById("source");
const found = document.getElementById("found");
const PAUSE_MS = 400;
let timer = 0;
let asked = 0;

async function check() {
  const mine = ++asked;
  found.setAttribute("aria-busy", "true");
  try {
    const body = new URLSearchParams(new FormData(area.form));
    const answer = await fetch("/editor/found", { method: "POST", body, redirect: "error" });
    if (mine !== asked || !answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("found");
    if (fresh) found.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
  } catch {
    // The button is still there.
  } finally {
    if (mine === asked) found.removeAttribute("aria-busy");
  }
}

area?.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(check, PAUSE_MS); });

// A diagnostic leads to its place in the text.
found?.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-line]") : null;
  if (!link || !area) return;
  event.preventDefault();
  const lines = area.value.split("\n");
  const line = Number(link.dataset.line) - 1;
  const start = lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, 0) + Number(link.dataset.column) - 1;
  area.focus();
  area.setSelectionRange(start, start);
  area.scrollTop = Math.max(0, line - 4) * parseFloat(getComputedStyle(area).lineHeight);
});
