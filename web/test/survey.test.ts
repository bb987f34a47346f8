import assert from 'node:assert/strict';
import { test } from 'node:test';
import { subscriptionOf } from '../src/logic/subscription';
import { groupsOf, linesOf, rowsOf, shareOf, sharesOf } from '../src/logic/survey';

const result = {
  groups: {
    official: { images: 20, critical: { share: 0.1, low: 0.03, high: 0.3 },
      clean: { share: 0.5, low: 0.3, high: 0.7 } },
    others: { images: 80, critical: { share: 0.4, low: 0.3, high: 0.5 } },
  },
};

test('a survey is read, and what is none is not', () => {
  const groups = groupsOf(result);
  assert.deepEqual(groups.map((g) => [g.name, g.images]), [['official', 20], ['others', 80]]);
  assert.equal(groups[0]?.shares.high, undefined);
  for (const none of [null, undefined, 7, 'x', [], {}, { groups: null }, { groups: { all: 3 } }])
    assert.deepEqual(groupsOf(none), []);
  assert.deepEqual(rowsOf('x'), { worst: [], causes: [] });
});

test('shares stay between none and all', () => {
  assert.deepEqual(shareOf({ share: 2, low: -1, high: NaN }), { share: 1, low: 0, high: 1 });
  assert.equal(shareOf({ low: 0.1 }), null);
  assert.equal(shareOf(null), null);
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
