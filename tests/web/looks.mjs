// SPDX-License-Identifier: GPL-3.0-or-later
// Phones, paper, people who see no colours, and people whom motion makes ill.
import { as, holds, same, test } from './lib.mjs';
import { SHOP, imageOf, places, repository } from './places.mjs';

// What lies beyond the right edge, and is not inside something that scrolls by itself.
function beyond() {
  const width = document.documentElement.clientWidth;
  const inner = (e) => {
    for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
      if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(p).overflowX)) return true;
    return false;
  };
  const wide = document.documentElement.scrollWidth > width ? [`the page is ${document.documentElement.scrollWidth}`] : [];
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect();
    if (box.width && box.right > width + 1 && !inner(e) && getComputedStyle(e).position !== 'absolute')
      wide.push(`${e.tagName.toLowerCase()}.${e.className} to ${Math.round(box.right)}: ${e.textContent.slice(0, 40)}`);
  }
  return wide.slice(0, 5);
}

// Links and buttons that a thumb cannot hit (WCAG 2.2, 2.5.8), except in the flow of a text.
function small() {
  return [...document.querySelectorAll('button, select, summary, nav a, input:not([type=checkbox])')].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width && !e.classList.contains('skip') && (box.height < 24 || box.width < 24);
  }).map((e) => `${e.tagName} ${e.textContent.slice(0, 30)} ${e.getBoundingClientRect().height}`);
}

