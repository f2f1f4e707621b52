// People and files write what they like into every field: nothing of it is ever more than text. Every page that can be reached is opened
// in Chromium with its scripts on, and every page that takes words is given hostile ones by its address, too.

import { readFileSync } from "node:fs";
import { context, end, kind, must, open, people, url, wrong } from "./browser.mjs";

const vectors = readFileSync(new URL("./hostile.txt", import.meta.url), "utf8").split("\n").filter(Boolean);
const role = process.env.KENTAI_ROLE ?? "everything";
const start = JSON.parse(process.env.KENTAI_START ?? `["/", "/wall", "/settings", "/search?q=x", "/runs"]`);
// Names under which pages take words from their address; a page that refuses one is looked at all the same.
const NAMES = ["q", "status", "specimen", "after", "back", "reason", "at", "thing"];
const browser = await open();
const made = await context(browser, role);
await made.addInitScript(() => {
  addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
});
const tab = await made.newPage();
let path = "";
let expected = 200;
const about = () => path.slice(0, 160);
tab.on("dialog", async (dialog) => { wrong(`${about()}: a dialog opened: ${dialog.message()}`); await dialog.dismiss().catch(() => {}); });
tab.on("pageerror", (error) => wrong(`${about()}: a script failed: ${error.message}`));
tab.on("popup", () => wrong(`${about()}: a window opened`));
tab.on("console", (message) => {
  const refused = /^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text());
  if (message.type() === "error" && !(refused && expected !== 200)) wrong(`${about()}: the console says ${message.text()}`);
});
made.on("request", (request) => {
  if (!request.url().startsWith(`${url}/`)) wrong(`${about()}: asks for ${request.url()}`);
});

let shown = 0;
let looked = 0;
const seen = new Set();

// What Chromium made of the page: nothing that a field's words could have brought along.
async function look(next, status) {
  path = next;
  expected = status;
  const answer = await tab.goto(url + next, { waitUntil: "load" });
  looked += 1;
  const type = answer.headers()["content-type"] ?? "";
  if (!type.startsWith("text/html")) return [];
  if (status === 200) must(answer.status() === 200, `${about()}: ${answer.status()}`);
  else must(answer.status() < 500, `${about()}: ${answer.status()}`);
  const facts = await tab.evaluate((vectors) => ({
    hit: window.__hit,
    here: location.href,
    injected: document.querySelectorAll("#injected, iframe, object, embed, base, style, video, audio, marquee, math, [srcdoc], [xlink\\:href]").length,
    handlers: [...document.querySelectorAll("*")].filter((one) => [...one.attributes].some((held) => /^on/i.test(held.name))).length,
    scripts: [...document.scripts].filter((one) => !one.src.startsWith(`${location.origin}/assets/`)).length,
    images: [...document.images].filter((one) => !one.src.startsWith(`${location.origin}/`)).length,
    links: [...document.querySelectorAll("[href], [action], [src], [formaction]")].flatMap((one) =>
      ["href", "action", "src", "formaction"].map((name) => one.getAttribute(name)).filter((at) => at !== null))
      .filter((at) => /^\s*(javascript|data|vbscript):/i.test(at) || /^\s*(https?:)?\/\/evil/i.test(at)),
    vectors: vectors.filter((one) => document.documentElement.textContent.includes(one)
      || [...document.querySelectorAll("input, textarea")].some((field) => field.value.includes(one))),
    hrefs: [...document.querySelectorAll("a[href]")].filter((one) => !one.hasAttribute("download")).map((one) => new URL(one.getAttribute("href"), location.href).href),
  }), vectors);
  must(facts.hit === undefined, `${about()}: vector ${facts.hit} ran`);
  must(facts.here.startsWith(`${url}/`), `${about()}: led to ${facts.here}`);
  must(facts.injected === 0, `${about()}: ${facts.injected} elements that no page has`);
  must(facts.handlers === 0, `${about()}: ${facts.handlers} elements with handlers`);
  must(facts.scripts === 0, `${about()}: ${facts.scripts} scripts that are not ours`);
  must(facts.images === 0, `${about()}: ${facts.images} images from elsewhere`);
  must(facts.links.length === 0, `${about()}: leads to ${facts.links.slice(0, 3)}`);
  for (const one of facts.vectors) seen.add(one);
  shown += facts.vectors.length;
  return facts.hrefs;
}

// Every page that can be reached, and of each kind several: rows differ.
const OF_A_KIND = 6;
const skip = /^\/(sign-out|language|theme|api|deliveries|ga4gh|healthz|assets)/;
const known = new Map();
const done = new Set();
const waiting = [...start];
const reached = [];
while (waiting.length > 0) {
  const next = waiting.shift();
  if (done.has(next)) continue;
  done.add(next);
  const count = known.get(kind(next)) ?? 0;
  if (count >= OF_A_KIND) continue;
  known.set(kind(next), count + 1);
  const head = await made.request.get(url + next, { maxRedirects: 0 });
  if (!(head.headers()["content-type"] ?? "").startsWith("text/html")) continue;
  // That links lead somewhere is for pages.mjs to look at.
  const hrefs = await look(next, head.status());
  reached.push(next);
  for (const href of hrefs.filter((one) => one.startsWith(`${url}/`))) {
    const at = href.slice(url.length).replace(/#.*/, "");
    if (!skip.test(at)) waiting.push(at);
  }
}
// Bytes that stand in no link: in what addresses carry, on each kind of page.
const pages = new Map(reached.map((one) => [kind(one.split("?")[0]), one.split("?")[0]]));
// Each page gets some of them, and together all; KENTAI_VECTORS=all gives each all of them.
const every = process.env.KENTAI_VECTORS === "all" ? 1 : 8;
for (const [place, at] of [...pages.values()].entries()) {
  for (const [index, vector] of [...vectors.entries()].filter(([index]) => index % every === place % every)) {
    const name = NAMES[index % NAMES.length];
    await look(`${at}?${new URLSearchParams({ [name]: vector, q: vector })}`, 0);
  }
}
for (const vector of vectors) {
  for (const at of [`/${encodeURIComponent(vector)}`, `/runs/${encodeURIComponent(vector)}`, `/specimens/${encodeURIComponent(vector)}`]) {
    await look(at, 0);
  }
}
// And in forms that come back with what was typed: the way in, for somebody who is nobody yet.
const outside = await context(browser, "");
const form = await outside.newPage();
form.on("dialog", async (dialog) => { wrong(`/sign-in: a dialog opened: ${dialog.message()}`); await dialog.dismiss().catch(() => {}); });
for (const vector of vectors.slice(0, 8)) {
  await form.goto(`${url}/sign-in?${new URLSearchParams({ back: vector })}`);
  await form.fill("#name", vector);
  await form.fill("#password", vector);
  await Promise.all([form.waitForNavigation(), form.click("main button[type=submit]")]);
  must((await form.inputValue("#name")) === vector, `/sign-in: ${vector} came back as something else`);
  must((await form.evaluate(() => window.__hit)) === undefined, `/sign-in: ${vector} ran`);
}
must(seen.size >= vectors.length / 2, `only ${seen.size} of ${vectors.length} hostile texts were to be seen: nothing was tried`);
must(Object.keys(people).length > 0, "nobody may sign in");
await end(browser, { pages: reached.length, kinds: known.size, looked, vectors: vectors.length, seen: seen.size, shown });
