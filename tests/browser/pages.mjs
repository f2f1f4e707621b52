// Every page that can be reached, in both languages and both themes, at the width of a laptop, a wall and a phone: it says what it is,
// fits, needs nothing from elsewhere, and axe finds nothing. Pictures go where KENTAI_PICTURES
// says: of laptops in English and light, or of everything.

import { mkdirSync } from "node:fs";
import { axe, context, crawl, end, kind, must, open, page, pictures, url, wrong } from "./browser.mjs";

const SIZES = { laptop: [1440, 900], wall: [1920, 1080], phone: [390, 844] };
const LANGUAGES = ["en", "ja"];
const THEMES = ["light", "dark"];
// KENTAI_AXE=all looks at everything in every way; otherwise each language, theme and size is seen in some way, and a list plain and
// narrowed once.
const whole = process.env.KENTAI_AXE === "all";
const SOME = ["laptop en light", "laptop ja dark", "wall ja light", "phone en dark", "phone ja light"];
const browser = await open();
const all = await crawl(browser, process.env.KENTAI_ROLE ?? "everything", JSON.parse(process.env.KENTAI_START ?? `["/", "/wall", "/settings", "/search?q=nothing-of-this-name", "/sign-in"]`));
const seen = new Map();
const paths = all.filter((path) => {
  const list = kind(path.split("?")[0]);
  seen.set(list, (seen.get(list) ?? 0) + 1);
  return whole || seen.get(list) <= 2;
});
let looked = 0;
if (pictures) mkdirSync(pictures, { recursive: true });

for (const language of LANGUAGES) for (const theme of THEMES) for (const [size, [width, height]] of Object.entries(SIZES)) {
  if (!whole && !SOME.includes(`${size} ${language} ${theme}`)) continue;
  const made = await context(browser, process.env.KENTAI_ROLE ?? "everything", { language, theme, width, height });
  let path = "";
  const about = () => `${path} (${language}, ${theme}, ${size})`;
  const tab = await page(made, about);
  for (path of paths) {
    const answer = await tab.goto(url + path, { waitUntil: "load" });
    looked += 1;
    if (!must(answer.status() === 200, `${about()}: ${answer.status()}`)) continue;
    const bytes = (await answer.body()).length;
    must(bytes <= 150 * 1024, `${about()}: ${bytes} bytes`);
    const facts = await tab.evaluate(() => ({
      lang: document.documentElement.lang,
      title: document.title,
      heads: document.querySelectorAll("h1").length,
      over: document.documentElement.scrollWidth - innerWidth,
      bare: [...document.querySelectorAll("svg.shape")].filter((shape) => {
        // On the rail the heading beside it is its word, on a strip the verdict of its row.
        const beside = shape.closest(".rail, .chart.strip") ? shape.closest("li, tr") : shape.closest("a, span, td, li, p, dt, dd, div, text, g, th, h1, h2, h3, label, button, summary");
        return !beside || beside.textContent.trim() === "";
      }).length,
      small: [...document.querySelectorAll("button, a.button, input, select")].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.width > 0 && box.height > 0 && box.height < 23.5 && !one.classList.contains("link") && !["checkbox", "radio", "hidden"].includes(one.type);
      }).length,
    }));
    must(facts.lang === language, `${about()}: lang is ${facts.lang}`);
    must(facts.title.length > "· kentai".length + 1, `${about()}: no title`);
    must(facts.heads === 1, `${about()}: ${facts.heads} headings of the first rank`);
    must(facts.over <= 0, `${about()}: ${facts.over} px wider than the screen`);
    must(facts.bare === 0, `${about()}: ${facts.bare} shapes without a word`);
    must(facts.small === 0, `${about()}: ${facts.small} targets lower than 24 px`);
    // What axe looks at does not depend on how wide a laptop or a wall is.
    if ((whole && size !== "wall") || ["laptop en light", "laptop ja dark", "phone en dark"].includes(`${size} ${language} ${theme}`)) {
      await tab.evaluate(axe);
      const { violations } = await tab.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      for (const one of violations) {
        wrong(`${about()}: axe ${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
      }
    }
    if (pictures && (whole || `${size} ${language} ${theme}` === "laptop en light")) {
      const name = path.replace(/^\//, "").replace(/[^A-Za-z0-9]+/g, "-").slice(0, 60) || "first";
      await tab.screenshot({ path: `${pictures}/${name}.${size}.${language}.${theme}.png`, fullPage: true });
    }
  }
  await made.close();
}
await end(browser, { pages: paths.length, looked });
