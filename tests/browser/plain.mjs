// Without JavaScript everything is there: the same headings and as many rows, and forms work (the main tasks have their own test).

import { context, crawl, end, must, open, page, url } from "./browser.mjs";

const role = process.env.KENTAI_ROLE ?? "everything";
const browser = await open();
const paths = await crawl(browser, role, ["/", "/wall", "/settings"]);
const count = (tab) => tab.evaluate(() => ({
  heads: [...document.querySelectorAll("h1, h2")].map((one) => one.textContent.trim()).join("\n"),
  forms: document.querySelectorAll("form").length,
  shown: document.querySelector("main").innerText.length > 20,
}));
const [scripted, plain] = [await context(browser, role), await context(browser, role, { javaScriptEnabled: false })];
let path = "";
const [one, other] = [await page(scripted, () => path), await page(plain, () => path)];
for (path of paths) {
  let with_script, without;
  // Time goes on between two looks: what became late meanwhile is no difference of scripts. So they are looked at again.
  for (let looks = 0; looks === 0 || (looks < 3 && with_script.heads !== without.heads); looks++) {
    await one.goto(url + path);
    await other.goto(url + path);
    [with_script, without] = [await count(one), await count(other)];
  }
  must(with_script.heads === without.heads, `${path}: other headings without a script`);
  must(with_script.forms === without.forms, `${path}: ${with_script.forms} forms with a script, ${without.forms} without`);
  must(without.shown, `${path}: nothing to see without a script`);
}
await end(browser, { pages: paths.length });
