// A run's page: printing, and arrow keys that follow the order of the steps. Links work without it.

const print = document.getElementById("print");
function offer(button) { button.hidden = false; button.addEventListener("click", () => window.print()); }
if (print) offer(print);
// The title is replaced when something changes: its button is offered anew. Questions are no live part, so that nobody's half-typed
// reason is replaced: when others are asked, and nothing was typed, the page is made anew.
new MutationObserver(() => {
  const button = document.getElementById("print");
  if (button?.hidden) offer(button);
  const shown = [...document.querySelectorAll("section.question")];
  const asked = document.getElementById("title")?.dataset.asks ?? "";
  const typed = shown.some((part) => part.contains(document.activeElement) || [...part.querySelectorAll("textarea, input:checked")].some((field) => field.value));
  if (asked !== shown.map((part) => part.id).join(" ") && !typed) location.reload();
}).observe(document.getElementById("main"), { childList: true });

const STEP = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
document.addEventListener("keydown", (event) => {
  const node = event.target instanceof Element ? event.target.closest("#dag .node") : null;
  if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
  const nodes = [...document.querySelectorAll("#dag .node")];
  const at = nodes.indexOf(node);
  const to = event.key === "Home" ? 0 : event.key === "End" ? nodes.length - 1 : at + (STEP[event.key] ?? 0);
  if (to === at || !nodes[to]) return;
  event.preventDefault();
  nodes[to].focus();
});
