// SPDX-License-Identifier: GPL-3.0-or-later
// Images, people and addresses that attack the page that shows them. as() checks after each test that no script ran,
// nothing was asked of another host, no dialog and no frame came up, and the page's policy was not tried.
import { as, holds, same, test, world } from './lib.mjs';
import { parts, repository } from './places.mjs';

// What only an attack puts there, and characters that change how what is around them is read.
function planted() {
  const out = [];
  const wrong = 'img, iframe, object, embed, base, body link, body meta, body style, body script, b, i, textarea title, ' +
    'a[href^="javascript:" i], form[action*="evil"], [srcdoc]';
  for (const e of document.querySelectorAll(wrong)) {
    if (e.tagName === 'I' || e.tagName === 'B' || !e.matches('body > script[src]')) out.push(e.outerHTML.slice(0, 120));
  }
  for (const a of document.querySelectorAll('a:not([target=_blank])'))
    if (a.origin !== location.origin) out.push(a.outerHTML.slice(0, 120));
  for (const e of document.querySelectorAll('body *'))
    for (const a of e.attributes)
      if (/^on/i.test(a.name) || /^\s*javascript:/i.test(a.value) && a.name !== 'value' && a.name !== 'title' &&
        a.name !== 'aria-label') out.push(`${e.tagName} ${a.name}=${a.value.slice(0, 80)}`);
  return out;
}

function invisible() {
  const out = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  // C0 and C1 controls, marks and overrides of direction, what has no width.
  const odd = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;
  while (walk.nextNode()) {
    const at = odd.exec(walk.currentNode.data);
    if (at) out.add(`U+${at[0].codePointAt(0).toString(16)} in <${walk.currentNode.parentElement.tagName.toLowerCase()}>`);
  }
  const title = odd.exec(document.title);
  if (title) out.add('the title');
  return [...out];
}

async function harmless(w, where) {
  await w.page.locator('summary').evaluateAll((all) => all.forEach((s) => { s.parentElement.open = true; }));
  for (const link of await w.page.locator('main a').all()) if (await link.isVisible()) await link.hover({ trial: true });
  same(await w.page.evaluate(planted), [], `${where}: planted`);
  same(await w.page.evaluate(invisible), [], `${where}: unseen characters`);
  same(await w.page.evaluate(() => window.__pwned), undefined, where);
  const policy = await w.page.evaluate(() => window.__violations);
  same(policy, [], `${where}: against the policy`);
}

// The numbers of the attacks that the page shows, as text.
const shown = (w) => w.page.evaluate(() => {
  const all = [...document.querySelectorAll('input, textarea')].map((e) => e.value).join(' ');
  return [...new Set([...`${document.body.textContent} ${all}`.matchAll(/__pwned=(\d+)|txt\.(\d+)|(\d+)\.css/g)].map((m) =>
    Number(m[1] ?? m[2] ?? m[3])))].sort((a, b) => a - b);
});

const has = (numbers, from, to) => numbers.some((n) => n >= from && n < to);

