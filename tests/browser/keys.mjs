// The main tasks of a day by keyboard alone: nothing here moves a pointer. Each task ends where the database or the page says that it is done.
//
// KENTAI_TASKS names the tasks, KENTAI_PEOPLE who does them, by role. What a task needs besides stands in KENTAI_ABOUT, as JSON.

import { writeFileSync } from "node:fs";
import { context, end, must, open, page, people, url, wrong } from "./browser.mjs";

const about = JSON.parse(process.env.KENTAI_ABOUT ?? "{}");
const TABS_MOST = 400;
let pressed = 0;

/** What has the focus: its name as it is read out, and whether a person can see that it has it. */
const focused = (tab) => tab.evaluate(() => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  const named = one.getAttribute("aria-label") ?? [...(one.labels ?? [])].map((label) => label.innerText).join(" ");
  return {
    tag: one.tagName.toLowerCase(), id: one.id, kind: one.type ?? "", value: one.value ?? "", href: one.getAttribute("href") ?? "",
    name: (named || one.innerText || "").trim().replaceAll(/\s+/g, " "),
    row: (one.closest("tr")?.innerText ?? "").replaceAll(/\s+/g, " "),
    seen: one === document.body || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0),
  };
});

const press = async (tab, key) => { pressed += 1; await tab.keyboard.press(key); };

/** Goes on by the tab key until something fits. */
async function reach(tab, what, fits) {
  for (let at = 0; at < TABS_MOST; at += 1) {
    await press(tab, "Tab");
    const one = await focused(tab);
    must(one.seen, `${new URL(tab.url()).pathname}: nobody sees that ${one.tag} "${one.name}" has the focus`);
    if (fits(one)) return one;
  }
  throw new Error(`${new URL(tab.url()).pathname}: no ${what} in ${TABS_MOST} presses of the tab key`);
}

const link = (tab, href, text = /./) => reach(tab, `link to ${href}`, (one) => one.tag === "a" && href.test(one.href) && text.test(one.name));

/** Presses the key that opens or sends, and waits for the page that comes. */
async function go(tab, key = "Enter") {
  await Promise.all([tab.waitForEvent("load"), press(tab, key)]);
}

/** A text of the page's content. */
const text = (tab, selector = "main") => tab.$eval(selector, (one) => one.innerText.replaceAll(/\s+/g, " "));

/** Somebody at the first screen, signed in by keyboard too. */
async function arrive(browser, role) {
  const made = await context(browser, "");
  const tab = await page(made, () => tab.url());
  const [name, password] = people[role];
  await tab.goto(`${url}/`);
  await reach(tab, "field for a name", (one) => one.tag === "input" && one.id === "name");
  await tab.keyboard.type(name);
  await reach(tab, "field for a password", (one) => one.kind === "password");
  await tab.keyboard.type(password);
  await go(tab);
  // Who is an administrator and nothing else begins with the people.
  must(["/", "/people"].includes(new URL(tab.url()).pathname), `${name} is at ${tab.url()} after signing in`);
  return tab;
}

/** A radio of a group: arrows move within it, as in every program. */
async function choose(tab, value) {
  await reach(tab, "choice", (one) => one.kind === "radio");
  for (let at = 0; at < 12; at += 1) {
    if ((await focused(tab)).value === value && await tab.evaluate(() => document.activeElement.checked)) return;
    if ((await focused(tab)).value === value) await press(tab, "Space");
    else await press(tab, "ArrowDown");
  }
  throw new Error(`there is no choice ${value}`);
}

async function reason(tab, words) {
  await reach(tab, "field for a reason", (one) => one.tag === "textarea" || (one.tag === "input" && /reason/i.test(one.name)));
  await tab.keyboard.type(words);
}

const send = async (tab) => { await reach(tab, "button", (one) => one.tag === "button"); await go(tab); };

