const units: readonly [number, string][] = [
  [86400 * 365, 'year'], [86400 * 30, 'month'], [86400 * 7, 'week'], [86400, 'day'], [3600, 'hour'],
  [60, 'minute'],
];

export function ageOf(seconds: number): string {
  const s = Math.abs(seconds);
  for (const [size, name] of units)
    if (s >= size) {
      const n = Math.floor(s / size);
      return `${n} ${name}${n === 1 ? '' : 's'}`;
    }
  return 'less than a minute';
}

export function ago(time: string | null, now: number): string {
  const t = time ? Date.parse(time) : NaN;
  if (Number.isNaN(t)) return 'never';
  const s = (now - t) / 1000;
  return s < 0 ? `in ${ageOf(s)}` : `${ageOf(s)} ago`;
}

export function day(time: string | null): string {
  return time && !Number.isNaN(Date.parse(time)) ? time.slice(0, 10) : '–';
}

export function moment(time: string | null): string {
  return time && !Number.isNaN(Date.parse(time)) ? `${time.slice(0, 10)} ${time.slice(11, 16)}` : '–';
}

export function bytes(n: number): string {
  const names = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let k = 0;
  while (n >= 1024 && k < names.length - 1) {
    n /= 1024;
    k++;
  }
  return k === 0 ? `${n} bytes` : `${n < 10 ? n.toFixed(1) : Math.round(n)} ${names[k]}`;
}

export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

export const shortDigest = (d: string | null): string =>
  d ? d.replace(/^sha(256|512):/, '').slice(0, 12) : '–';

export const percent = (share: number): string =>
  `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

// Only what leads to a web page: an advisory's address comes from a feed.
export function webAddress(url: string | null): string | null {
  return url && /^https?:\/\/[^\s]+$/i.test(url) ? url : null;
}
