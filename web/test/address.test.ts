import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '../src/api';
import { backOf } from '../src/logic/back';
import { isNewPage } from '../src/logic/focus';
import { placeOf, to, toAdvisory, toImage, toRepository, withQuery } from '../src/logic/route';
import { ageOf, ago, bytes, count, day, moment, percent, shortDigest, webAddress } from '../src/logic/text';

test('addresses lead where they came from', () => {
  const there = (a: string): [string, string] => {
    const [path = '', search = ''] = a.split('?');
    const p = placeOf(path, search);
    return [p.page, p.arg];
  };
  assert.deepEqual(there('/'), ['overview', '']);
  assert.deepEqual(there('/ui'), ['overview', '']);
  assert.deepEqual(there('/ui/'), ['overview', '']);
  assert.deepEqual(there(to('log')), ['log', '']);
  assert.deepEqual(there(toImage('sha256:ab')), ['images', 'sha256:ab']);
  assert.deepEqual(there(toAdvisory('a/b?c#d%')), ['advisories', 'a/b?c#d%']);
  assert.deepEqual(there('/ui/advisories/%E0%A4%A'), ['advisories', '%E0%A4%A']);
  assert.equal(placeOf('/ui/repositories', toRepository('a/b&c=d').split('?')[1] ?? '').query.get('name'), 'a/b&c=d');
});

test('a filter goes back to the first page, a page keeps the filter', () => {
  const place = placeOf('/ui/images', '?q=x&from=50');
  assert.equal(withQuery(place, { state: 'denied' }), '/ui/images?q=x&state=denied');
  assert.equal(withQuery(place, { from: 100 }), '/ui/images?q=x&from=100');
  assert.equal(withQuery(place, { q: '', from: undefined }), '/ui/images');
  assert.ok(!isNewPage(place, placeOf('/ui/images', '?q=y')));
  assert.ok(isNewPage(place, placeOf('/ui/images/sha256:a', '')));
  assert.ok(isNewPage(placeOf('/ui/repositories', '?name=a'), placeOf('/ui/repositories', '?name=b')));
});

test('after signing in one stays with us', () => {
  assert.equal(backOf('/ui/quarantine?q=a'), '/ui/quarantine?q=a');
  assert.equal(backOf('/ui'), '/ui');
  for (const evil of [null, '', 'https://evil.example/', '//evil.example', '/ui//evil.example', '/\\evil', '/ui/\\evil',
    'javascript:alert(1)', '/uix', ' /ui/'])
    assert.equal(backOf(evil), '/ui/');
});

test('only web addresses become links', () => {
  assert.equal(webAddress('https://a.example/CVE-1'), 'https://a.example/CVE-1');
  for (const evil of [null, '', 'javascript:alert(1)', 'data:text/html,x', ' https://a', 'JaVaScRiPt:x', 'https://a b'])
    assert.equal(webAddress(evil), null);
});

test('questions leave out what is empty', () => {
  assert.equal(address('images', { n: 50, from: 0, q: '', state: undefined }), 'images?n=50&from=0');
  assert.equal(address('images'), 'images');
  assert.equal(address('tags', { repository: 'a/b c&d' }), 'tags?repository=a%2Fb+c%26d');
});

test('times, sizes, counts', () => {
  const now = Date.parse('2026-11-25T12:00:00Z');
  assert.equal(ago('2026-11-25T11:59:30Z', now), 'less than a minute ago');
  assert.equal(ago('2026-11-24T12:00:00Z', now), '1 day ago');
  assert.equal(ago('2026-11-25T14:00:00Z', now), 'in 2 hours');
  assert.equal(ago(null, now), 'never');
  assert.equal(ago('nonsense', now), 'never');
  assert.equal(ageOf(86400 * 15), '2 weeks');
  assert.equal(day('2026-11-25T11:59:30Z'), '2026-11-25');
  assert.equal(moment('2026-11-25T11:59:30Z'), '2026-11-25 11:59');
  assert.equal(day('<script>'), '–');
  assert.equal(bytes(0), '0 bytes');
  assert.equal(bytes(1536), '1.5 KiB');
  assert.equal(bytes(50 * 1024 * 1024), '50 MiB');
  assert.equal(count(1, 'image'), '1 image');
  assert.equal(count(1234, 'image'), '1,234 images');
  assert.equal(percent(0.034), '3.4 %');
  assert.equal(percent(0.5), '50 %');
  assert.equal(shortDigest('sha256:0123456789abcdef'), '0123456789ab');
});
