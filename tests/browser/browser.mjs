// What every browser test needs: Chromium, somebody signed in, and a report that ends the program with 1 when something is wrong.
//
// Each test is a program: `node NAME.mjs`, told by the environment where the site is (KENTAI_URL), who may sign in (KENTAI_PEOPLE:
// {"role": ["name", "password"]}) and where pictures go (KENTAI_PICTURES). It prints a line per finding and one with its figures.

import { createRequire } from "node:module";
import { existsSync, readFileSync } from "node:fs";

// Installed beside the build, not beside the sources.
const require = createRequire(process.env.KENTAI_TEST_BROWSER + "/package.json");
const { chromium } = require("playwright-core");

export const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
export const url = process.env.KENTAI_URL;
export const people = JSON.parse(process.env.KENTAI_PEOPLE ?? "{}");
export const pictures = process.env.KENTAI_PICTURES ?? "";

const found = [];

/** Something is wrong: said, and counted. */
export function wrong(text) {
  found.push(text);
  console.log(`WRONG ${text}`);
}

/** Holds, or is wrong. */
export function must(holds, text) {
  if (!holds) wrong(text);
  return Boolean(holds);
}

/** Says the figures and ends. */
export async function end(browser, figures) {
  await browser.close();
  console.log(JSON.stringify({ ...figures, wrong: found.length }));
  process.exit(found.length === 0 ? 0 : 1);
}

export async function open() {
  const path = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((one) => existsSync(one));
  // The sandbox of the browser needs what containers do not give; the pages are our own.
  return chromium.launch({ executablePath: path, args: ["--no-sandbox", "--disable-gpu"] });
}

/** A browser's profile for one person; nobody when `role` is empty. */
export async function context(browser, role, options = {}) {
  const { language = "en", theme = "light", width = 1440, height = 900, scale = 1, ...rest } = options;
  const made = await browser.newContext({
    viewport: { width, height }, deviceScaleFactor: scale, colorScheme: theme, locale: language === "ja" ? "ja-JP" : "en-GB", ...rest,
  });
  if (role) await signIn(made, role);
  return made;
}

export async function signIn(context, role) {
  const [name, password] = people[role];
  const answer = await context.request.post(`${url}/sign-in`, {
    form: { name, password, back: "/" }, headers: { Origin: url }, maxRedirects: 0,
  });
  if (answer.status() !== 303) throw new Error(`${name} cannot sign in: ${answer.status()} ${await answer.text()}`);
}

/** A page whose console and errors are heard: nothing may be said there. */
export async function page(context, about) {
  const made = await context.newPage();
  made.on("pageerror", (error) => wrong(`${about()}: a script failed: ${error.message}`));
  made.on("console", (message) => {
    if (message.type() === "error") wrong(`${about()}: the console says ${message.text()}`);
  });
  made.on("dialog", async (dialog) => { wrong(`${about()}: a dialog opened: ${dialog.message()}`); await dialog.dismiss(); });
  return made;
}

/** Addresses that a page leads to, as paths of this site. */
export async function links(page) {
  const all = await page.$$eval("a[href]", (found) => found.filter((one) => !one.hasAttribute("download")).map((one) => new URL(one.getAttribute("href"), location.href).href));
  return [...new Set(all.filter((one) => one.startsWith(`${url}/`)).map((one) => one.slice(url.length).replace(/#.*/, "")))];
}

/** A path's kind: ids are all alike. */
export function kind(path) {
  const [at, query] = path.split("?");
  const parts = at.split("/").map((part, index) => (index > 1 && /[0-9@%.]|^[A-Z]/.test(part) ? "{}" : part));
  return parts.join("/") + (query ? "?" + [...new URLSearchParams(query).keys()].sort().join("&") : "");
}

/** Every kind of page that can be reached from `start`, with one address for each. */
export async function crawl(browser, role, start, skip = /^\/(sign-out|language|theme|api\/(v1|openapi)|deliveries|ga4gh)/) {
  const made = await context(browser, role);
  const known = new Map(start.map((path) => [kind(path), path]));
  const waiting = [...start];
  while (waiting.length > 0) {
    const path = waiting.shift();
    const answer = await made.request.get(url + path);
    if (answer.status() === 200 && !(answer.headers()["content-type"] ?? "").startsWith("text/html")) { known.delete(kind(path)); continue; }
    if (answer.status() !== 200) { wrong(`${path}: linked, and answers ${answer.status()}`); known.delete(kind(path)); continue; }
    const hrefs = [...(await answer.text()).matchAll(/<a [^>]*href="(\/[^"]*)[^>]*>/g)];
    for (const [tag, raw] of hrefs) {
      const plain = raw.replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))).replaceAll("&amp;", "&");
      const next = plain.replace(/#.*/, "");
      if (tag.includes(" download") || skip.test(next) || known.has(kind(next))) continue;
      known.set(kind(next), next);
      waiting.push(next);
    }
  }
  await made.close();
  return [...known.values()];
}
