// Where an address of the page leads, and the address that leads there.

export interface Place { page: string; arg: string; query: URLSearchParams }

export function placeOf(path: string, search: string): Place {
  const query = new URLSearchParams(search);
  const parts = path.replace(/^\/(ui(\/|$))?/, '').split('/');
  let arg = parts.slice(1).join('/');
  try {
    arg = decodeURIComponent(arg);
  } catch {
    // not the encoding of anything: shown as it stands
  }
  return { page: parts[0] || 'overview', arg, query };
}

export function to(page: string, arg = '', query: Record<string, string | number | undefined> = {}): string {
  const q = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== '') q.set(key, String(value));
  const text = q.toString();
  const path = page === 'overview' ? '/ui/' : `/ui/${page}`;
  const rest = arg ? `/${encodeURIComponent(arg).replace(/%3A/gi, ':').replace(/%40/gi, '@')}` : '';
  return path + rest + (text ? `?${text}` : '');
}

export const toImage = (digest: string, query: Record<string, string | number | undefined> = {}): string =>
  to('images', digest, query);
export const toRepository = (name: string): string => to('repositories', '', { name });
export const toAdvisory = (id: string): string => to('advisories', id);

// The same address with some of its query changed; a change of anything but the page goes back to the first.
export function withQuery(place: Place, change: Record<string, string | number | undefined>): string {
  const all: Record<string, string | number | undefined> = Object.fromEntries(place.query);
  if (!('from' in change)) delete all['from'];
  return to(place.page, place.arg, { ...all, ...change });
}
