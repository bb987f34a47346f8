// SPDX-License-Identifier: GPL-3.0-or-later
// What all suites need: a browser that watches what its pages do, the accounts, and counting.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const require = createRequire(`${process.env.WEB_MODULES}/`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const world = JSON.parse(readFileSync(process.env.WORLD, 'utf8'));
export const screenshots = process.env.WEB_SCREENSHOTS;
const host = new URL(world.url).host;

export function holds(condition, what) {
  if (!condition) throw new Error(what);
}

export function same(got, want, what = '') {
  const [g, w] = [JSON.stringify(got), JSON.stringify(want)];
  if (g !== w) throw new Error(`${what ? `${what}: ` : ''}got ${g}, want ${w}`.slice(0, 1500));
}

// --- tests ---------------------------------------------------------------------------------------------

export const results = { failed: 0 };

export class Skip extends Error {}

export async function test(name, body) {
  const begin = performance.now();
  try {
    const note = await body();
    console.log(`ok ${name}`);
    if (note) console.log(`# ${note}`);
  } catch (e) {
    if (e instanceof Skip) {
      console.log(`ok ${name} # skip ${e.message}`);
    } else {
      results.failed++;
      const at = /(\w+\.mjs:\d+)(?!.*lib\.mjs)/.exec((e.stack ?? '').split('\n').slice(1).filter((l) =>
        !l.includes('lib.mjs')).join(' '));
      console.log(`not ok ${name}\n# ${at?.[1] ?? ''} ${String(e.message).replaceAll('\n', '\n# ')}`.slice(0, 3000));
    }
  }
  console.log(`# ${((performance.now() - begin) / 1000).toFixed(1)} s`);
}

// --- the browser ---------------------------------------------------------------------------------------

// Playwright adds --headless and a user-data-dir of its own, which goes with the browser.
const flags = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'];

export const open = () => chromium.launch({
  executablePath: process.env.CHROMIUM, args: flags, chromiumSandbox: false });

// Each page tells of what breaks the page's own rules.
const witness = `
  window.__violations = [];
  document.addEventListener('securitypolicyviolation', (e) =>
    window.__violations.push(e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample));
`;

/* A page that must behave: whatever it logs as an error, throws, asks of another host, opens, or does against its
 * policy is a fault, which check() throws. Answers that a test means to get are allowed by their status and path. */
export class Watched {
  constructor(context, page) {
    Object.assign(this, { context, page, faults: [], requests: [], allowed: [] });
    page.on('console', (m) => {
      if (m.type() === 'error' && !this.isAllowed(m)) this.faults.push(`console: ${m.text()} (${m.location().url})`);
    });
    page.on('pageerror', (e) => this.faults.push(`exception: ${e.message} ${(e.stack ?? '').slice(0, 300)}`));
    page.on('dialog', (d) => {
      this.faults.push(`dialog: ${d.message()}`);
      d.dismiss().catch(() => {});
    });
    page.on('popup', (p) => this.faults.push(`opened ${p.url()}`));
    page.on('frameattached', () => this.faults.push('a frame was made'));
    page.on('request', (r) => {
      const at = new URL(r.url());
      this.requests.push(r.url());
      if (at.protocol !== 'http:' || at.host !== host) this.faults.push(`asks elsewhere: ${r.url().slice(0, 200)}`);
    });
  }

  isAllowed(m) {
    const at = m.location().url;
    return this.allowed.some(([status, path]) => m.text().includes(`status of ${status}`) && at.includes(path));
  }

  allow(status, path) {
    this.allowed.push([status, path]);
    return this;
  }

  async go(path, more = {}) {
    const answer = await this.page.goto(world.url + path, { waitUntil: 'commit' });
    // An address that is none gets a line, and no page.
    const none = more.failing && answer.status() >= 400 && !(await answer.text()).includes('id="app"');
    if (!none) await this.ready(more);
    return answer;
  }

  // The heading is there, it is known who looks, and nothing is on its way. What went wrong on the page is a fault,
  // unless it is expected.
  async ready({ failing = false } = {}) {
    await this.page.waitForFunction(() => {
      const main = document.querySelector('main');
      return main?.querySelector('h1') && document.querySelector('header .top-end')?.textContent && !main.querySelector('[aria-busy=true], .stale') &&
        !/Loading …/.test(main.innerText);
    }, null, { timeout: 15000 });
    if (!failing) same(await this.page.locator('main .box-bad').allInnerTexts(), [], 'the page says');
  }

  async check() {
    const said = await this.page.evaluate(() => ({ pwned: window.__pwned, violations: window.__violations }));
    same(said.pwned, undefined, 'window.__pwned');
    same([...this.faults, ...said.violations.map((v) => `policy: ${v}`)], [], 'faults');
  }

  async shot(name, more = {}) {
    await this.page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true, ...more });
  }

  api(path, init = {}) {
    return this.page.evaluate(async ([p, i]) => {
      const r = await fetch(`/api/v1/${p}`, i);
      const text = await r.text();
      return { status: r.status, body: text ? JSON.parse(text) : null };
    }, [path, init]);
  }

  async items(path) {
    const r = await this.api(path);
    same(r.status, 200, path);
    return r.body.items;
  }
}

const sessions = new Map();
const seen = { viewport: { width: 1280, height: 900 }, colorScheme: 'light', acceptDownloads: true };

export async function signIn(w, user, password = world.users[user]) {
  const { page } = w;
  await page.getByLabel('Name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

// A page of this account's, signed in once by the form; null: of nobody's.
export async function as(browser, user, more, body) {
  if (user && !sessions.has(user)) {
    const context = await browser.newContext(seen);
    const w = await watched(context);
    w.allow(401, '/api/v1/');
    await w.go('/ui/login');
    await signIn(w, user);
    await w.page.getByText(`Signed in as ${user}`).waitFor();
    sessions.set(user, await context.storageState());
    await context.close();
  }
  const context = await browser.newContext({ ...seen, ...more,
    ...(user ? { storageState: sessions.get(user) } : {}) });
  try {
    const w = await watched(context);
    try {
      await body(w);
    } catch (e) {
      const text = await w.page.locator('main').innerText({ timeout: 1000 }).catch(() => '');
      if (!(e instanceof Skip)) e.message += `\nthe page: ${text.slice(0, 400).replaceAll('\n', ' | ')}\n${w.faults.join('; ')}`;
      throw e;
    }
    await w.check();
  } finally {
    await context.close();
  }
}

async function watched(context) {
  await context.addInitScript(witness);
  return new Watched(context, await context.newPage());
}

// --- accessibility -------------------------------------------------------------------------------------

export async function accessible(w) {
  await w.page.evaluate(axe);
  const found = await w.page.evaluate(() => window.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'],
  }));
  return found.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) =>
    `${v.id} (${v.impact}): ${v.help}: ${v.nodes.slice(0, 3).map((n) =>
      `${n.target.join(' ')} ${(n.any[0] ?? n.all[0] ?? n.none[0])?.message ?? ''}`).join('; ')}`);
}