export default async function hostile(browser) {
  const images = ['hosted/evil/constructor:__proto__', 'hosted/evil/constructor:toString', 'hosted/evil/javascript:alert'];

  for (const name of images) {
    for (const part of parts) {
      await test(`hostile image ${name}: ${part}`, () => as(browser, 'admin', {}, async (w) => {
        w.allow(400, '/api/v1/').allow(404, '/api/v1/');
        await w.go(`/ui/images/${world.images[name]}?part=${part}`);
        await harmless(w, part);
        const numbers = await shown(w);
        holds(has(numbers, 500, 545), `labels are not shown: ${numbers}`);
        if (part === 'packages') holds(has(numbers, 100, 115), `names of packages are not shown: ${numbers}`);
        if (part === 'layers') holds(has(numbers, 600, 625), `lines of the Dockerfile are not shown: ${numbers}`);
        if (name === images[0]) await w.shot(`hostile-${part}`);
      }));
    }
  }

  await test('hostile texts in lists, searches, the quarantine, the log, the policy', () =>
    as(browser, 'admin', {}, async (w) => {
      const found = {};
      for (const [path, from, to] of [['/ui/quarantine', 100, 720], ['/ui/log', 640, 660], ['/ui/policy', 700, 702],
        ['/ui/images', 0, 0], ['/ui/images?q=evil', 0, 0], ['/ui/advisories?q=CVE-2026-888', 0, 0], ['/ui/', 0, 0],
        [repository('gate.internal/hosted/evil/constructor'), 0, 0],
        [repository('gate.internal/hosted/evil/javascript'), 0, 0]]) {
        await w.go(path);
        await harmless(w, path);
        found[path] = await shown(w);
        if (to) holds(has(found[path], from, to), `${path} shows only ${found[path]}`);
      }
      await w.go('/ui/quarantine');
      await w.shot('hostile-quarantine');
      await w.go(repository('gate.internal/hosted/evil/constructor'));
      const tags = await w.page.locator('table.map tbody th').allInnerTexts();
      same(tags.map((t) => t.trim()).sort(), ['__proto__', 'toString']);
    }));

  await test('hostile advisories: texts, packages, addresses', () => as(browser, 'admin', {}, async (w) => {
    for (let i = 0; i < 12; i++) {
      w.allow(404, '/api/v1/');
      await w.go(`/ui/advisories/CVE-2026-888${String(i).padStart(2, '0')}`);
      await harmless(w, `advisory ${i}`);
      const links = await w.page.locator('main a[target=_blank]').evaluateAll((all) => all.map((a) => [a.protocol, a.rel]));
      for (const [protocol, rel] of links) {
        holds(protocol === 'https:' || protocol === 'http:', `a link to ${protocol}`);
        holds(rel.includes('noopener') && rel.includes('noreferrer'), `rel is "${rel}"`);
      }
      if (i === 0) await w.shot('hostile-advisory');
    }
  }));

  await test('hostile addresses: searches, filters, names, what is compared', () => as(browser, 'admin', {}, async (w) => {
    const evil = ['<script>window.__pwned=800</script>', '"><img src=x onerror=window.__pwned=801>',
      'javascript:window.__pwned=802', "';window.__pwned=803;'", '\u202e\u0000\u001b[31m804', '%00%0d%0aSet-Cookie:x=805',
      '__proto__', '%', '*', "' OR 1=1--"];
    for (const text of evil) {
      w.allow(400, '/').allow(404, '/');
      const q = encodeURIComponent(text);
      for (const path of [`/ui/images?q=${q}`, `/ui/images?order=${q}`, `/ui/repositories?name=${q}`,
        `/ui/advisories/${q}`, `/ui/images/${q}`, `/ui/images/${world.hostile}?part=diff&with=${q}`, `/ui/log?who=${q}`,
        `/ui/${q}`, `/ui/login?back=${q}`, `/ui/images#${q}`]) {
        await w.go(path, { failing: true });
        same(await w.page.evaluate(() => window.__pwned), undefined, path);
        same(await w.page.evaluate(planted), [], path);
      }
    }
    holds(w.requests.every((r) => new URL(r).host === new URL(world.url).host), 'a request went elsewhere');
  }));

  await test('a hostile reason is kept and shown as text', () => as(browser, 'admin', {}, async (w) => {
    await w.go(`/ui/images/${world.images['hosted/evil/javascript:alert']}`);
    await w.page.getByLabel('Reason').fill('<img src=x onerror=window.__pwned=810>\u202e"\'`');
    await w.page.getByRole('button', { name: 'Deny' }).click();
    await w.page.getByText('It is denied now').waitFor();
    await w.ready();
    await harmless(w, 'the image');
    holds((await shown(w)).includes(810), 'the reason is not shown with the image');
    await w.go('/ui/log');
    await harmless(w, 'the log');
    holds((await shown(w)).includes(810), 'the reason is not shown in the log');
  }));

  await test('what a browser would run if it were asked directly is not run', () =>
    as(browser, 'admin', {}, async (w) => {
      await w.go('/ui/');
      for (const path of [`images/${world.hostile}/report`, `images/${world.hostile}/sbom?format=cyclonedx`,
        `images/${world.hostile}`, 'log', 'policy']) {
        const r = await w.page.request.get(`${world.url}/api/v1/${path}`);
        same(r.status(), 200, path);
        holds(/^application\/(json|spdx\+json|vnd\.cyclonedx\+json)/.test(r.headers()['content-type']),
          `${path} is ${r.headers()['content-type']}`);
        same(r.headers()['x-content-type-options'], 'nosniff', path);
      }
      await w.page.goto(`${world.url}/api/v1/images/${world.hostile}`);
      same(await w.page.evaluate(() => window.__pwned), undefined);
    }));
}
