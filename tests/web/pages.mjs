// SPDX-License-Identifier: GPL-3.0-or-later
// What every page must be, whatever is on it.
import { accessible, as, holds, same, test, world } from './lib.mjs';
import { places } from './places.mjs';

const strict = { 'content-security-policy': /default-src 'none'/, 'x-content-type-options': /nosniff/,
  'referrer-policy': /no-referrer/, 'content-type': /text\/html/ };

export default async function pages(browser) {
  for (const [name, path, heading] of places) {
    await test(`page ${name}`, () => as(browser, 'admin', {}, async (w) => {
      const answer = await w.go(path);
      for (const [header, want] of Object.entries(strict))
        holds(want.test(answer.headers()[header] ?? ''), `${header}: ${answer.headers()[header]}`);
      const policy = answer.headers()['content-security-policy'];
      holds(!/unsafe-|https?:|\*/.test(policy), `the policy is loose: ${policy}`);
      holds(/frame-ancestors 'none'/.test(policy) && /base-uri 'none'/.test(policy) && /form-action/.test(policy),
        `the policy lets more than it must: ${policy}`);
      if (heading) same(await w.page.locator('h1').allInnerTexts(), [heading]);
      same(await w.page.title(), `${await w.page.locator('h1').innerText()} – cocket`);
      await w.shot(`${name}-light`);
      same(await accessible(w), [], 'light');
      await w.page.emulateMedia({ colorScheme: 'dark' });
      await w.shot(`${name}-dark`);
      same(await accessible(w), [], 'dark');
    }));
  }

  await test('each page can be come to by clicks, and by going back', () => as(browser, 'admin', {}, async (w) => {
    await w.go('/ui/');
    const names = await w.page.getByRole('navigation', { name: 'Main' }).getByRole('link').allInnerTexts();
    holds(names.length >= 9, `only ${names}`);
    for (const name of names) {
      await w.page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click();
      await w.page.locator('h1', { hasText: name }).waitFor();
      await w.ready();
      same(await w.page.locator('[aria-current=page]').allInnerTexts(), [name]);
    }
    for (const name of names.slice(0, -1).reverse()) {
      await w.page.goBack();
      await w.page.locator('h1', { hasText: name }).waitFor();
      await w.ready();
    }
  }));

  await test('what lies beyond the pages is a plain 404 or the page that says so', () =>
    as(browser, 'admin', {}, async (w) => {
      for (const path of ['/ui/images?part=constructor', `/ui/images/${world.hostile}?part=constructor`,
        '/ui/images?severity=__proto__', '/ui/constructor', '/ui/__proto__', '/ui/images/sha256:0', '/ui/images/%ff%00',
        '/ui/repositories?name=__proto__', '/ui/images?from=-1', '/ui/images?from=99999999999999999999',
        '/ui/advisories/constructor', '/ui/surveys/0', '/ui/surveys/x', '/ui/images?n=99999']) {
        w.allow(400, '/').allow(404, '/');
        await w.go(path, { failing: true });
        holds((await w.page.locator('body').innerText()).length > 10, `${path} shows nothing`);
      }
    }));

  await test('an ETag is kept: a page loaded again asks little', () => as(browser, 'admin', {}, async (w) => {
    await w.go('/ui/images');
    let fresh = 0;
    w.page.on('response', (r) => { if (r.url().includes('/assets/') && r.status() === 200 && !r.fromServiceWorker())
      r.request().sizes().then((s) => { fresh += Math.max(0, s.responseBodySize); }, () => {}); });
    await w.page.reload();
    await w.ready();
    same(fresh, 0, 'bytes of scripts and styles fetched again');
  }));
}