export default async function looks(browser) {
  for (const width of [375, 320]) {
    for (const [name, path] of places) {
      await test(`page ${name} at ${width} px`, () => as(browser, 'admin', {
        viewport: { width, height: 720 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2,
      }, async (w) => {
        await w.go(path);
        if (width === 375) await w.shot(`${name}-phone`);
        same(await w.page.evaluate(beyond), [], 'beyond the edge');
        same(await w.page.evaluate(small), [], 'too small to hit');
      }));
    }
  }

  await test('nothing is lost at 200 % (640 px wide) and with wide text spacing', () =>
    as(browser, 'admin', { viewport: { width: 640, height: 450 } }, async (w) => {
      for (const [name, path] of places) {
        await w.go(path);
        same(await w.page.evaluate(beyond), [], name);
      }
    }));

  for (const [name, path] of places) {
    await test(`page ${name} on paper`, () => as(browser, 'admin', { colorScheme: 'dark' }, async (w) => {
      await w.go(path);
      await w.page.emulateMedia({ media: 'print', colorScheme: 'light' });
      await w.page.setViewportSize({ width: 718, height: 1016 });  // A4 with its margins, at 96 dpi
      await w.shot(`${name}-print`);
      same(await w.page.evaluate(beyond), [], 'cut off');
      const shown = await w.page.evaluate(() => ({
        ground: getComputedStyle(document.documentElement).backgroundColor,
        controls: [...document.querySelectorAll('header nav, footer select, main button')].filter((e) =>
          e.getBoundingClientRect().height > 0 && getComputedStyle(e).visibility !== 'hidden').length,
      }));
      holds(['rgba(0, 0, 0, 0)', 'rgb(255, 255, 255)'].includes(shown.ground), `prints on ${shown.ground}`);
      same(shown.controls, 0, 'controls on paper');
    }));
  }

  await test('each cell of the colour map says by text and shape what its colour says', () =>
    as(browser, 'admin', {}, async (w) => {
      const words = { critical: 'critical', high: 'high', medium: 'medium', low: 'low', negligible: 'negligible',
        unknown: 'unknown', clean: 'nothing found', unassessed: 'not assessed|no longer stored' };
      const shapes = new Map();
      let seen = 0;
      for (const name of [SHOP, 'gate.internal/hosted/shop/nightly', 'gate.internal/hosted/base/alpine',
        'gate.internal/hosted/lab/try', 'gate.internal/hosted/shop/mail']) {
        await w.go(repository(name));
        const cells = await w.page.locator('table.map tbody td.cell').evaluateAll((all) => all.map((td) => ({
          mark: /cell-(\w+)/.exec([...td.classList].filter((c) => c !== 'cell-part').join(' '))?.[1],
          label: td.querySelector('[title]')?.title ?? td.textContent,
          text: td.querySelector('.cell-mark')?.textContent.trim(), shape: td.querySelector('path')?.getAttribute('d'),
        })));
        holds(cells.length, `${name} has no cell`);
        for (const c of cells) {
          seen++;
          holds(new RegExp(words[c.mark]).test(c.label), `${c.mark} says "${c.label}"`);
          holds(c.text && c.shape, `${c.mark} has no text or no shape`);
          const key = `${c.text[0]} ${c.shape}`;
          same(shapes.get(c.mark) ?? key, key, `two looks of ${c.mark}`);
          shapes.set(c.mark, key);
        }
      }
      same(new Set(shapes.values()).size, shapes.size, 'two severities look alike');
      holds(shapes.size >= 4, `the tests show only ${[...shapes.keys()]}`);
      return `${seen} cells, ${[...shapes.keys()]}`;
    }));

  await test('bars and tiles have a text for whoever sees no colour', () => as(browser, 'admin', {}, async (w) => {
    for (const path of [repository(SHOP), '/ui/', imageOf('hosted/lab/try:1') + '?part=layers']) {
      await w.go(path);
      const mute = await w.page.evaluate(() => [...document.querySelectorAll('main svg')].filter((s) =>
        s.getAttribute('aria-hidden') !== 'true' && !s.getAttribute('aria-label') && !s.querySelector('title')).length);
      same(mute, 0, `${path}: pictures without words`);
      const hidden = await w.page.evaluate(() => [...document.querySelectorAll('main svg[aria-hidden=true]')].filter((s) =>
        !s.closest('a, td, th, li, p, span, h2, summary, button, tr')?.textContent.trim() &&
        !s.closest('tr')?.textContent.trim()).length);
      same(hidden, 0, `${path}: pictures that are hidden and have no text beside them`);
    }
  }));

  for (const [name, path] of [['repository', repository(SHOP)], ['overview', '/ui/'], ['image-layers',
    imageOf('hosted/lab/try:1') + '?part=layers'], ['quarantine', '/ui/quarantine']]) {
    await test(`page ${name} with forced colours and without any`, () => as(browser, 'admin', {}, async (w) => {
      await w.page.emulateMedia({ forcedColors: 'active' });
      await w.go(path);
      await w.shot(`${name}-forced`);
      const lost = await w.page.evaluate(() => [...document.querySelectorAll('main svg path, main svg rect')].filter((p) => {
        const box = p.getBoundingClientRect();
        const fill = getComputedStyle(p).fill;
        return box.width > 3 && !p.closest('.bar-cell') && fill === getComputedStyle(document.documentElement).backgroundColor &&
          getComputedStyle(p).stroke === 'none';
      }).length);
      same(lost, 0, 'shapes in the colour of the ground');
      await w.page.emulateMedia({ forcedColors: 'none' });
      const cdp = await w.context.newCDPSession(w.page);
      await cdp.send('Emulation.setEmulatedVisionDeficiency', { type: 'achromatopsia' });
      await w.shot(`${name}-grey`);
    }));
  }

  await test('nothing moves where less motion is asked for', () => as(browser, 'admin', { reducedMotion: 'reduce' },
    async (w) => {
      for (const [name, path] of places) {
        await w.go(path);
        const moving = await w.page.evaluate(() => [...document.querySelectorAll('*')].filter((e) => {
          const s = getComputedStyle(e);
          const long = (t) => t.split(',').some((x) => parseFloat(x) * (x.trim().endsWith('ms') ? 1 : 1000) > 20);
          return long(s.transitionDuration) || (s.animationName !== 'none' && long(s.animationDuration)) ||
            s.scrollBehavior === 'smooth';
        }).map((e) => `${e.tagName}.${e.className}`).slice(0, 4));
        same(moving, [], name);
      }
    }));

  await test('the colours can be chosen, and are remembered', () => as(browser, 'pull', {}, async (w) => {
    await w.go('/ui/');
    const ground = () => w.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await ground();
    await w.page.getByLabel('Colours').selectOption('dark');
    const dark = await ground();
    holds(light !== dark, `both are ${light}`);
    await w.go('/ui/repositories');
    same(await ground(), dark);
    await w.page.getByLabel('Colours').selectOption('system');
    same(await ground(), light);
  }));
}
