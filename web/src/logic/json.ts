// What the gate says, with each character that is not seen, or that changes how others are read (controls, marks of
// direction, what has no width), as its escape: an image's name must not read as another one.

const unseen =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

export const seen = (text: string): string =>
  text.replace(unseen, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);

// A policy's text stays as it is: it is sent back.
function shown(key: string, value: unknown): unknown {
  if (typeof value === 'string') return key === 'yaml' ? value : seen(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  return entries.some(([k]) => seen(k) !== k) ? Object.fromEntries(entries.map(([k, v]) => [seen(k), v])) : value;
}

export const parse = <T>(text: string): T => JSON.parse(text, shown) as T;
