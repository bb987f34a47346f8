import type { Severities, Severity } from '../api';
import { order } from './severity';

// What a survey found, as doc/survey.schema.json has it. It is read leniently: an old survey may say less.

export interface Share { share: number; low: number; high: number }
export type Kind = 'critical' | 'high' | 'clean';
export interface Group {
  name: string; population: number; drawn: number; assessed: number; shares: Partial<Record<Kind, Share>>;
  age: number | null; // days
}

export interface Point { number: number; registry: string; time: string; group: string; kind: Kind; share: Share }

type Bag = Record<string, unknown>;
const isBag = (v: unknown): v is Bag => typeof v === 'object' && v !== null && !Array.isArray(v);
const bag = (v: unknown): Bag => isBag(v) ? v : {};
const bags = (v: unknown): Bag[] => Array.isArray(v) ? v.filter(isBag) : [];
const num = (v: unknown): number | null => typeof v === 'number' && Number.isFinite(v) ? v : null;
const text = (v: unknown): string => typeof v === 'string' ? v : '';

const clamp = (x: number): number => Math.min(1, Math.max(0, x));

// A share of nothing is not known.
export function shareOf(v: unknown): Share | null {
  const b = bag(v);
  const share = num(b['share']);
  if (share === null) return null;
  return { share: clamp(share), low: clamp(num(b['low']) ?? share), high: clamp(num(b['high']) ?? share) };
}

const kinds: readonly Kind[] = ['critical', 'high', 'clean'];

export function groupsOf(result: unknown): Group[] {
  return bags(bag(result)['groups']).map((g) => {
    const shares: Partial<Record<Kind, Share>> = {};
    for (const k of kinds) {
      const s = shareOf(g[k]);
      if (s) shares[k] = s;
    }
    return {
      name: text(g['name']), shares, population: num(g['population']) ?? 0, drawn: num(g['drawn']) ?? 0,
      assessed: num(g['assessed']) ?? 0, age: num(g['median_age_days']),
    };
  });
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

export interface Worst { name: string; distribution: string; severities: Severities }
export interface Cause { package: string; id: string; severity: Severity; images: number }
export interface Distribution { name: string; images: number; critical: number; high: number; clean: number }
export interface Rest {
  worst: Worst[]; causes: Cause[]; distributions: Distribution[]; unassessed: { name: string; why: string }[];
}

const severitiesOf = (v: unknown): Severities =>
  Object.fromEntries(order.map((k) => [k, num(bag(v)[k]) ?? 0])) as Severities;
const severityOf = (v: unknown): Severity => order.find((k) => k === v) ?? 'unknown';

export function restOf(result: unknown): Rest {
  const b = bag(result);
  return {
    worst: bags(b['worst']).map((w) => ({
      name: text(w['name']), distribution: text(w['distribution']), severities: severitiesOf(w['severities']),
    })),
    causes: bags(b['causes']).map((c) => ({
      package: text(c['package']), id: text(c['id']), severity: severityOf(c['severity']),
      images: num(c['images']) ?? 0,
    })),
    distributions: bags(b['distributions']).map((d) => ({
      name: text(d['name']) || 'not known', images: num(d['images']) ?? 0, critical: num(d['critical']) ?? 0,
      high: num(d['high']) ?? 0, clean: num(d['clean']) ?? 0,
    })),
    unassessed: bags(b['unassessed']).map((u) => ({ name: text(u['name']), why: text(u['why']) })),
  };
}
