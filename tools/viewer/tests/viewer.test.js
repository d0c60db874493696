// The page, as a person would use it, in a browser without a network.
//
// PAGES: a folder with NAME.html and NAME.txt (the report) for each trace; SHOTS: where pictures go.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const pages = process.env.PAGES;
const shots = process.env.SHOTS;
let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  });
});
after(() => browser?.close());

// An open page; after use it must have asked for nothing, complained of nothing and shown no dialog.
async function withPage(name, use, { hash = "", dark = false } = {}) {
  const context = await browser.newContext({
    offline: true, viewport: { width: 1400, height: 900 }, colorScheme: dark ? "dark" : "light",
  });
  const page = await context.newPage();
  const trouble = [];
  page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => { trouble.push("a dialog"); dialog.dismiss(); });
  page.on("console", (said) => said.type() === "error" && trouble.push(`console: ${said.text()}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`file://${pages}/${name}.html`) && !url.startsWith("data:")) {
      trouble.push(`request: ${url}`);
    }
  });
  await page.goto(`file://${pages}/${name}.html${hash}`);
  await page.waitForFunction(() => window.filch?.timeline.frameMs > 0);
  await frames(page);
  await use(page);
  assert.deepEqual(trouble, []);
  await context.close();
}

const frames = (page) => page.evaluate(() =>
  new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));
const shot = (page, name) => page.screenshot({ path: `${shots}/${name}.png` });
const viewLength = (page) => page.evaluate(() => {
  const { from, to } = window.filch.timeline.view;
  return to - from;
});

// The first slice of a task that fits; { slice, task }.
const findTask = (page, which) => page.evaluate((source) => {
  const fits = eval(source);
  const { data } = window.filch;
  let best = -1;
  for (let i = 0; i < data.slice.kind.length; i++) {
    const is = data.slice.kind[i] === 0 && fits(data, data.slice.what[i]);
    const longer = best < 0 || data.slice.to[i] - data.slice.from[i]
      > data.slice.to[best] - data.slice.from[best];
    if (is && longer) best = i;
  }
  return { slice: best, task: data.slice.what[best] };
}, which.toString());

async function clickSlice(page, slice) {
  await page.evaluate((s) => window.filch.timeline.reveal(s), slice);
  await frames(page);
  const at = await page.evaluate((s) => window.filch.timeline.where(s), slice);
  await page.locator("#words").click({ position: at });
}

test("a trace opens, and its numbers are those of the report", () => withPage("serial", async (page) => {
  const report = readFileSync(`${pages}/serial.txt`, "utf8").replaceAll(" us", " µs");
  const said = (name) => report.match(new RegExp(`^  ${name} +([0-9.e+]+( [a-zµ]+)?) `, "m"))[1];
  for (const name of ["work", "span", "parallelism", "burdened span"]) {
    const cell = await page.locator("#lengths tr", { has: page.locator(`th:text-is("${name}")`) })
      .locator("td").first().textContent();
    assert.equal(cell, said(name), name);
  }
  for (const name of ["working", "nothing to take", "searching"]) {
    const cell = await page.locator("#idle tr", { has: page.locator(`th:text-is("${name}")`) })
      .locator("td").first().textContent();
    assert.equal(cell, said(name), name);
  }
  const hints = await page.locator("#hints li").allTextContents();
  assert.match(hints[0], /While serial_part \(trace_work\.c:\d+\) ran alone/);
  for (const hint of hints) assert.ok(report.includes(hint.replaceAll(" us", " µs")), hint);
  await shot(page, "summary");
}));

test("zooming and moving, by wheel, keys and hand", () => withPage("serial", async (page) => {
  const whole = await viewLength(page);
  const words = page.locator("#words");
  await words.hover({ position: { x: 700, y: 120 } });
  await page.mouse.wheel(0, -400); // it is on its way
  await page.waitForFunction((most) => {
    const { from, to } = window.filch.timeline.view;
    return to - from < most;
  }, whole * 0.7);
  const wheeled = await viewLength(page);
  await page.keyboard.press("w");
  assert.ok(await viewLength(page) < wheeled);
  await page.keyboard.press("s");
  assert.ok(Math.abs(await viewLength(page) / wheeled - 1) < 1e-6);
  const left = await page.evaluate(() => window.filch.timeline.view.from);
  await page.keyboard.press("d");
  const right = await page.evaluate(() => window.filch.timeline.view.from);
  assert.ok(right > left);
  await page.keyboard.press("a");
  assert.ok(Math.abs(await page.evaluate(() => window.filch.timeline.view.from) - left) < 1);
  const box = await words.boundingBox();
  await page.mouse.move(box.x + 600, box.y + 120);
  await page.mouse.down();
  await page.mouse.move(box.x + 400, box.y + 120, { steps: 5 });
  await page.mouse.up();
  assert.ok(await page.evaluate(() => window.filch.timeline.view.from) > left);
  await page.locator("#all").click();
  assert.ok(Math.abs(await viewLength(page) / whole - 1) < 1e-9);
}));

