import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Watched, Work } from '../src/api';
import { announce, farOf, keyOf, resultOf, titleOf, type Said } from '../src/logic/work';

const round = (what: string, done = 0, total: number | null = null): Work => ({ kind: 'watch', what, done, total });
const ended: Watched = { ended: '2026-01-01T00:00:00Z', failed: false, rounds: 1, matched: 1200, judged: 9, changed: 3,
  verdicts: 1, withdrawn: 1, tags_asked: 5, tags_not_had: 2, tags_moved: 0, bases: 0, feeds_failed: 1,
  without_inventory: 2, other_version: 1 };
const nothing: Said = { keys: [], titles: [], at: -Infinity, rounds: -1 };

test('work says where it stands', () => {
  assert.equal(titleOf(round('matching')), 'Looking again: matching images');
  assert.equal(titleOf(round('something new')), 'Looking again: something new');
  assert.equal(titleOf({ kind: 'fetch', what: 'a/b:1', done: 3, total: 100 }), 'Fetch a/b:1');
  assert.equal(farOf(round('tags', 3, 1200)), '3 of 1,200');
  assert.equal(farOf(round('feeds')), '');
  assert.equal(keyOf(round('feeds')), keyOf(round('tags')));
});

test('what came of a round is its counts', () => {
  assert.equal(resultOf(ended), '1 image withdrawn, 1,200 images matched again, 3 with other findings, ' +
    '5 tags asked about, 0 moved, 2 tags not to be had, 3 images to be scanned again first, 1 feed failed');
  assert.match(resultOf({ ...ended, failed: true }), /^it broke off/);
});

test('who listens hears the beginning, some of the way, and the end', () => {
  let said = nothing;
  const heard: string[] = [];
  const at = (ms: number, work: Work[], watched: Watched | null): void => {
    const next = announce(said, work, watched, ms);
    said = next.said;
    if (next.text !== null) heard.push(`${ms} ${next.text}`);
  };
  at(0, [], null);
  for (let ms = 0; ms < 60000; ms += 500) at(ms, [round('matching', ms, 60000)], null);
  at(60000, [], ended);
  at(60500, [], ended);
  assert.deepEqual(heard.map((l) => Number.parseInt(l, 10)), [0, 20000, 40000, 60000]);
  assert.match(heard[3] ?? '', /Looked again: 1 image withdrawn/);
});

test('a part that is over in no time is not spoken of, and short work alone never', () => {
  const first = announce(nothing, [round('feeds')], null, 0);
  assert.equal(announce(first.said, [round('database')], null, 1000).text, null);
  assert.match(announce(first.said, [round('matching', 1, 9)], null, 6000).text ?? '', /matching images, 1 of 9/);
  assert.equal(announce(nothing, [{ kind: 'scan', what: 'sha256:0', done: 1, total: 100 }], null, 0).text, null);
});

test('a round that ended before anybody listened is no news', () => {
  const first = announce(nothing, [], ended, 0);
  assert.equal(first.text, null);
  assert.equal(announce(first.said, [], ended, 1000).text, null);
  assert.match(announce(first.said, [], { ...ended, rounds: 2 }, 2000).text ?? '', /^Looked again/, 'over in no time');
});
