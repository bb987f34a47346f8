// SPDX-License-Identifier: GPL-3.0-or-later
// What one does with the pages; it changes what is there.
import { readFileSync } from 'node:fs';
import { as, holds, same, Skip, test, world } from './lib.mjs';
import { SHOP, imageOf, repository } from './places.mjs';

const rows = (w) => w.page.locator('main tbody tr');
const total = async (w) => Number(/of ([\d,]+)/.exec(await w.page.locator('.pager [role=status]').first()
  .innerText())?.[1].replaceAll(',', '') ?? 0);

const NEWS = '[role=status][aria-label="News of the work"]';

export default async function actions(browser) {
  await test('repository, image, finding, advisory: one click each, with the CVE number', () =>
    as(browser, 'pull', {}, async (w) => {
      const { page } = w;
      await w.go('/ui/repositories');
      await page.getByRole('link', { name: SHOP, exact: true }).click();
      await page.locator('table.map').waitFor();
      await w.ready();
      const cell = page.locator('table.map tbody tr').filter({ has: page.getByRole('rowheader', { name: '1.0', exact: true }) })
        .locator('td.cell a').first();
      const label = await cell.getAttribute('title');
      holds(/critical|high/.test(label), label);
      await cell.click();
      await page.locator('h1', { hasText: `${SHOP}:1.0` }).waitFor();
      await w.ready();
      const digest = /sha256:[0-9a-f]{64}/.exec(page.url())?.[0];
      same(digest, world.images['hosted/shop/web:1.0']);
      const finding = rows(w).first();
      const text = await finding.innerText();
      const cve = /CVE-\d+-\d+/.exec(text)?.[0];
      holds(cve && /critical|high/.test(text), `the first row is ${text}`);
      await finding.getByRole('link', { name: cve }).click();
      await page.locator('h1', { hasText: cve }).waitFor();
      await w.ready();
      holds((await page.locator('main').innerText()).includes(`${SHOP}:1.0`), 'the advisory does not name the image');
      const truth = (await w.api(`advisories/${cve}`)).body;
      holds(truth.images_total >= 1 && truth.statements.length >= 1, JSON.stringify(truth).slice(0, 300));
    }));

  await test('the colour map is what the images are', () => as(browser, 'pull', {}, async (w) => {
    await w.go(repository(SHOP));
    const tags = await w.items(`tags?repository=${encodeURIComponent(SHOP)}`);
    same(tags.map((t) => t.tag).sort(), ['1.0', '1.1', '1.2', '1.3', '1.4', '1.5', '1.6', 'latest']);
    const latest = tags.find((t) => t.tag === 'latest');
    same(latest.history.length, 7, 'builds of latest');
    const cells = await w.page.locator('table.map tbody tr').filter({
      has: w.page.getByRole('rowheader', { name: 'latest', exact: true }) }).locator('td.cell').evaluateAll((all) =>
      all.map((td) => [td.querySelector('a')?.getAttribute('href').split('/').pop(), td.className]));
    same(cells.length, 7);
    for (const [href, look] of cells) {
      const digest = decodeURIComponent(href);
      const image = (await w.api(`images/${digest}`)).body;
      const worst = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'].find((k) => image.severities[k]) ?? 'clean';
      holds(look.includes(`cell-${worst}`), `${digest} is ${worst}, shown as ${look}`);
      const report = (await w.api(`images/${digest}/report`)).body;
      const count = {};
      for (const f of report.findings) count[f.severity] = (count[f.severity] ?? 0) + 1;
      for (const [k, n] of Object.entries(image.severities)) same(n, count[k] ?? 0, `${digest} ${k}`);
    }
    const days = await w.page.locator('table.map tbody tr').filter({
      has: w.page.getByRole('rowheader', { name: 'latest', exact: true }) }).locator('.cell-date').allInnerTexts();
    same(days, [...days].sort().reverse(), 'newest first');
    same(days[0], '2026-07-01');
    // The scale: each build stands below its year and day, and bands run from the day on which a tag came to be.
    const years = await w.page.locator('table.map thead th.year').evaluateAll((all) => all.map((th) => [th.innerText, th.colSpan]));
    same(years, [['2026', 1], ['2025', 2], ['2024', 1], ['2023', 1], ['2022', 1], ['2021', 1]]);
    const heads = await w.page.locator('table.map thead tr').nth(1).locator('th').allTextContents();
    same(heads.map((t) => t.replace(/, \d+/, (y) => `${y} `).split(' ').slice(0, 3).join(' ')),
      ['Jul 1, 2026', 'Nov 1, 2025', 'Feb 1, 2025', 'May 1, 2024', 'Sep 1, 2023', 'Dec 1, 2022', 'Oct 1, 2021']);
    const below = await w.page.locator('table.map tbody tr').evaluateAll((all) => all.map((tr) => [
      tr.querySelector('th').innerText, [...tr.querySelectorAll('td')].slice(1).map((td) =>
        td.querySelector('.cell-date')?.textContent ?? (td.querySelector('.band') ? '=' : ''))]));
    same(below.find(([t]) => t === 'latest')[1], ['=', ...days.slice(1)]);
    same(below.find(([t]) => t === '1.3')[1], ['=', '=', '=', '=', '', '', '']);
  }));

  await test('searches, filters and pages of lists agree with the API', () => as(browser, 'pull', {}, async (w) => {
    const { page } = w;
    await w.go('/ui/images');
    const all = await total(w);
    holds(all > 40, `only ${all} images`);
    await page.getByRole('searchbox', { name: /Search name/ }).fill('shop/mail');
    await page.waitForURL(/q=shop/);
    await w.ready();
    same(await total(w), 7);
    await page.getByRole('searchbox', { name: /Search name/ }).fill('');
    await page.waitForURL((u) => !u.search.includes('q='));
    for (const state of ['cleared', 'quarantined', 'denied']) {
      await page.getByLabel('State').selectOption(state);
      await page.waitForURL(new RegExp(`state=${state}`));
      await w.ready();
      same(await total(w), (await w.api(`images?state=${state}&n=1`)).body.total, state);
      const states = await rows(w).locator('.state').allInnerTexts();
      holds(states.length && states.every((s) => s.trim() === state), `${state}: ${states}`);
    }
    await page.getByLabel('State').selectOption('');
    await page.getByLabel('Severity').selectOption('critical');
    await page.waitForURL(/severity=critical/);
    await w.ready();
    same(await total(w), (await w.api('images?severity=critical&n=1')).body.total);
    await page.getByLabel('Order').selectOption('worst');
    await page.waitForURL(/order=worst/);
    await page.getByLabel(/only what could not/).check();
    await page.waitForURL(/incomplete=1/);
    await w.ready();
    same(await total(w), (await w.api('images?severity=critical&incomplete=1&n=1')).body.total);
  }));

  await test('findings: pages, search, severity, fix, exploited', () => as(browser, 'pull', {}, async (w) => {
    const { page } = w;
    await w.go(imageOf('hosted/lab/try:1'));
    const digest = world.images['hosted/lab/try:1'];
    const all = await total(w);
    holds(all > 300, `only ${all} findings`);
    const seen = new Set();
    for (let from = 0; from < all; from += 50) {
      for (const row of await rows(w).evaluateAll((r) => r.map((x) => `${x.children[1].innerText} ${x.children[2].innerText}`)))
        seen.add(row);
      const next = page.getByRole('link', { name: 'Next' }).first();
      if (!(await next.count())) break;
      await next.click();
      await page.waitForURL(new RegExp(`from=${from + 50}`));
      await w.ready();
    }
    const truth = new Set((await w.api(`images/${digest}/report`)).body.findings.map((f) => `${f.id} ${f.package.name}`));
    holds(seen.size >= truth.size, `${seen.size} seen of ${truth.size}`);
    await w.go(imageOf('hosted/lab/try:1'));
    await page.getByRole('searchbox', { name: /Search findings/ }).fill('squid');
    await page.waitForURL(/q=squid/);
    await w.ready();
    const packages = await rows(w).evaluateAll((r) => r.map((x) => x.children[2].innerText));
    holds(packages.length && packages.every((p) => p.includes('squid')), `${packages}`);
    await page.getByRole('searchbox', { name: /Search findings/ }).fill('');
    await page.waitForURL((u) => !u.search.includes('q='));
    await page.getByLabel(/exploited/).check();
    await page.waitForURL(/kev=1/);
    await w.ready();
    same(await total(w), (await w.api(`images/${digest}/findings?kev=1&n=1`)).body.total);
  }));

  await test('layers against severities: each with its Dockerfile line, and one click to its findings', () =>
    as(browser, 'pull', {}, async (w) => {
      await w.go(`${imageOf('hosted/shop/worker:1.0')}?part=layers`);
      const lines = await w.page.locator('table.layers td.line').allInnerTexts();
      same(lines.length, 3);
      holds(lines[0].startsWith('ADD almalinux') && lines[1].includes('dnf -y install nodejs') &&
        lines[2].startsWith('COPY worker'), `${lines}`);
      const cell = w.page.locator('table.layers tbody tr').nth(1).locator('td.cell a').first();
      const n = Number(/ (\d+)/.exec(await cell.textContent())[1]);
      await cell.click();
      await w.page.waitForURL(/layer=/);
      await w.ready();
      same(await total(w), n);
    }));

  await test('an SBOM is a download and what it says it is', () => as(browser, 'pull', {}, async (w) => {
    await w.go(`${imageOf('hosted/shop/web:1.0')}?part=sbom`);
    const packages = (await w.items(`images/${world.images['hosted/shop/web:1.0']}/packages?n=200`)).length;
    for (const [title, count, check] of [
      ['CycloneDX', (d) => d.components.filter((c) => c.purl).length, (d) => d.bomFormat === 'CycloneDX'],
      ['SPDX', (d) => d.packages.filter((p) => p.externalRefs?.length).length, (d) => /^SPDX-2/.test(d.spdxVersion)],
      ['report', (d) => d.packages.length, (d) => d.schemaVersion === 1]]) {
      const [download] = await Promise.all([w.page.waitForEvent('download'),
        w.page.getByRole('link', { name: new RegExp(title) }).click()]);
      const doc = JSON.parse(readFileSync(await download.path(), 'utf8'));
      holds(check(doc), `${title}: ${JSON.stringify(doc).slice(0, 200)}`);
      same(count(doc), packages, title);
      holds(/\.json$/.test(download.suggestedFilename()), download.suggestedFilename());
    }
  }));

  await test('comparing two tags says what the second mends', () => as(browser, 'pull', {}, async (w) => {
    await w.go(`${imageOf('hosted/shop/web:1.0')}?part=diff`);
    await w.page.getByLabel('Another tag').fill(`${SHOP}:1.6`);
    await w.page.getByRole('button', { name: 'Compare' }).click();
    await w.page.getByText('Packages that differ').first().waitFor();
    const ids = async (tag) => new Set((await w.api(`images/${world.images[`hosted/shop/web:${tag}`]}/report`)).body
      .findings.map((f) => f.id));
    const [a, b] = [await ids('1.0'), await ids('1.6')];
    const diff = (await w.api(`images/${world.images['hosted/shop/web:1.0']}/diff?with=${encodeURIComponent(`${SHOP}:1.6`)}`)).body;
    for (const f of diff.findings.removed) holds(a.has(f.id), `${f.id} was never there`);
    for (const f of diff.findings.added) holds(b.has(f.id), `${f.id} is not there`);
    holds(diff.findings.removed.length > 10, `only ${diff.findings.removed.length} fewer`);
    const heading = await w.page.getByRole('heading', { name: /Findings fewer/ }).innerText();
    same(heading, `Findings fewer (${diff.findings.removed.length})`);
  }));

  await test('an advisory says which images have it and who pulled them', () => as(browser, 'admin', {}, async (w) => {
    await w.go('/ui/advisories');
    await w.page.getByRole('searchbox', { name: /Search ids/ }).fill('CVE-2022-0778');
    await w.page.waitForURL(/q=CVE-2022-0778/);
    await w.ready();
    await w.page.getByRole('link', { name: 'CVE-2022-0778', exact: true }).click();
    await w.page.locator('h1', { hasText: 'CVE-2022-0778' }).waitFor();
    await w.ready();
    const recalled = (await w.api('advisories/CVE-2022-0778')).body;
    holds(recalled.images.length && recalled.pulls.length, JSON.stringify(recalled).slice(0, 400));
    const text = await w.page.locator('main').innerText();
    for (const p of recalled.pulls) holds(text.includes(p.who), `${p.who} is not named`);
    holds(text.includes('pull') && text.includes('bound'), 'who pulled it');
  }));

  await test('a release wants a reason', () => as(browser, 'release', {}, async (w) => {
    await w.go('/ui/quarantine');
    const form = w.page.getByRole('form', { name: /hosted\/vault\/signer:1/ });
    await form.getByRole('button', { name: 'Release' }).click();
    await form.getByRole('alert').waitFor();
    same(await form.locator('input').evaluate((e) => e === document.activeElement), true);
  }));

  await test('what two persons must release is not released by one, twice', async () => {
    const digest = world.images['hosted/vault/signer:1'];
    const release = async (w, says) => {
      await w.go('/ui/quarantine');
      const form = w.page.getByRole('form', { name: /hosted\/vault\/signer:1/ });
      await form.getByLabel('Reason').fill('read by two of us');
      await form.getByRole('button', { name: 'Release' }).click();
      await w.page.getByText(says).first().waitFor();
    };
    await as(browser, 'release', {}, async (w) => {
      await release(w, 'Released by 1 of 2 persons');
      same((await w.api(`images/${digest}`)).body.state, 'quarantined');
      await release(w, 'Released by 1 of 2 persons');
      same((await w.api(`images/${digest}`)).body.state, 'quarantined', 'the same person twice');
      await w.shot('quarantine-half-released');
    });
    await as(browser, 'release2', {}, async (w) => {
      await w.go('/ui/quarantine');
      holds((await w.page.locator('main').innerText()).includes('Released by 1 of 2 persons'), 'not said to the second');
      await w.page.getByRole('form', { name: /hosted\/vault\/signer:1/ }).getByLabel('Reason').fill('me too');
      await w.page.getByRole('form', { name: /hosted\/vault\/signer:1/ }).getByRole('button', { name: 'Release' }).click();
      await w.page.waitForFunction((name) => !document.querySelector('main').innerText.includes(name),
        'hosted/vault/signer:1', { timeout: 15000 });
      same((await w.api(`images/${digest}`)).body.state, 'cleared');
      await w.go(`/ui/images/${digest}`);
      await w.shot('image-released');
    });
  });

  await test('denying holds, and the log says who and why', () => as(browser, 'release2', {}, async (w) => {
    await w.go('/ui/quarantine');
    const form = w.page.getByRole('form', { name: /hosted\/lab\/try:1/ });
    await form.getByLabel('Reason').fill('a kernel in an image');
    await form.getByRole('button', { name: 'Deny' }).click();
    await w.page.waitForFunction((name) => !document.querySelector('main').innerText.includes(name), 'hosted/lab/try:1');
    await w.go(imageOf('hosted/lab/try:1'));
    holds(/Verdict:\s*denied/.test(await w.page.locator('main').innerText()), 'not denied');
    await w.go('/ui/log');
    const text = await w.page.locator('main').innerText();
    holds(text.includes('a kernel in an image') && text.includes('release2'), 'not in the log');
  }));

  await test('what the policy denies nobody can release, and that is said', () => as(browser, 'release', {}, async (w) => {
    w.allow(403, '/api/v1/').allow(409, '/api/v1/');
    await w.go(imageOf('hosted/desk/browser:115'));
    same(await w.page.locator('.verdict-deny').count(), 1);
    const button = w.page.getByRole('button', { name: 'Release' });
    if (await button.count()) {
      await w.page.getByLabel('Reason').fill('please');
      await button.click();
      await w.page.getByRole('alert').waitFor();
    }
    same((await w.api(`images/${world.images['hosted/desk/browser:115']}`)).body.state, 'denied');
  }));

  await test('a policy is tried without being in force', () => as(browser, 'admin', {}, async (w) => {
    w.allow(400, '/api/v1/');
    await w.go('/ui/policy');
    const text = await w.page.locator('main').innerText();
    for (const part of ['two persons', 'what we ship', 'expired', '2027-01-31', 'CVE-2022-0778'])
      holds(text.includes(part), `the policy page does not say ${part}`);
    const field = w.page.getByLabel(/Policy to try/);
    holds((await field.inputValue()).includes('name: what we ship'), 'it does not begin with the policy in force');
    await field.fill('version: 1\ndefault: deny\n');
    await w.page.getByRole('button', { name: 'Replay' }).click();
    await w.page.locator('form [role=status], form [role=alert]').first().waitFor();
    holds(/verdicts would change/.test(await w.page.locator('form [role=status], form [role=alert]').first().innerText()),
      'no replay');
    const changed = await w.page.locator('main table').last().locator('tbody tr').count();
    holds(changed > 20, `only ${changed} would change`);
    await w.shot('policy-replayed');
    await field.fill('version: 1\ndefault: [<script>window.__pwned=820</script>\n');
    await w.page.getByRole('button', { name: 'Replay' }).click();
    await w.page.getByRole('alert').waitFor();
    same((await w.api(`images/${world.images['hosted/shop/web:1.6']}`)).body.state, 'cleared', 'it came into force');
  }));

  await test('the chain of the log is verified', () => as(browser, 'admin', {}, async (w) => {
    await w.go('/ui/log');
    await w.page.getByRole('button', { name: 'Verify the chain' }).click();
    await w.page.getByText('The chain holds').waitFor();
    const truth = (await w.api('log/verify')).body;
    holds((await w.page.locator('main').innerText()).includes(truth.head), 'the head is not shown');
    const records = (await w.items('log?n=3'));
    holds(records[0].number > records[1].number, 'newest first');
    await w.shot('log-verified');
  }));

  await test('a subscription is made, tried and removed; its secret is never shown', () =>
    as(browser, 'admin', {}, async (w) => {
      const { page } = w;
      await w.go('/ui/notifications');
      await page.getByLabel('Name').fill('team');
      await page.getByLabel(/Address/).fill('http://127.0.0.1:9/hook');
      await page.getByLabel('Secret').fill('a secret of the team');
      await page.getByLabel('Severity at least').selectOption('high');
      await page.getByLabel('withdrawn').check();
      await page.getByRole('button', { name: 'Subscribe' }).click();
      await page.getByText('will be told').waitFor();
      await page.getByRole('rowheader', { name: 'team' }).waitFor();
      const made = (await w.items('subscriptions')).find((s) => s.name === 'team');
      same([made.way, made.target, made.kinds, made.severity, made.has_secret],
        ['webhook', 'http://127.0.0.1:9/hook', ['withdrawn'], 'high', true]);
      holds(!JSON.stringify(await w.api('subscriptions')).includes('a secret of the team'), 'the secret is told');
      holds(!(await page.content()).includes('a secret of the team'), 'the secret is shown');
      await page.getByRole('button', { name: 'Send a test to team' }).click();
      const said = page.locator('.row-actions [role=status]');
      await said.filter({ hasText: /./ }).waitFor({ timeout: 10000 });
      same(await said.innerText(), 'A test is on its way.');
      await w.shot('notifications-made');
      await page.getByRole('button', { name: 'Remove team' }).click();
      await page.getByRole('button', { name: 'Really remove team' }).click();
      await page.getByText('Nobody is told yet').waitFor();
      same((await w.items('subscriptions')).filter((s) => s.name === 'team'), []);
    }));

  await test('what changed since yesterday is on the overview', () => as(browser, 'pull', {}, async (w) => {
    if (!world.events) throw new Skip('this cocket does not watch');
    await w.go('/ui/');
    const table = w.page.getByRole('table', { name: 'What changed since yesterday' });
    holds(await table.getByRole('row').count() > 1, 'nothing changed');
    const events = await w.items('events?n=200');
    holds(events.some((e) => e.kind === 'findings'), `${[...new Set(events.map((e) => e.kind))]}`);
  }));

  await test('a survey: its shares with their intervals, its plot', () => as(browser, 'admin', {}, async (w) => {
    if (!world.survey) throw new Skip('this cocket makes no surveys');
    await w.go('/ui/surveys/1');
    const text = await w.page.locator('main').innerText();
    holds(/\d+ ?%.*\(\d+(\.\d+)? %.* to \d+/.test(text), `no shares: ${text.slice(0, 300)}`);
    const survey = (await w.api('surveys/1')).body;
    same(survey.state, 'done');
    await w.go('/ui/');
    holds(await w.page.locator('.plot svg').count() > 0, 'no plot on the overview');
  }));

  await test('long work shows its progress while it goes on', () => as(browser, 'admin', {}, async (w) => {
    if (!world.survey || !world.upstream) throw new Skip('there is nothing long to do');
    // The page listens again: what is over while it does not is never shown.
    const listens = w.page.waitForRequest((r) => r.url().endsWith('/stream')).then(() =>
      w.page.waitForRequest((r) => r.url().endsWith('/stream'), { timeout: 5000 }));
    await w.go('/ui/surveys');
    await listens;
    const shown = w.page.waitForFunction(() => document.querySelector('.work progress') !== null ||
      document.querySelector('main progress') !== null, null, { timeout: 20000 });
    await w.page.getByLabel('Registry').fill(world.upstream);
    await w.page.getByLabel('Images to draw').fill('14');
    await w.page.getByRole('button', { name: 'Begin a survey' }).click();
    await w.page.getByText('The survey has begun').waitFor();
    await shown;
    await w.shot('progress');
    await w.page.waitForFunction(() => !document.querySelector('main progress'), null, { timeout: 60000 });
  }));

  await test('looking again is begun by a person, and what came of it is shown and said', async () => {
    await as(browser, 'pull', {}, async (w) => {
      await w.go('/ui/');
      same(await w.page.getByRole('button', { name: 'Look again now' }).count(), 0, 'who may only pull sees the button');
    });
    await as(browser, 'admin', {}, async (w) => {
      const { page } = w;
      const answered = page.waitForResponse((r) => r.url().endsWith('/stream'));
      await w.go('/ui/');
      await answered;
      const before = (await w.api('log?event=watch')).body.total;
      const button = page.getByRole('button', { name: 'Look again now' });
      await button.focus();
      await page.keyboard.press('Enter');
      await page.locator(NEWS, { hasText: /^Looked again: .*matched again/ }).waitFor({ state: 'attached', timeout: 60000 });
      await page.locator('.looking', { hasText: /^Looked again .*\): .*matched again/ }).waitFor();
      await button.and(page.locator(':enabled')).waitFor();
      const log = (await w.api('log?event=watch')).body;
      same([log.total, log.items[0].who], [before + 1, 'admin']);
      await w.shot('looked-again');
    });
  });

  await test('a round that takes its time is shown as it goes on, and a reader is not talked to all the time', () =>
    as(browser, 'admin', {}, async (w) => {
      const { page } = w;
      let n = 0;
      const rounds = { ended: '2026-01-01T00:00:00Z', failed: false, rounds: 1, matched: 10000, judged: 10000, changed: 2,
        verdicts: 1, withdrawn: 1, tags_asked: 0, tags_not_had: 0, tags_moved: 0, bases: 0, feeds_failed: 0,
        without_inventory: 0, other_version: 0 };
      await page.route('**/api/v1/stream', async (route) => {
        const said = n < 20 ? { work: [{ kind: 'watch', what: n < 3 ? 'feeds' : 'matching', done: n * 500, total: n < 3 ? null : 10000 }],
          watched: null } : { work: [], watched: rounds };
        n++;
        if (n > 25) await new Promise((r) => { setTimeout(r, 1000); });
        await route.fulfill({ contentType: 'text/event-stream',
          body: `retry: 100\nid: 0-00000000\nevent: progress\ndata: ${JSON.stringify(said)}\n\n` }).catch(() => {});
      });
      await page.addInitScript(`window.__spoken = []; window.__shown = [];
        new MutationObserver(() => {
          for (const [list, at] of [[window.__shown, '.work li'], [window.__spoken, ${JSON.stringify(NEWS)}]]) {
            const text = document.querySelector(at)?.textContent.trim();
            if (text && list.at(-1) !== text) list.push(text);
          }
        }).observe(document, { subtree: true, childList: true, characterData: true });`);
      await w.go('/ui/');
      await page.locator('.work li', { hasText: 'matching images' }).waitFor();
      same(await page.locator('.work progress').evaluate((p) => [p.max, p.value % 500]), [10000, 0]);
      same(await page.getByRole('button', { name: 'Look again now' }).isDisabled(), true, 'a second one can be begun');
      await w.shot('looking-again');
      await page.locator(NEWS, { hasText: /^Looked again: 1 image withdrawn, 10,000 images matched again/ })
        .waitFor({ state: 'attached', timeout: 30000 });
      const { shown, spoken } = await page.evaluate(() => ({ shown: window.__shown, spoken: window.__spoken }));
      holds(shown.length >= 10, `shown was ${JSON.stringify(shown)}`);
      holds(spoken.length >= 2 && spoken.length <= 4, `spoken was ${JSON.stringify(spoken)}`);
      same(await page.locator('.work li').count(), 0, 'work that is over is shown');
      await page.unrouteAll({ behavior: 'ignoreErrors' });
    }));
}
