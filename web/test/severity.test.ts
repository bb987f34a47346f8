import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Severities, Tag, TagDigest } from '../src/api';
import { buildsOf, cellOf, columnsOf, numberOf, seenOf } from '../src/logic/map';
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
  assert.equal(columnsOf([tag, { tag: 'y', current: now, history: [] }]), 3);
  assert.equal(columnsOf([]), 0);
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
