import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, seen } from '../src/logic/json';

test('what is not seen, or turns others around, is shown as its escape', () => {
  assert.equal(seen('a\u202ebc\u0000\u001b[1m\u009b\u200b\u2066\ufeff'),
    'a\\u{202e}bc\\u{0}\\u{1b}[1m\\u{9b}\\u{200b}\\u{2066}\\u{feff}');
  assert.equal(seen('Zürich\n\t日本 עברית 👍'), 'Zürich\n\t日本 עברית 👍');
});

test('in every string, also in the names of members, and nowhere else', () => {
  assert.deepEqual(parse('{"a\\u202e":["x\\u0007",1,null,true],"yaml":"\\u202e"}'),
    { 'a\\u{202e}': ['x\\u{7}', 1, null, true], yaml: '\u202e' });
});

test('a member named __proto__ is a member', () => {
  const o = parse<Record<string, unknown>>('{"__proto__":"\\u202e","x\\u202e":1}');
  assert.deepEqual(Object.keys(o), ['__proto__', 'x\\u{202e}']);
  assert.equal(Object.getPrototypeOf(o), Object.prototype);
});
