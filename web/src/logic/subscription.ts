import type { EventKind } from '../api';

export const kinds: readonly EventKind[] = ['findings', 'verdict', 'withdrawn', 'moved', 'base', 'feed', 'quarantined',
  'decision', 'survey'];

// The body of POST subscriptions; what was left empty is left out.
export function subscriptionOf(form: FormData): Record<string, unknown> {
  const text = (name: string): string => String(form.get(name) ?? '').trim();
  const out: Record<string, unknown> = { name: text('name'), way: text('way'), target: text('target') };
  for (const key of ['secret', 'repository', 'severity'])
    if (text(key)) out[key] = text(key);
  const chosen = form.getAll('kinds').map(String);
  if (chosen.length) out['kinds'] = chosen;
  out['digest_seconds'] = Math.max(0, Math.floor(Number(text('digest_seconds')) || 0));
  return out;
}
