import type { Tag } from '../api';
import { cellOf, seenOf, timesOf, type Cell, type Scale } from '../logic/map';
import { letters, sum, words, type Mark } from '../logic/severity';
import { toImage } from '../logic/route';
import { Bar, Counts, Shape } from './marks';

const shown: readonly Mark[] = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown', 'clean', 'unassessed'];

export function Legend() {
  return (
    <ul class="legend" aria-label="What the colours and letters mean">
      {shown.map((m) => (
        <li key={m}><span class={`swatch cell-${m}`}><Shape mark={m} /> {letters[m]}</span> {words[m]}</li>
      ))}
    </ul>
  );
}

function Build({ cell }: { cell: Cell }) {
  const seen = seenOf(cell);
  const body = (
    <>
      <span class="cell-mark"><Shape mark={cell.mark} /> {seen[0]}</span>{' '}
      <span class="cell-date">{seen[1]}</span>
    </>
  );
  return cell.build.known
    ? <a href={toImage(cell.build.digest)} aria-label={`${seen.join(' ')}: ${cell.label}`} title={cell.label}>{body}</a>
    : <span title={cell.label}>{body}<span class="sr"> {cell.label}</span></span>;
}

const classOf = (cell: Cell): string => `cell cell-${cell.mark}${cell.part ? ' cell-part' : ''}`;

function Builds({ cells, more }: { cells: readonly Cell[]; more: number }) {
  const [only] = cells;
  if (only && cells.length === 1 && !more) return <td class={classOf(only)}><Build cell={only} /></td>;
  return (
    <td class="cells">
      {cells.map((c) => <div key={c.build.digest} class={classOf(c)}><Build cell={c} /></div>)}
      {more ? <span class="quiet">and {more} more</span> : null}
    </td>
  );
}

// A time in which the tag meant a build that it came to mean earlier, or means now.
function Still({ cell }: { cell: Cell }) {
  return (
    <td class="still" title={`still: ${cell.label}`}>
      <span class="sr">still {words[cell.mark]}{cell.part ? ', assessed in part only' : ''}</span>
      <span class={`band cell-${cell.mark}${cell.part ? ' band-part' : ''}`} aria-hidden="true">
        <Shape mark={cell.mark} /> {letters[cell.mark]}{cell.part ? ' ?' : ''}</span>
    </td>
  );
}

export function ColourMap({ repository, tags, scale, deep }: {
  repository: string; tags: readonly Tag[]; scale: Scale; deep: number;
}) {
  const { columns, years, unit } = scale;
  const grouped = unit !== 'year';
  return (
    <div class="map-scroll" role="region" aria-label="Colour map of tags over time" tabIndex={0}>
      <table class="map">
        <caption class="sr">Each tag of {repository}: the image that it means now, and by {unit}, newest first, those
          that it came to mean before; the worst severity among the findings of each</caption>
        <thead>
          <tr>
            <th scope="col" rowSpan={grouped ? 2 : 1}>Tag</th>
            <th scope="col" rowSpan={grouped ? 2 : 1}>Now</th>
            {grouped ? years.map(({ year, columns: n }) => (
              <th key={year} scope="colgroup" colSpan={n} class="year"><span>{year}</span></th>
            )) : columns.map((c) => <th key={c.key} scope="col">{c.label}</th>)}
          </tr>
          {grouped ? (
            <tr>{columns.map((c) => (
              <th key={c.key} scope="col">
                <span class="sr">{c.spoken}</span><span aria-hidden="true">{c.label}</span></th>
            ))}</tr>
          ) : null}
        </thead>
        <tbody>
          {tags.map((tag) => (
            <tr key={tag.tag}>
              <th scope="row">{tag.tag}</th>
              {tag.current ? <Builds cells={[cellOf(repository, tag, tag.current)]} more={0} /> : <Nothing />}
              {timesOf(tag, scale, deep).map((t, i) => {
                const key = columns[i]?.key;
                if (t.builds.length)
                  return <Builds key={key} cells={t.builds.map((b) => cellOf(repository, tag, b))} more={t.more} />;
                return t.still ? <Still key={key} cell={cellOf(repository, tag, t.still)} /> : <Nothing key={key} />;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Nothing = () => <td class="cell-none"><span class="sr">none</span></td>;

export function TagBars({ tags }: { tags: readonly Tag[] }) {
  const now = tags.filter((t) => t.current);
  const most = now.reduce((n, t) => Math.max(n, sum(t.current?.severities ?? null)), 0);
  return (
    <div class="table">
      <table class="bars" role="table">
        <caption class="sr">Findings of each tag as it is now, by severity</caption>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">Tag</th>
            <th role="columnheader" scope="col">Severities</th>
            <th role="columnheader" scope="col">Numbers</th>
            <th role="columnheader" scope="col" class="number">Fixable</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {now.map((t) => (
            <tr key={t.tag} role="row">
              <th role="rowheader" scope="row" data-label="Tag">
                {t.current ? <a href={toImage(t.current.digest)}>{t.tag}</a> : t.tag}</th>
              <td role="cell" data-label="Severities">{t.current?.severities
                ? <Bar severities={t.current.severities} most={most} /> : '–'}</td>
              <td role="cell" data-label="Numbers"><Counts severities={t.current?.severities ?? null} /></td>
              <td role="cell" data-label="Fixable" class="number">{t.current?.fixable ?? '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
