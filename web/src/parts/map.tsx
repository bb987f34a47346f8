import type { Tag } from '../api';
import { buildsOf, cellOf, columnsOf, seenOf } from '../logic/map';
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

export function ColourMap({ repository, tags, most }: { repository: string; tags: readonly Tag[]; most: number }) {
  const columns = Math.min(most, columnsOf(tags));
  return (
    <div class="map-scroll" role="region" aria-label="Colour map of tags over time" tabIndex={0}>
      <table class="map">
        <caption class="sr">Each tag of {repository}, with the image that it means now and those that it meant before:
          the worst severity among the findings of each</caption>
        <thead>
          <tr>
            <th scope="col">Tag</th>
            {Array.from({ length: columns }, (_, i) => (
              <th key={i} scope="col">{i === 0 ? 'Now' : i === 1 ? 'Before' : `${i} before`}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {tags.map((tag) => {
            const builds = buildsOf(tag);
            const cells = tag.current ? builds : [null, ...builds];
            return (
              <tr key={tag.tag}>
                <th scope="row">{tag.tag}</th>
                {Array.from({ length: columns }, (_, i) => {
                  const build = cells[i];
                  if (!build) return <td key={i} class="cell-none"><span class="sr">none</span></td>;
                  const cell = cellOf(repository, tag, build);
                  const seen = seenOf(cell);
                  const body = (
                    <>
                      <span class="cell-mark"><Shape mark={cell.mark} /> {seen[0]}</span>{' '}
                      <span class="cell-date">{seen[1]}</span>
                    </>
                  );
                  return (
                    <td key={i} class={`cell cell-${cell.mark}${cell.part ? ' cell-part' : ''}`}>
                      {build.known
                        ? <a href={toImage(build.digest)} aria-label={`${seen.join(' ')}: ${cell.label}`}
                            title={cell.label}>{body}</a>
                        : <span title={cell.label}>{body}<span class="sr"> {cell.label}</span></span>}
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

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