test("a click tells what a task is, its children and its parent", () => withPage("tree", async (page) => {
  const { slice, task } = await findTask(page, (data, t) => data.task.parent.includes(t));
  await clickSlice(page, slice);
  await page.locator(`#detail h2:has-text("#${task}")`).waitFor();
  assert.match(await page.locator("#detail h2").first().textContent(), /^tree \(trace_work\.c:\d+\)/);
  await page.locator("#children button").first().click();
  await page.locator("#parent button").waitFor();
  await page.locator("#parent button").click();
  await page.locator(`#detail h2:has-text("#${task}")`).waitFor();
  await shot(page, "task");
}));

test("a stolen task leads back to where it was made", () => withPage("tree", async (page) => {
  const { slice, task } = await findTask(page, (data, t) =>
    data.task.from[t] > 0 && data.task.parent[t] !== 0xffffffff);
  await clickSlice(page, slice);
  const facts = await page.locator("#task").textContent();
  assert.match(facts, /stolen from core \d+/);
  const parent = await page.evaluate((t) => window.filch.data.task.parent[t], task);
  await page.locator("#follow").click();
  await page.locator(`#detail h2:has-text("#${parent}")`).waitFor();
  await shot(page, "theft");
}));

test("search finds tasks, one after the other", () => withPage("serial", async (page) => {
  await page.locator("#search").fill("serial_p");
  await page.locator("#found", { hasText: /of [1-9]/ }).waitFor();
  await page.locator("#search").press("Enter");
  await page.locator("#detail h2", { hasText: "serial_part" }).waitFor();
  await page.locator("#found", { hasText: /^1 of \d+$/ }).waitFor();
  await page.locator("#search").fill("no such thing");
  await page.locator("#found", { hasText: /^0 of 0$/ }).waitFor();
}));

test("the longest chain is shown", () => withPage("serial", async (page) => {
  const { slice } = await findTask(page, (data, t) => data.task.path[t] === 1);
  assert.ok(slice >= 0);
  const name = await page.evaluate((s) => {
    const { data } = window.filch;
    return data.numbers.names[data.task.name[data.slice.what[s]]][0];
  }, slice);
  assert.equal(name, "serial_part");
  const plain = await page.locator("#timeline").screenshot();
  await page.locator("#path").check();
  await frames(page);
  assert.ok(!plain.equals(await page.locator("#timeline").screenshot()));
  await shot(page, "chain");
  await page.getByRole("tab", { name: "Prediction" }).click();
  const asked = await page.locator("#whatifs tbody th").allTextContents();
  assert.ok(asked.some((name) => name.startsWith("serial_part (trace_work.c:")), asked);
  await shot(page, "whatif");
}));

test("every panel has something", () => withPage("mixed", async (page) => {
  const panels = {
    Functions: "#functions tbody tr", Granularity: "#grain figure", Loops: "#loops .uplot",
    Prediction: "#prediction .uplot",
  };
  for (const [tab, inside] of Object.entries(panels)) {
    await page.getByRole("tab", { name: tab }).click();
    await page.locator(inside).first().waitFor();
    await shot(page, tab.toLowerCase());
  }
  await page.getByRole("tab", { name: "Functions" }).click();
  await page.locator("#functions th button", { hasText: "count" }).click();
  const counts = await page.locator("#functions tbody td:nth-child(2)").allTextContents();
  const numbers = counts.map((c) => Number(c.replaceAll(",", "")));
  assert.deepEqual(numbers, [...numbers].sort((a, b) => b - a));
}));

test("hostile names are text", () => withPage("mixed", async (page) => {
  const names = await page.evaluate(() => Object.values(window.filch.data.numbers.names).map((n) => n[0]));
  assert.ok(names.some((name) => name.startsWith("<script>alert(1)</script>\"'&\\\u0001\ufffd")));
  assert.equal(await page.locator("script").count(), 3);
  await page.locator("#search").fill("<script>");
  await page.locator("#search").press("Enter");
  await page.locator("#detail", { hasText: "<script>alert(1)</script>" }).waitFor();
  await shot(page, "hostile");
}));

test("without WebGL it is drawn all the same", () => withPage("serial", async (page) => {
  assert.equal(await page.evaluate(() => window.filch.timeline.paintedBy), "canvas");
  const colors = await page.evaluate(() => {
    const canvas = document.querySelector("#timeline canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
  assert.ok(colors > 3);
}, { hash: "#canvas" }));

test("it is dark where that is wanted, and can be changed", () => withPage("serial", async (page) => {
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await back(), "rgb(21, 24, 28)");
  await shot(page, "dark");
  await page.locator("#theme").click();
  assert.equal(await back(), "rgb(255, 255, 255)");
}, { dark: true }));

test("dropped events and damage are told", async () => {
  await withPage("damaged", async (page) => {
    assert.match(await page.locator("#warnings").textContent(), /damaged|dropped/);
    await shot(page, "damaged");
  });
});
