// SPDX-License-Identifier: GPL-3.0-or-later
// Measures the pages: first meaningful paint, that is the heading and the first rows of what was asked for are on the
// screen, counted from the navigation's start, in a browser that has nothing in its cache.
import { gzipSync } from 'node:zlib';
import { as, open, world } from '../../tests/web/lib.mjs';

const BAR_MS = 300, FLUENT_MS = 100, WEIGHT = 150 * 1024, ROUNDS = 15;
let missed = 0;

function figure(what, value, unit, bar) {
  if (value > bar) missed++;
  console.log(`${value > bar ? 'not ok' : 'ok'} ${what}: ${Math.round(value)} ${unit} (bar ${bar} ${unit})`);
}
const median = (v) => [...v].sort((a, b) => a - b)[Math.floor(v.length / 2)];

// The time at which a frame with the heading and the first rows was handed to the screen: an animation frame is begun
// before its layout and paint, and a message that is sent in it comes after these.
const watch = `
  window.__painted = new Promise((done) => {
    const rows = 'main tbody tr, main .card, main .tile, main dl, main form, main .plot';
    const look = () => document.querySelector('main h1') && document.querySelector(rows) &&
      !/Loading/.test(document.querySelector('main').textContent)
      ? afterThisFrame()
      : requestAnimationFrame(look);
    const afterThisFrame = () => {
      const c = new MessageChannel();
      c.port1.onmessage = () => done(performance.now());
      c.port2.postMessage(0);
    };
    requestAnimationFrame(look);
  });
`;

async function paint(browser, name, path) {
  const times = [];
  for (let i = 0; i < ROUNDS; i++)
    await as(browser, 'admin', {}, async (w) => {  // a context of its own: nothing is cached
      await w.context.addInitScript(watch);
      await w.page.goto(world.url + path, { waitUntil: 'commit' });
      times.push(await w.page.evaluate(() => window.__painted));
      await w.ready();
    });
  figure(`first meaningful paint of ${name}`, median(times), 'ms', BAR_MS);
  console.log(`# ${times.map((t) => Math.round(t)).join(' ')} ms`);
}

// From the choice to the frame that shows its rows; and the longest frame while the page is scrolled.
async function fluent(browser, digest) {
  await as(browser, 'admin', {}, async (w) => {
    await w.go(`/ui/images/${digest}`);
    const times = [];
    for (const severity of ['high', 'medium', 'critical', 'low', 'high']) {
      times.push(await w.page.evaluate((s) => new Promise((done) => {
        const field = document.querySelector('select[name=severity]');
        const begin = performance.now();
        // What is on its way is marked as busy; the rows are there when it no longer is.
        let busy = false;
        const watch = new MutationObserver(() => {
          const now = document.querySelector('main [aria-busy=true]') !== null;
          if (busy && !now) {
            watch.disconnect();
            requestAnimationFrame(() => done(performance.now() - begin));
          }
          busy ||= now;
        });
        watch.observe(document.querySelector('main'), { attributes: true, subtree: true, childList: true });
        field.value = s;
        field.dispatchEvent(new Event('change', { bubbles: true }));
      }), severity));
      await w.ready();
    }
    figure('a filter of the findings', median(times), 'ms', FLUENT_MS);
    await w.go(`/ui/images/${digest}`);
    const longest = await w.page.evaluate(() => new Promise((done) => {
      let before = performance.now(), worst = 0, n = 0;
      const step = (now) => {
        worst = n > 1 ? Math.max(worst, now - before) : worst;
        before = now;
        scrollBy(0, 120);
        n++ < 60 ? requestAnimationFrame(step) : done(worst);
      };
      requestAnimationFrame(step);
    }));
    figure('the longest frame while findings are scrolled', longest, 'ms', FLUENT_MS);
  });
}

async function weight(browser) {
  await as(browser, 'admin', {}, async (w) => {
    await w.go('/ui/');
    const urls = [...new Set(w.requests)].filter((u) => !u.includes('/api/'));
    let sent = 0, packed = 0;
    for (const url of urls) {
      const body = Buffer.from(await (await fetch(url)).arrayBuffer());
      packed += gzipSync(body, { level: 9 }).length;
      const sizes = (await w.page.request.get(url)).headers();
      sent += Number(sizes['content-length'] ?? 0);
    }
    figure(`the UI's whole weight, ${urls.length} files, as sent`, sent / 1024, 'KiB', WEIGHT / 1024);
    console.log(`# ${Math.round(packed / 1024)} KiB as gzip -9 has it`);
  });
}

const browser = await open();
try {
  let images, repositories, advisories;
  await as(browser, 'admin', {}, async (w) => {
    await w.go('/ui/');
    const list = (await w.api('images?order=worst&n=200')).body;
    const sum = (i) => Object.values(i.severities ?? {}).reduce((a, b) => a + b, 0);
    images = { total: list.total, most: list.items.reduce((a, b) => sum(b) > sum(a) ? b : a) };
    images.findings = sum(images.most);
    repositories = await w.items('repositories?n=200');
    advisories = await w.items('advisories?n=1');
  });
  const most = repositories.reduce((a, b) => b.images > a.images ? b : a);
  console.log(`# ${images.total} images, at most ${images.findings} findings, at most ${most.images} images a repository`);
  const digest = images.most.digest;
  for (const [name, path] of [['overview', '/ui/'], ['repositories', '/ui/repositories'],
    ['a repository', `/ui/repositories?name=${encodeURIComponent(most.name)}`], ['images', '/ui/images'],
    ['images, worst first', '/ui/images?order=worst'], ['an image', `/ui/images/${digest}`],
    ['its layers', `/ui/images/${digest}?part=layers`], ['its packages', `/ui/images/${digest}?part=packages`],
    ['quarantine', '/ui/quarantine'], ['advisories', '/ui/advisories'],
    ['an advisory', `/ui/advisories/${advisories[0].id}`], ['policy', '/ui/policy'], ['log', '/ui/log'],
    ['surveys', '/ui/surveys'], ['notifications', '/ui/notifications']])
    await paint(browser, name, path);
  await fluent(browser, digest);
  await weight(browser);
} finally {
  await browser.close();
}
process.exitCode = missed ? 1 : 0;
