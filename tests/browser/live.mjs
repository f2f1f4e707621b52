// What changes is seen without reloading: how long after the change, and over how many connections when many tabs are open.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { context, end, must, open, page, url } from "./browser.mjs";

const run = promisify(execFile);
const TABS = Number(process.env.KENTAI_TABS ?? 200);
// A command that changes what the page shows, and a page that shows it.
const [program, ...words] = JSON.parse(process.env.KENTAI_CHANGE);
const path = process.env.KENTAI_PATH ?? "/";

const browser = await open();
const made = await context(browser, process.env.KENTAI_ROLE ?? "everything");
let streams = 0;
made.on("request", (request) => { if (request.url() === `${url}/events`) streams += 1; });
const first = await page(made, () => path);
await first.goto(url + path);
await first.waitForFunction(() => document.documentElement.dataset.refreshed !== undefined);
const before = await first.evaluate(() => Number(document.documentElement.dataset.refreshed));
const began = Date.now();
const changing = run(program, words);
await first.waitForFunction((before) => Number(document.documentElement.dataset.refreshed) > before, before, { polling: 20 });
const seen = Date.now() - began;
await changing;

const tabs = [];
for (let at = 1; at < TABS; at += 1) {
  const tab = await made.newPage();
  await tab.goto(url + path, { waitUntil: "domcontentloaded" });
  tabs.push(tab);
}
must(streams === 1, `${TABS} tabs opened ${streams} streams`);
// When the tab that listens goes, another one takes its place.
const again = made.waitForEvent("request", (request) => request.url() === `${url}/events`);
await first.close();
await again;
must(streams === 2, `after the first tab went there were ${streams} streams in all`);
await end(browser, { tabs: TABS, streams, milliseconds_from_command_to_page: seen });
