import assert from 'node:assert/strict';
import { test } from 'node:test';
import { subscriptionOf } from '../src/logic/subscription';
import { groupsOf, linesOf, restOf, shareOf, sharesOf } from '../src/logic/survey';

const result = {
  groups: [
    { name: 'official', population: 40, drawn: 20, assessed: 19, median_age_days: 30,
      critical: { images: 2, share: 0.1, low: 0.03, high: 0.3 }, high: { images: 0, share: null, low: 0, high: 1 },
      clean: { images: 10, share: 0.5, low: 0.3, high: 0.7 } },
    { name: 'others', population: 900, drawn: 80, assessed: 80, median_age_days: null,
      critical: { images: 32, share: 0.4, low: 0.3, high: 0.5 } },
  ],
  worst: [{ name: 'a/b:1', digest: null, distribution: null, severities: { critical: 3 } }],
  causes: [{ package: 'openssl', id: 'CVE-2022-0778', severity: 'high', images: 12 }, 'x'],
  distributions: [{ name: null, images: 4, critical: 1, high: 2, clean: 0 }],
  unassessed: [{ name: 'c/d:2', why: 'the layer is corrupt' }],
};

test('a survey is read, and what is none is not', () => {
  const groups = groupsOf(result);
  assert.deepEqual(groups.map((g) => [g.name, g.population, g.drawn, g.assessed, g.age]),
    [['official', 40, 20, 19, 30], ['others', 900, 80, 80, null]]);
  assert.equal(groups[0]?.shares.high, undefined, 'a share of nothing is not known');
  for (const none of [null, undefined, 7, 'x', [], {}, { groups: null }, { groups: { all: 3 } }, { groups: [3, null] }])
    assert.deepEqual(groupsOf(none), []);
  const none = { worst: [], causes: [], distributions: [], unassessed: [] };
  assert.deepEqual(restOf('x'), none);
  assert.deepEqual(restOf({ worst: 3, causes: [null] }), none);
  const rest = restOf(result);
  assert.equal(rest.worst[0]?.severities.critical, 3);
  assert.equal(rest.worst[0]?.severities.low, 0);
  assert.deepEqual(rest.causes.map((c) => [c.id, c.severity]), [['CVE-2022-0778', 'high']]);
  assert.equal(rest.distributions[0]?.name, 'not known');
  assert.equal(rest.unassessed[0]?.why, 'the layer is corrupt');
});

test('shares stay between none and all', () => {
  assert.deepEqual(shareOf({ share: 2, low: -1, high: NaN }), { share: 1, low: 0, high: 1 });
  for (const none of [null, { low: 0.1 }, { share: null }, { share: '0.1' }, 0.5]) assert.equal(shareOf(none), null);
});

test('lines of a plot lie in it, oldest first, one a registry and group', () => {
  const points = sharesOf([
    { number: 2, registry: 'r', ended: '2026-02-01T00:00:00Z', shares: result },
    { number: 1, registry: 'r', ended: '2026-01-01T00:00:00Z', shares: result },
    { number: 3, registry: 'r', ended: null, shares: result },
  ]);
  assert.deepEqual([...new Set(points.map((p) => p.number))], [1, 2]);
  const lines = linesOf(points.filter((p) => p.kind === 'critical'), 100, 50);
  assert.deepEqual(lines.map((l) => l.key), ['r official', 'r others']);
  assert.deepEqual(lines[0]?.points.map((p) => p.x), [0, 100]);
  assert.deepEqual(lines[0]?.points.map((p) => p.y), [45, 45]);
  assert.deepEqual(linesOf(points.filter((p) => p.kind === 'clean' && p.number === 1), 100, 50)[0]?.points[0]?.x, 50);
});

test('a subscription says what was filled in', () => {
  const form = new FormData();
  for (const [k, v] of [['name', ' ops '], ['way', 'webhook'], ['target', 'https://h.example/x'], ['secret', ''],
    ['severity', 'high'], ['kinds', 'withdrawn'], ['kinds', 'base'], ['digest_seconds', '-3']] as const)
    form.append(k, v);
  assert.deepEqual(subscriptionOf(form), { name: 'ops', way: 'webhook', target: 'https://h.example/x',
    severity: 'high', kinds: ['withdrawn', 'base'], digest_seconds: 0 });
});
