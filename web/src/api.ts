// What the API below /api/v1 says, as doc/openapi.json describes it.
import { parse, seen } from './logic/json';

export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'negligible' | 'unknown';
export type Severities = Record<Severity, number>;
export type State = 'quarantined' | 'cleared' | 'denied';
export type Decision = 'allow' | 'quarantine' | 'deny';
export type Role = 'pull' | 'push' | 'release' | 'admin';
export type Time = string;

export interface Page<T> { items: T[]; total: number; from: number }

export interface Me {
  user: string; roles: Role[]; anonymous: boolean; repository: string | null; expires: Time | null;
}

export interface ImageSummary {
  digest: string; name: string | null; platform: string | null; state: State; by_person: boolean;
  reason: string; added: Time | null; decided: Time | null; severities: Severities | null;
  fixable: number | null; kev: number | null; packages: number | null; complete: boolean | null;
  scanned: Time | null; created: Time | null; distro: string | null;
}
export interface ImageRow extends ImageSummary { names: number }
export interface Verdict {
  decision: Decision; policy: Decision; reasons: string[]; persons: number; released_by: number;
  until: Time | null; by_person: boolean;
}
export interface Pull {
  time: Time; who: string; client: string; name: string; digest: string; count: number;
  result?: 'served' | 'denied';
}
export interface Image extends ImageSummary {
  names: string[]; media_type: string; size: number; verdict: Verdict;
  gaps: { what: string; why: string }[];
  config: null | {
    user: string | null; labels: Record<string, string>; volumes: string[]; ports: string[];
  };
  chain: string | null; base: string[]; pulls: Pull[];
  referrers: { digest: string; artifact_type: string | null; media_type: string; size: number }[];
}
export interface QuarantineRow extends ImageRow { verdict: Verdict }

export interface PackageRef { name: string; version: string; purl: string }
export type FixState = 'fixed' | 'not-fixed' | 'wont-fix' | 'unknown';
export interface Finding {
  id: string; aliases: string[]; kind: string; package: PackageRef; severity: Severity;
  cvss: null | { vector: string; score: number }; kev: boolean; epss: number | null;
  fix: { state: FixState; version: string | null; since?: Time | null };
  advisory: { source: string; id: string; url: string | null };
  layer: string | null; locations: string[]; why: string;
}
export interface Suppressed { id: string; package: PackageRef; rule: string; why: string }
export interface Package {
  name: string; version: string; type: string; purl: string;
  source: { name: string; version: string } | null;
  layer: string | null; location: string | null; severities: Severities;
}
export interface Layer {
  index: number; digest: string | null; diff_id: string | null; size: number;
  created_by: string | null; packages: number; severities: Severities;
}
export interface DiffFinding {
  id: string; package: string; version: string; severity: Severity; fix: string | null; kev: boolean;
}
export interface Diff {
  from: string; to: string;
  packages: {
    added: { name: string; type: string; version: string }[];
    removed: { name: string; type: string; version: string }[];
    changed: { name: string; type: string; from: string; to: string }[];
  };
  findings: {
    added: DiffFinding[]; removed: DiffFinding[];
    changed: {
      id: string; package: string; severity_from: Severity; severity_to: Severity;
      fix_from: string | null; fix_to: string | null; kev_from: boolean; kev_to: boolean;
    }[];
  };
}

export type EventKind = 'findings' | 'verdict' | 'withdrawn' | 'moved' | 'base' | 'feed'
  | 'quarantined' | 'decision' | 'survey' | 'test';
