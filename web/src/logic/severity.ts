import type { Severities, Severity } from '../api';

// Worst first. `letter` and the shape of parts/marks.tsx say the same as the colour.
export const order: readonly Severity[] = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'];

export type Mark = Severity | 'clean' | 'unassessed';

export const letters: Record<Mark, string> = {
  critical: 'C', high: 'H', medium: 'M', low: 'L', negligible: 'N', unknown: 'U', clean: '0',
  unassessed: '?',
};
export const words: Record<Mark, string> = {
  critical: 'critical', high: 'high', medium: 'medium', low: 'low', negligible: 'negligible',
  unknown: 'of unknown severity', clean: 'nothing found', unassessed: 'not assessed',
};

// Not known is never the same as nothing found.
export function worstOf(s: Severities | null): Mark {
  if (!s) return 'unassessed';
  return order.find((k) => s[k] > 0) ?? 'clean';
}

export function sum(s: Severities | null): number {
  return s ? order.reduce((n, k) => n + s[k], 0) : 0;
}

export function sentence(s: Severities | null): string {
  if (!s) return words.unassessed;
  const parts = order.filter((k) => s[k] > 0).map((k) => `${s[k]} ${words[k]}`);
  return parts.length ? parts.join(', ') : words.clean;
}

export interface Segment { key: Severity; n: number; at: number; width: number }

// Parts of a bar of `width`: as long as the count is of `most`, but whatever is there can be seen.
export function segments(s: Severities, most: number, width: number, least = 3): Segment[] {
  const out: Segment[] = [];
  const shown = order.filter((k) => s[k] > 0);
  const free = Math.max(0, width - least * shown.length);
  let at = 0;
  for (const key of shown) {
    const w = least + (most > 0 ? (free * s[key]) / most : 0);
    out.push({ key, n: s[key], at, width: w });
    at += w;
  }
  return out;
}
