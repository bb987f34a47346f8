import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Severities, Tag, TagDigest } from '../src/api';
import { buildsOf, cellOf, numberOf, scaleOf, seenOf, timesOf } from '../src/logic/map';
import { segments, sentence, sum, worstOf } from '../src/logic/severity';

const of = (s: Partial<Severities>): Severities =>
  ({ critical: 0, high: 0, medium: 0, low: 0, negligible: 0, unknown: 0, ...s });

test('what was not assessed is never what is clean', () => {
  assert.equal(worstOf(null), 'unassessed');
  assert.equal(worstOf(of({})), 'clean');
  assert.equal(sentence(null), 'not assessed');
  assert.equal(sentence(of({})), 'nothing found');
});

test('the worst decides', () => {
  assert.equal(worstOf(of({ low: 99, high: 1 })), 'high');
  assert.equal(worstOf(of({ unknown: 1 })), 'unknown');
  assert.equal(worstOf(of({ negligible: 1, unknown: 1 })), 'negligible');
  assert.equal(sentence(of({ critical: 1, low: 2 })), '1 critical, 2 low');
  assert.equal(sum(of({ critical: 1, low: 2, unknown: 4 })), 7);
});

test('a bar shows one finding among a thousand, and never leaves its ground', () => {
  const parts = segments(of({ critical: 1, low: 1000 }), 1001, 160);
  assert.deepEqual(parts.map((p) => p.key), ['critical', 'low']);
  assert.ok(parts.every((p) => p.width >= 3));
  const last = parts[parts.length - 1];
  assert.ok(last && last.at + last.width <= 160.001);
  assert.deepEqual(segments(of({}), 0, 160), []);
});

const build = (digest: string, v: Partial<TagDigest> = {}): TagDigest => ({
  digest, first: '2026-01-02T03:04:05Z', current: false, known: true, state: 'cleared',
  severities: of({ high: 3 }), fixable: 1, kev: 0, ...v,
});

test('a tag shows what it means now first, then what it meant before, newest first', () => {
  const now = build('c', { current: true });
  const tag: Tag = { tag: '12', current: now, history: [build('a'), build('b'), now] };
  assert.deepEqual(buildsOf(tag).map((b) => b.digest), ['c', 'b', 'a']);
  assert.deepEqual(buildsOf({ tag: 'x', current: null, history: [build('a')] }).map((b) => b.digest), ['a']);
});

const at = (digest: string, first: string | null, v: Partial<TagDigest> = {}): TagDigest =>
  build(digest, { first: first && `${first}T00:00:00Z`, ...v });
const tagOf = (tag: string, ...history: TagDigest[]): Tag =>
  ({ tag, current: history.find((h) => h.current) ?? null, history });

test('the scale of time is by days while they are few, and then by months and years', () => {
  const tags = [tagOf('a', at('1', '2024-12-31'), at('2', '2025-01-02'), at('3', '2025-03-04', { current: true }))];
  const days = scaleOf(tags, 3);
  assert.deepEqual([days.unit, days.cut], ['day', false]);
  assert.deepEqual(days.columns.map((c) => [c.key, c.label, c.spoken]), [['2025-03-04', 'Mar 4', 'Mar 4, 2025'],
    ['2025-01-02', 'Jan 2', 'Jan 2, 2025'], ['2024-12-31', 'Dec 31', 'Dec 31, 2024']]);
  assert.deepEqual(days.years, [{ year: '2025', columns: 2 }, { year: '2024', columns: 1 }]);
  const more = [...tags, tagOf('b', at('4', '2025-03-05', { current: true }))];
  assert.deepEqual(scaleOf(more, 3).columns.map((c) => c.label), ['Mar', 'Jan', 'Dec']);
  assert.deepEqual(scaleOf(more, 2).columns.map((c) => c.label), ['2025', '2024']);
  const cut = scaleOf(more, 1);
  assert.deepEqual([cut.columns.map((c) => c.label), cut.cut], [['2025'], true]);
  assert.deepEqual(scaleOf([], 12), { unit: 'day', columns: [], years: [], cut: false });
});

test('each build has its place in time, and between two the tag still meant the older one', () => {
  const moving = tagOf('a', at('1', '2025-01-01'), at('2', '2025-02-01'), at('3', '2025-02-02'),
    at('4', '2025-04-01', { current: true }));
  const gone = tagOf('b', at('5', '2025-03-01'));
  const scale = scaleOf([moving, gone], 4);
  assert.deepEqual(scale.columns.map((c) => c.label), ['Apr', 'Mar', 'Feb', 'Jan']);
  const look = (tag: Tag, deep: number): [string, number, string | undefined][] =>
    timesOf(tag, scale, deep).map((t) => [t.builds.map((b) => b.digest).join(' '), t.more, t.still?.digest]);
  assert.deepEqual(look(moving, 9), [['', 0, '4'], ['', 0, '3'], ['3 2', 0, undefined], ['1', 0, undefined]]);
  assert.deepEqual(look(moving, 1)[2], ['3', 1, undefined]);
  assert.deepEqual(look(gone, 9), [['', 0, undefined], ['5', 0, undefined], ['', 0, undefined], ['', 0, undefined]]);
});

test('a build of no date has a column, and stands for no time', () => {
  const tag = tagOf('a', at('1', null), at('2', '2025-02-01', { current: true }));
  const scale = scaleOf([tag], 12);
  assert.deepEqual(scale.columns.map((c) => c.label), ['Feb 1', 'no date']);
  assert.deepEqual(timesOf(tag, scale, 9).map((t) => [t.builds.length, t.still?.digest]), [[0, '2'], [1, undefined]]);
});

test('a cell says in words all that its colour says', () => {
  const tag: Tag = { tag: '12', current: null, history: [] };
  const cell = cellOf('debian', tag, build('a'));
  assert.equal(cell.mark, 'high');
  assert.equal(numberOf(cell), '3');
  assert.equal(cell.label, 'debian:12, from 2026-01-02, 3 high, cleared');
  const part = cellOf('debian', tag, build('a', { complete: false, current: true }));
  assert.match(part.label, /now, since 2026-01-02, 3 high, assessed in part only/);
  assert.deepEqual(seenOf(cell), ['H 3', '2026-01-02']);
  assert.deepEqual(seenOf(part), ['H 3', '2026-01-02 ?']);
  const gone = cellOf('debian', tag, build('a', { known: false }));
  assert.deepEqual(seenOf(gone), ['?', 'gone']);
  assert.equal(gone.mark, 'unassessed');
  assert.match(gone.label, /no longer stored/);
  assert.equal(numberOf(cellOf('debian', tag, build('a', { severities: null }))), '');
});
