import { useState } from 'preact/hooks';
import { linesOf, type Kind, type Point } from '../logic/survey';
import { day, percent } from '../logic/text';
import { to } from '../logic/route';
import { Empty } from './frame';
import { Table } from './table';

const width = 560;
const height = 180;
const kinds: readonly (readonly [Kind, string])[] = [
  ['critical', 'with critical findings'], ['high', 'with high or critical findings'], ['clean', 'free of findings'],
];

// The same dash and point shape for a line in the plot and in its legend; colour only helps.
function PointMark({ i, x, y }: { i: number; x: number; y: number }) {
  const k = i % 3;
  return k === 0 ? <circle class={`point line-${k}`} cx={x} cy={y} r="4" />
    : k === 1 ? <rect class={`point line-${k}`} x={x - 4} y={y - 4} width="8" height="8" />
      : <path class={`point line-${k}`} d={`M${x} ${y - 5}l5 9h-10z`} />;
}

function Plot({ points, kind, title }: { points: readonly Point[]; kind: Kind; title: string }) {
  const lines = linesOf(points.filter((p) => p.kind === kind), width, height);
  const first = points[0];
  const last = points[points.length - 1];
  return (
    <figure class="plot">
      <svg viewBox={`-46 -12 ${width + 60} ${height + 44}`} role="img" aria-label={`Share of images ${title} in each
        survey; the same numbers stand in the table below`}>
        {[0, 0.25, 0.5, 0.75, 1].map((v) => (
          <g key={v}>
            <line class="grid" x1="0" x2={width} y1={height * (1 - v)} y2={height * (1 - v)} />
            <text class="tick" x="-6" y={height * (1 - v) + 4} text-anchor="end">{percent(v)}</text>
          </g>
        ))}
        {lines.map((l, i) => (
          <g key={l.key}>
            <polyline class={`line line-${i % 3}`} points={l.points.map((p) => `${p.x},${p.y}`).join(' ')} />
            {l.points.map((p) => (
              <g key={p.point.number}>
                <line class={`whisker line-${i % 3}`} x1={p.x} x2={p.x} y1={p.low} y2={p.high} />
                <PointMark i={i} x={p.x} y={p.y} />
              </g>
            ))}
          </g>
        ))}
        <text class="tick" x="0" y={height + 22}>{day(first?.time ?? null)}</text>
        <text class="tick" x={width} y={height + 22} text-anchor="end">{day(last?.time ?? null)}</text>
      </svg>
      <figcaption>
        Share of images {title}, with 95 % confidence intervals.
        <ul class="legend">{lines.map((l, i) => (
          <li key={l.key}><svg viewBox="-8 -8 32 16" width="32" height="16" aria-hidden="true" focusable="false">
            <line class={`line line-${i % 3}`} x1="-8" x2="24" y1="0" y2="0" /><PointMark i={i} x={8} y={0} />
          </svg> {l.group} of {l.registry}</li>))}</ul>
      </figcaption>
    </figure>
  );
}

export function SharePlot({ points }: { points: readonly Point[] }) {
  const [kind, setKind] = useState<Kind>('critical');
  if (!points.length) return <Empty>No survey has ended yet. <a href={to('surveys')}>Surveys</a></Empty>;
  const title = kinds.find(([k]) => k === kind)?.[1] ?? '';
  const rows = points.filter((p) => p.kind === kind);
  return (
    <>
      <label class="choice"><span>Share</span>
        <select value={kind} onChange={(e) => setKind(e.currentTarget.value as Kind)}>
          {kinds.map(([k, text]) => <option key={k} value={k}>{text}</option>)}
        </select>
      </label>
      <Plot points={points} kind={kind} title={title} />
      <details>
        <summary>The numbers as a table</summary>
        <Table caption={`Share of images ${title}`} rows={rows} keyOf={(p) => `${p.number} ${p.group}`} columns={[
          { head: 'Ended', cell: (p) => day(p.time) },
          { head: 'Registry', row: true, cell: (p) => <a href={to('surveys', String(p.number))}>{p.registry}</a> },
          { head: 'Group', cell: (p) => p.group },
          { head: 'Share', number: true, cell: (p) => percent(p.share.share) },
          { head: '95 % interval', wide: true, cell: (p) => `${percent(p.share.low)} to ${percent(p.share.high)}` },
        ]} />
      </details>
    </>
  );
}
