// SPDX-License-Identifier: GPL-3.0-or-later
// Who comes in and who does not.
import { as, holds, same, signIn, test, world } from './lib.mjs';
import { places } from './places.mjs';

export default async function login(browser) {
  await test('whoever is not signed in sees nothing but the way in', () => as(browser, null, {}, async (w) => {
    w.allow(401, '/api/v1/');
    for (const [name, path] of places.filter(([n]) => n !== 'login' && n !== 'nowhere')) {
      await w.go(path, { failing: true });
      const text = await w.page.locator('main').innerText();
      holds(!text.includes('sha256') && !/CVE-|openssl|kernel-core/.test(text.replace('CVE-2022-0778', '')
        .replace('such as CVE-2024-3094', '')), `${name} shows: ${text.slice(0, 300)}`);
      holds(await w.page.getByRole('link', { name: 'Sign in' }).count() > 0, `${name} shows no way in`);
    }
    same((await w.api('overview')).status, 401);
    await w.shot('signed-out');
  }));

  await test('a wrong password is said, and the form stays', () => as(browser, null, {}, async (w) => {
    w.allow(401, '/api/v1/');
    await w.go('/ui/login');
    await signIn(w, 'admin', 'not the password');
    await w.page.getByRole('alert').waitFor();
    holds(/wrong/.test(await w.page.getByRole('alert').innerText()), 'not said');
    same((await w.api('me')).status, 401);
    await w.shot('login-wrong');
    await signIn(w, '<img src=x onerror=window.__pwned=1>', 'x');
    await w.page.getByRole('alert').waitFor();
  }));

  await test('signing in leads back to where one was, and nowhere else', () => as(browser, null, {}, async (w) => {
    w.allow(401, '/api/v1/');
    const cases = [['/ui/images?order=worst', '/ui/images?order=worst'], ['//evil.test/', '/ui/'],
      ['javascript:window.__pwned=1', '/ui/'], ['https://evil.test/ui/', '/ui/'], ['/ui//evil.test', '/ui/'],
      ['/\\evil.test', '/ui/']];
    for (const [back, leads] of cases) {
      await w.context.clearCookies();
      await w.go(`/ui/login?back=${encodeURIComponent(back)}`);
      await signIn(w, 'pull');
      await w.page.getByText('Signed in as pull').waitFor();
      await w.ready();
      same(w.page.url(), world.url + leads, back);
    }
  }));

  await test('the session is a cookie that no script reads, and ends with signing out', () =>
    as(browser, null, {}, async (w) => {
      w.allow(401, '/api/v1/');
      await w.go('/ui/login');
      await signIn(w, 'release');
      await w.page.getByText('Signed in as release').waitFor();
      const cookies = await w.context.cookies();
      same(cookies.map((c) => [c.httpOnly, c.sameSite]), [[true, 'Strict']]);
      same(await w.page.evaluate(() => document.cookie), '');
      same(await w.page.evaluate(() => Object.keys(localStorage).filter((k) => k !== 'cocket.theme')), []);
      await w.go('/ui/images');
      await w.page.getByRole('button', { name: 'Sign out' }).click();
      await w.page.getByRole('link', { name: 'Sign in' }).first().waitFor();
      same((await w.api('images')).status, 401);
      await w.page.goBack();
      await w.ready({ failing: true });
      holds(!(await w.page.locator('main').innerText()).includes('gate.internal'), 'shows images after signing out');
    }));

  await test('who is bound to some repositories sees those only', () => as(browser, 'bound', {}, async (w) => {
    await w.go('/ui/repositories');
    const names = await w.page.locator('main tbody [role=rowheader]').allInnerTexts();
    holds(names.length >= 4 && names.every((n) => n.includes('hosted/shop/')), `sees ${names}`);
    await w.go('/ui/images');
    const images = await w.page.locator('main tbody [role=rowheader]').allInnerTexts();
    holds(images.length > 10 && images.every((n) => n.includes('hosted/shop/') || /^[0-9a-f]{12}$/.test(n)), `${images}`);
    w.allow(404, '/api/v1/images/');
    w.allow(403, '/api/v1/images/');
    await w.go(`/ui/images/${world.images['hosted/vault/signer:1']}`, { failing: true });
    holds(await w.page.locator('main .box-bad').count() === 1, 'shows an image that is not its business');
    await w.shot('bound');
  }));

  await test('without the role there are no buttons, and the API refuses as well', () =>
    as(browser, 'pull', {}, async (w) => {
      w.allow(403, '/api/v1/');
      await w.go('/ui/quarantine');
      same(await w.page.getByRole('button', { name: 'Release' }).count(), 0);
      await w.go(`/ui/images/${world.images['hosted/lab/try:1']}`);
      same(await w.page.getByRole('button', { name: 'Release' }).count(), 0);
      const headers = { 'X-Requested-With': 'cocket', 'Content-Type': 'application/json' };
      same((await w.api(`images/${world.images['hosted/lab/try:1']}/release`,
        { method: 'POST', headers, body: JSON.stringify({ reason: 'mine' }) })).status, 403);
      same((await w.api('log/verify')).status, 403);
      await w.go('/ui/notifications', { failing: true });
      await w.go('/ui/log');
      await w.shot('log-pull');
    }));

  await test('another site cannot decide in the name of who is signed in', () =>
    as(browser, 'release', {}, async (w) => {
      w.allow(403, '/api/v1/');
      await w.go('/ui/quarantine');
      const body = JSON.stringify({ reason: 'forged' });
      const path = `images/${world.images['hosted/lab/try:1']}/deny`;
      same((await w.api(path, { method: 'POST', body })).status, 403, 'without the header');
      const cookie = (await w.context.cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
      const forged = await fetch(`${world.url}/api/v1/${path}`, { method: 'POST', body, headers: {
        Cookie: cookie, 'Content-Type': 'application/json', 'X-Requested-With': 'cocket',
        'Sec-Fetch-Site': 'cross-site', Origin: 'http://evil.test' } });
      same(forged.status, 403, 'cross-site');
    }));
}