export interface Event {
  number: number; time: Time; kind: EventKind; severity: Severity | null; image: string | null;
  name: string | null; repository: string | null; summary: string;
  data: Record<string, unknown> | null;
}
export interface Feed {
  name: string; source: string; kind?: string; time: Time; age_seconds: number; records: number;
  failure: string | null;
}
export interface Overview {
  images: number; cleared: number; quarantined: number; denied: number; incomplete: number;
  unexamined: number; clean: number; worst: Severities; events_since_yesterday: Event[];
  feeds: Feed[]; database: { built: Time | null };
  surveys: { number: number; registry: string; ended: Time | null; shares: unknown }[];
  waiting: number;
}
export interface Repository {
  name: string; images: number; tags: number; states: Record<State, number>; worst: Severities;
  last: Time | null;
}
export interface TagDigest {
  digest: string; first: Time | null; current: boolean; known: boolean; state: State | null;
  severities: Severities | null; fixable: number | null; kev: number | null;
  complete?: boolean | null;
}
export interface Tag { tag: string; current: TagDigest | null; history: TagDigest[] }
export interface AdvisoryRow { id: string; images: number }
export interface Advisory {
  id: string; aliases: string[]; summary: string | null; severity: Severity | null; kev: boolean;
  statements: {
    source: string; ecosystem: string; package: string; fixed: string | null; state: string;
    url: string | null;
  }[];
  images: {
    digest: string; name: string | null; state: State; package: string | null;
    version: string | null; fix: string | null;
  }[];
  images_total?: number;
  pulls: Pull[];
}
export interface LogRecord {
  number: number; time: Time; who: string; event: string; digest: string | null;
  name: string | null; text: string; hash: string;
}
export interface LogVerification {
  records: number; head: string | null; ok: boolean; error?: string | null;
}
export interface Policy {
  file: string; digest: string; rules: { name: string; text: string }[];
  exceptions: { text: string; expires: Time | null }[]; yaml: string;
}
export interface Replay {
  checked: number; changed_total?: number;
  changed: {
    digest: string; name: string | null; from: Decision; to: Decision; reasons: string[];
  }[];
}
export interface Decided { state: State; persons: number; released_by: number }
export type Way = 'webhook' | 'slack' | 'smtp' | 'command';
export interface Subscription {
  id: number; name: string; way: Way; target: string; has_secret: boolean; kinds: EventKind[];
  repository: string | null; severity: Severity | null; digest_seconds: number;
  disabled: boolean; made: Time; delivered: number; failed: number; waiting: number;
  last_time: Time | null; last_error: string | null;
}
export interface Survey {
  number: number; registry: string; begun: Time; ended: Time | null;
  state: 'running' | 'done' | 'given-up'; done: number; total: number; result: unknown;
}
export interface Work {
  kind: 'fetch' | 'scan' | 'survey' | 'watch'; what: string; done: number; total: number | null;
}

// What came of the last round of looking again.
export interface Watched {
  ended: Time; failed: boolean; rounds: number; matched: number; judged: number; changed: number; verdicts: number;
  withdrawn: number; tags_asked: number; tags_not_had: number; tags_moved: number; bases: number;
  feeds_failed: number; without_inventory: number; other_version: number;
}
export interface Progress { work: Work[]; watched: Watched | null }

export class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

const root = '/api/v1/';

// The address of what is asked for; empty and absent parameters are left out.
export function address(path: string, query: Record<string, string | number | undefined> = {}): string {
  const q = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== '') q.set(key, String(value));
  const text = q.toString();
  return text ? `${path}?${text}` : path;
}

async function failure(answer: Response): Promise<ApiError> {
  let message = `the gate answered ${answer.status}`;
  try {
    const said: unknown = await answer.json();
    if (typeof said === 'object' && said !== null && 'error' in said && typeof said.error === 'string')
      message = seen(said.error);
  } catch {
    // no JSON: what was said above stands
  }
  return new ApiError(answer.status, message);
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(root + path, { credentials: 'same-origin', ...init });
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    throw new ApiError(0, 'the gate cannot be reached');
  }
  if (!answer.ok) throw await failure(answer);
  return answer;
}

// What was asked for before what will show it is there; the first that gets it takes it.
const early = new Map<string, Promise<string>>();

const text = async (path: string, signal?: AbortSignal): Promise<string> =>
  (await ask(path, signal ? { signal } : {})).text();

// Asks for what a part of the page will want once the rest of it is known. Answers what forgets it.
export function expect(...paths: string[]): () => void {
  for (const path of paths) {
    const answer = text(path);
    answer.catch(() => {}); // who gets it is told
    early.set(path, answer);
  }
  return () => paths.forEach((path) => early.delete(path));
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const begun = early.get(path);
  early.delete(path);
  return parse<T>(await (begun ?? text(path, signal)));
}

export async function send<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T | null> {
  const headers: Record<string, string> = { 'X-Requested-With': 'cocket' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const answer = await ask(path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  const text = await answer.text();
  return text ? parse<T>(text) : null;
}

export const imagePath = (digest: string, rest = ''): string => `images/${digest}${rest}`;
export const downloadAddress = (digest: string, format: 'cyclonedx' | 'spdx'): string =>
  `${root}images/${digest}/sbom?format=${format}`;
export const streamAddress = `${root}stream`;
