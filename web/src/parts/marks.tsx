import type { ComponentChildren } from 'preact';
import type { Severities, Severity, State, Decision } from '../api';
import { letters, order, segments, sentence, sum, words, type Mark } from '../logic/severity';

// One shape each, so that nothing rests on the colour.
const shapes: Record<Mark, string> = {
  critical: 'M5 1h6l4 4v6l-4 4H5l-4-4V5z',
  high: 'M8 1l7 13H1z',
  medium: 'M8 1l7 7-7 7-7-7z',
  low: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z',
  negligible: 'M3 7h10v2H3z',
  unknown: 'M2 2h12v12H2zM5 5v6h6V5z',
  clean: 'M2 8l2-2 3 3 5-6 2 2-7 8z',
  unassessed: 'M1 13L13 1h2v2L3 15H1zM1 6l5-5h3L1 9zM7 15l8-8v3l-5 5z',
};

export function Shape({ mark }: { mark: Mark }) {
  return (
    <svg class={`shape shape-${mark}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"
      focusable="false">
      <path d={shapes[mark]} fill-rule="evenodd" />
    </svg>
  );
}

export function SeverityMark({ severity }: { severity: Severity }) {
  return <span class={`mark mark-${severity}`}><Shape mark={severity} /> {severity}</span>;
}

export function Counts({ severities }: { severities: Severities | null }) {
  if (!severities) return <span class="mark mark-unassessed"><Shape mark="unassessed" /> not assessed</span>;
  if (!sum(severities)) return <span class="mark mark-clean"><Shape mark="clean" /> nothing found</span>;
  return (
    <span class="counts">
      <span class="sr">{sentence(severities)}</span>
      {order.filter((k) => severities[k] > 0).map((k) => (
        <span key={k} class={`count mark-${k}`} aria-hidden="true" title={`${severities[k]} ${words[k]}`}>
          {letters[k]}{' '}{severities[k]}
        </span>
      ))}
    </span>
  );
}

export function Bar({ severities, most }: { severities: Severities; most: number }) {
  const width = 160;
  return (
    <svg class="bar" viewBox={`0 0 ${width} 14`} width={width} height="14" role="img"
      aria-label={sentence(severities)}>
      <rect class="bar-ground" x="0" y="0" width={width} height="14" />
      {segments(severities, most, width).map((s) => (
        <rect key={s.key} class={`fill-${s.key}`} x={s.at} y="0" width={s.width} height="14">
          <title>{`${s.n} ${words[s.key]}`}</title>
        </rect>
      ))}
    </svg>
  );
}

const stateShapes: Record<State, string> = {
  cleared: shapes.clean,
  quarantined: 'M4 2h3v12H4zM9 2h3v12H9z',
  denied: 'M3 1l5 5 5-5 2 2-5 5 5 5-2 2-5-5-5 5-2-2 5-5-5-5z',
};

export function StateMark({ state }: { state: State }) {
  return (
    <span class={`state state-${state}`}>
      <svg class="shape" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">
        <path d={stateShapes[state]} />
      </svg> {state}
    </span>
  );
}

const decided: Record<Decision, State> = { allow: 'cleared', quarantine: 'quarantined', deny: 'denied' };
export const stateOf = (d: Decision): State => decided[d];

export function DecisionMark({ decision }: { decision: Decision }) {
  return <StateMark state={stateOf(decision)} />;
}

export function Flag({ children, strong }: { children: ComponentChildren; strong?: boolean }) {
  return <span class={strong ? 'flag flag-strong' : 'flag'}>{children}</span>;
}