const tasks = {
  /** Find a specimen that is stuck, and say why. */
  async stuck(browser) {
    const tab = await arrive(browser, "operator");
    await link(tab, /^\/order-lines\?.*stuck=1/, /stuck/);
    await go(tab);
    const { name, href } = await link(tab, /^\/specimens\//);
    await go(tab);
    must((await text(tab, "h1")).includes(name), `${href} does not name ${name}`);
    const why = await text(tab, "#lead");
    must(/stuck/.test(why), `${href} does not say why it is stuck: ${why}`);
    return why;
  },

  /** Decide a hold of quality control. */
  async decide(browser) {
    const tab = await arrive(browser, "reviewer");
    await link(tab, /^\/needs$/);
    await go(tab);
    await reach(tab, "hold of quality control", (one) => one.tag === "a" && /#ask-/.test(one.href) && /QC hold/.test(one.row));
    await go(tab);
    await choose(tab, "release");
    await reason(tab, "looked at the plots; within what the assay tolerates");
    await send(tab);
    const told = await text(tab);
    must(!/#ask-/.test(await tab.content()) && !told.includes("holds: a reviewer decides"), "the hold is still there after the decision");
    return tab.url();
  },

  /** Release with a second person. */
  async release(browser) {
    const ways = [];
    let run;
    for (const [at, role] of ["releaser", "second releaser"].entries()) {
      const tab = await arrive(browser, role);
      await link(tab, /^\/needs$/);
      await go(tab);
      // One that nobody answered yet, and whose specimen nothing else holds back.
      run ??= await tab.$$eval("tbody tr", (rows) => {
        const of = (row) => row.querySelector("a.id")?.innerText;
        const held = rows.filter((row) => !row.id.startsWith("release-")).map(of);
        const free = rows.find((row) => row.id.startsWith("release-") && !row.innerText.includes("said yes") && !held.includes(of(row)));
        return free?.querySelector("a.id").getAttribute("href").replace(/^\/runs\//, "");
      });
      await reach(tab, "release that waits", (one) => one.tag === "a" && one.href.startsWith(`/runs/${run}`) && /#ask-/.test(one.href));
      await go(tab);
      await choose(tab, "approve");
      await reason(tab, `read all of it, ${at + 1}`);
      await send(tab);
      must(new URL(tab.url()).pathname === `/runs/${run}`, `${role} is at ${tab.url()} after the answer`);
      const left = (await tab.$$("#ask-release")).length;
      must(at === 0 || left === 0, "two people said yes, and the page still asks");
      ways.push(new URL(tab.url()).pathname);
    }
    return ways.join(" ");
  },

  /** Follow a log while its tool writes. */
  async log(browser) {
    const tab = await arrive(browser, "operator");
    await reach(tab, "way to the runs", (one) => one.tag === "a" && one.href === "/runs");
    await go(tab);
    await link(tab, new RegExp(`^/runs/${about.log}$`));
    await go(tab);
    await link(tab, /\/log/);
    await go(tab);
    await tab.waitForFunction((words) => document.getElementById("log")?.textContent.includes(words), about.first);
    // Its tool copies what comes through this pipe.
    writeFileSync(about.go, `${about.then}\n`);
    await tab.waitForFunction((words) => document.getElementById("log").textContent.includes(words), about.then);
    return new URL(tab.url()).pathname;
  },

  /** Revoke a token of a program. */
  async token(browser) {
    const tab = await arrive(browser, "administrator");
    await link(tab, /^\/people$/);
    await go(tab);
    await link(tab, /^\/people\//, new RegExp(`^${about.service}$`));
    await go(tab);
    await reach(tab, "way to revoke", (one) => one.tag === "a" && one.row.includes(about.token) && /Revoke/.test(one.name));
    await go(tab);
    const one = await reach(tab, "field or button", (one) => ["textarea", "button"].includes(one.tag) || one.kind === "text");
    if (one.tag === "button") await go(tab);
    else {
      await tab.keyboard.type("the script is gone");
      await send(tab);
    }
    const left = await tab.$$eval("tr", (rows, token) => rows.filter((row) => row.innerText.includes(token) && row.querySelector("a.button, button")).length, about.token);
    must(left === 0, "the token may still be revoked after it was");
    return new URL(tab.url()).pathname;
  },
};

const browser = await open();
const done = {};
for (const name of JSON.parse(process.env.KENTAI_TASKS)) {
  try {
    done[name] = await tasks[name](browser);
  } catch (error) {
    wrong(`${name}: ${error.message}`);
  }
}
await end(browser, { tasks: Object.keys(done).length, keys: pressed, done });
