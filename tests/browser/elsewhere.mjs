// Signing in with an account elsewhere, in a real browser: our policy lets people go to the provider and come back, and nothing is said on
// the console. Told besides: KENTAI_PROVIDER, the provider's address.

import { context, end, must, open, url, wrong } from "./browser.mjs";

const browser = await open();
for (const language of ["en", "ja"]) {
  const made = await context(browser, "", { language });
  const one = await made.newPage();
  // What the provider's own pages say is its matter.
  one.on("console", (message) => {
    if (message.type() === "error" && message.location().url.startsWith(url)) wrong(`${language}: the console says ${message.text()}`);
  });
  await one.goto(`${url}/runs`);
  must(one.url() === `${url}/sign-in?back=%2Fruns`, `nobody is asked who they are: ${one.url()}`);
  const button = one.locator("#elsewhere a");
  must((await button.innerText()).includes(language === "en" ? "Sign in with the hospital" : "病院のアカウントでサインイン"), `${language}: the button`);
  await button.click();
  await one.waitForURL(`${process.env.KENTAI_PROVIDER}/**`);
  await one.fill("input[name=login]", "sato");
  await one.fill("input[name=password]", "any");
  await one.click("button[type=submit]");
  await one.click("button[type=submit]");
  await one.waitForURL(`${url}/**`);
  must(one.url() === `${url}/runs`, `${language}: they land where they wanted: ${one.url()}`);
  must((await one.innerText("body")).includes("dr-sato"), `${language}: signed in`);
  must(!(await made.cookies(url)).some((cookie) => cookie.name === "kentai-way"), `${language}: the cookie of the way is gone`);
  await made.close();
}
await end(browser, { languages: 2 });
