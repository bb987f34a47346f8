// SPDX-License-Identifier: GPL-3.0-or-later
// Everything without a mouse.
import { as, holds, same, test, world } from './lib.mjs';
import { SHOP, imageOf, places, repository } from './places.mjs';

// What the focus is on, and whether one sees that it is: against the same element without it.
function focus() {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const s = getComputedStyle(e);
  const box = e.getBoundingClientRect();
  const ring = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 ||
    s.boxShadow !== 'none' || s.textDecorationLine !== 'none' && e.tagName === 'H1';
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  e.dataset.visited = '1';
  return { name: `${e.tagName.toLowerCase()} ${(e.getAttribute('aria-label') ?? e.textContent ?? '').trim().slice(0, 40)}` +
    `${e.name ? ` ${e.name}` : ''}`, ring, inside: inside && box.width > 0, id: e.id };
}

// What a mouse could use and the walk did not come by.
function missed() {
  const all = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
  return [...document.querySelectorAll(all)].filter((e) => !e.disabled && !e.dataset.visited && e.tabIndex >= 0 &&
    e.checkVisibility({ visibilityProperty: true })).map((e) =>
    `${e.tagName.toLowerCase()} ${e.textContent.trim().slice(0, 40)}${e.name ?? ''}`).slice(0, 5);
}

// What a mouse can click and no key can.
const mouseOnly = () => [...document.querySelectorAll('main *')].filter((e) => getComputedStyle(e).cursor === 'pointer' &&
  !e.closest('a, button, summary, label, select, input')).map((e) => e.outerHTML.slice(0, 80)).slice(0, 5);

async function walk(w, most = 400) {
  const steps = [];
  for (let i = 0; i < most; i++) {
    await w.page.keyboard.press('Tab');
    const at = await w.page.evaluate(focus);
    if (!at) break;
    steps.push(at);
  }
  return steps;
}

// Tab until `name` has the focus.
async function tabTo(w, role, name, most = 200) {
  const target = w.page.getByRole(role, typeof name === 'string' ? { name, exact: true } : { name }).first();
  await target.waitFor();
  for (let i = 0; i < most; i++) {
    if (await target.evaluate((e) => e === document.activeElement)) return target;
    await w.page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${role} ${name}`);
}

export default async function keyboard(browser) {
  for (const [name, path] of places.filter(([n]) => n !== 'nowhere')) {
    await test(`page ${name}: Tab comes by everything, and one sees where`, () => as(browser, 'admin', {}, async (w) => {
      await w.go(path);
      const steps = await walk(w, 700);
      same(steps.filter((s) => !s.ring).map((s) => s.name).slice(0, 5), [], 'no ring');
      same(steps.filter((s) => !s.inside).map((s) => s.name).slice(0, 5), [], 'not in sight');
      same(await w.page.evaluate(missed), [], 'never comes by');
      same(await w.page.evaluate(mouseOnly), [], 'for the mouse only');
      same(steps[0]?.name, 'a Skip to the content');
      return `${steps.length} stops`;
    }));
  }

  await test('signing in, from overview to the advisory, without a mouse', () => as(browser, null, {}, async (w) => {
    w.allow(401, '/api/v1/');
    const { page } = w;
    await w.go('/ui/', { failing: true });
    await tabTo(w, 'link', 'Sign in');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await tabTo(w, 'textbox', 'Name');
    await page.keyboard.type('release');
    await page.keyboard.press('Tab');
    await page.keyboard.type(world.users.release);
    await page.keyboard.press('Enter');
    await page.getByText('Signed in as release').waitFor();
    await w.ready();
    await tabTo(w, 'link', 'Repositories');
    await page.keyboard.press('Enter');
    await page.locator('h1', { hasText: 'Repositories' }).waitFor();
    await w.ready();
    await page.keyboard.press('/');
    await page.keyboard.type('shop/web');
    await page.getByText('1–1 of 1').waitFor();
    await w.ready();
    await tabTo(w, 'link', SHOP);
    await page.keyboard.press('Enter');
    await page.locator('table.map').waitFor();
    await w.ready();
    await tabTo(w, 'link', new RegExp(`${SHOP}:1.0,`));
    await page.keyboard.press('Enter');
    await page.locator('h1', { hasText: /:/ }).waitFor();
    await w.ready();
    await tabTo(w, 'link', /^CVE-/);
    await page.keyboard.press('Enter');
    await page.locator('h1', { hasText: /^CVE-/ }).waitFor();
    await w.ready();
    same(await page.evaluate(() => document.activeElement.id), 'title', 'the focus is not at the new page\'s head');
  }));

  await test('filters, a finding\'s reason and the parts of an image without a mouse', () =>
    as(browser, 'release', {}, async (w) => {
      const { page } = w;
      await w.go(imageOf('hosted/lab/try:1'));
      await tabTo(w, 'combobox', 'Severity');
      await page.keyboard.type('crit');
      await page.waitForURL(/severity=critical/);
      await w.ready();
      const marks = await page.locator('main tbody .mark').allInnerTexts();
      holds(marks.length && marks.every((m) => m.trim() === 'critical'), `${marks.slice(0, 5)}`);
      await page.locator('main summary', { hasText: 'Why' }).first().focus();
      await page.keyboard.press('Enter');
      await page.getByText(/is older than/).first().waitFor();
      await tabTo(w, 'link', 'Layers');
      await page.keyboard.press('Enter');
      await page.getByRole('region', { name: 'Layers against severities' }).waitFor();
    }));

  await test('the skip link skips', () => as(browser, 'pull', {}, async (w) => {
    await w.go(repository(SHOP));
    await w.page.keyboard.press('Tab');
    await w.page.keyboard.press('Enter');
    const inside = await w.page.evaluate(() => document.activeElement.closest('main') !== null);
    holds(inside, 'the focus is not in the content');
    await w.page.keyboard.press('Tab');
    holds(await w.page.evaluate(() => document.activeElement.closest('main') !== null), 'and does not go on there');
  }));

  await test('releasing without a mouse', () => as(browser, 'release', {}, async (w) => {
    const { page } = w;
    await w.go('/ui/quarantine');
    const form = page.getByRole('form', { name: /hosted\/vault\/signer:2/ });
    await form.waitFor();
    for (let i = 0; i < 200; i++) {
      if (await form.locator('input').evaluate((e) => e === document.activeElement)) break;
      await page.keyboard.press('Tab');
    }
    await page.keyboard.type('seen by keyboard');
    await page.keyboard.press('Tab');
    same(await page.evaluate(() => document.activeElement.textContent), 'Release');
    await page.keyboard.press('Space');
    await page.getByText('Released by 1 of 2 persons').first().waitFor();
  }));
}
