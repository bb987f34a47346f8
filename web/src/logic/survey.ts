// What a survey found, as `cocket survey --format json` has it. It is read leniently: an old survey may say less.
import type { Severities } from '../api';
import { order } from './severity';

export interface Share { share: number; low: number; high: number }
export type Kind = 'critical' | 'high' | 'clean';
export interface Group { name: string; images: number; shares: Partial<Record<Kind, Share>>; age: number | null }

export interface Point { number: number; registry: string; time: string; group: string; kind: Kind; share: Share }

type Bag = Record<string, unknown>;
const isBag = (v: unknown): v is Bag => typeof v === 'object' && v !== null && !Array.isArray(v);
const bag = (v: unknown): Bag => isBag(v) ? v : {};
const num = (v: unknown): number | null => typeof v === 'number' && Number.isFinite(v) ? v : null;

const clamp = (x: number): number => Math.min(1, Math.max(0, x));

export function shareOf(v: unknown): Share | null {
  if (num(v) !== null) return { share: clamp(Number(v)), low: clamp(Number(v)), high: clamp(Number(v)) };
  const b = bag(v);
  const share = num(b['share']);
  if (share === null) return null;
  return { share: clamp(share), low: clamp(num(b['low']) ?? share), high: clamp(num(b['high']) ?? share) };
}

const kinds: readonly Kind[] = ['critical', 'high', 'clean'];
const groups: readonly (readonly [string, string])[] = [['all', 'all'], ['official', 'official'], ['others', 'others']];

export function groupsOf(result: unknown): Group[] {
  const outer = bag(result);
  const from = isBag(outer['groups']) ? outer['groups'] : outer;
  const out: Group[] = [];
  for (const [key, name] of groups) {
    const g = from[key];
    if (!isBag(g)) continue;
    const shares: Partial<Record<Kind, Share>> = {};
    const inner = isBag(g['shares']) ? g['shares'] : g;
    for (const k of kinds) {
      const s = shareOf(inner[k]);
      if (s) shares[k] = s;
    }
    out.push({ name, shares, images: num(g['images']) ?? 0, age: num(g['median_age_days']) });
  }
  return out;
}

// Oldest first, of surveys that ended.
export function sharesOf(surveys: readonly { number: number; registry: string; ended: string | null;
  shares: unknown }[]): Point[] {
  const out: Point[] = [];
  for (const s of surveys) {
    if (!s.ended) continue;
    for (const g of groupsOf(s.shares))
      for (const kind of kinds) {
        const share = g.shares[kind];
        if (share) out.push({ number: s.number, registry: s.registry, time: s.ended, group: g.name, kind, share });
      }
  }
  return out.sort((a, b) => a.time < b.time ? -1 : a.time > b.time ? 1 : 0);
}

export interface Line { key: string; registry: string; group: string; points: { x: number; y: number; low: number;
  high: number; point: Point }[] }

// Places in a plot of `width` by `height`; one line for each registry and group.
export function linesOf(points: readonly Point[], width: number, height: number): Line[] {
  const times = points.map((p) => Date.parse(p.time));
  const first = Math.min(...times);
  const span = Math.max(...times) - first;
  const lines = new Map<string, Line>();
  for (const point of points) {
    const key = `${point.registry} ${point.group}`;
    let line = lines.get(key);
    if (!line) lines.set(key, line = { key, registry: point.registry, group: point.group, points: [] });
    line.points.push({
      x: span > 0 ? ((Date.parse(point.time) - first) / span) * width : width / 2,
      y: height * (1 - point.share.share), low: height * (1 - point.share.low),
      high: height * (1 - point.share.high), point,
    });
  }
  return [...lines.values()];
}

export interface Worst { name: string; digest: string | null; severities: Severities | null }
export interface Cause { name: string; images: number }

function severitiesOf(v: unknown): Severities | null {
  if (!isBag(v)) return null;
  const out = Object.fromEntries(order.map((k) => [k, num(v[k]) ?? 0])) as Severities;
  return out;
}

export function rowsOf(result: unknown): { worst: Worst[]; causes: Cause[] } {
  const b = bag(result);
  const list = (v: unknown): Bag[] => Array.isArray(v) ? v.filter(isBag) : [];
  const text = (...v: unknown[]): string => String(v.find((x) => typeof x === 'string' && x !== '') ?? '');
  return {
    worst: list(b['worst']).map((w) => ({
      name: text(w['name']), digest: text(w['digest']) || null, severities: severitiesOf(w['severities'] ?? w) })),
    causes: list(b['causes']).map((c) => ({
      name: text(c['id'], c['name'], c['package']), images: num(c['images']) ?? 0 })),
  };
}
