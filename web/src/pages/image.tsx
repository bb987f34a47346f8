import type { ComponentChildren } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { imagePath, type Image } from '../api';
import type { PageProps } from '../app';
import { useApi, useEvents, useRole } from '../hooks';
import { to, withQuery } from '../logic/route';
import { bytes, count, day, shortDigest } from '../logic/text';
import { Await, Page, Section, When } from '../parts/frame';
import { Counts, DecisionMark, Flag, Shape } from '../parts/marks';
import { Decide } from '../parts/decide';
import {
  Changes, DiffView, Downloads, expectFindings, Findings, Layers, Packages, Pulls, SuppressedList,
} from './image_parts';

const parts: Record<string, { title: string; body: (p: { place: PageProps['place']; image: Image })
  => ComponentChildren }> = {
  findings: { title: 'Findings', body: Findings },
  layers: { title: 'Layers', body: Layers },
  packages: { title: 'Packages', body: Packages },
  suppressed: { title: 'Suppressed', body: SuppressedList },
  diff: { title: 'Compare', body: DiffView },
  changes: { title: 'Changes', body: Changes },
  pulls: { title: 'Pulls', body: Pulls },
  sbom: { title: 'SBOM', body: Downloads },
};

function VerdictBox({ image, again }: { image: Image; again: () => void }) {
  const v = image.verdict;
  const mayDecide = useRole('release');
  return (
    <section class={`verdict verdict-${v.decision}`} aria-labelledby="verdict">
      <h2 id="verdict">Verdict: <DecisionMark decision={v.decision} /></h2>
      {v.reasons.length
        ? <ul class="reasons">{v.reasons.map((r, i) => <li key={i}>{r}</li>)}</ul>
        : <p>{v.decision === 'allow' ? 'Nothing speaks against it.' : 'No reason is given.'}</p>}
      {v.by_person ? <p><Flag>decided by a person</Flag> The policy alone says <strong>{v.policy}</strong>.</p> : null}
      {v.persons > 1 ? <p>Released by {v.released_by} of {v.persons} persons.</p> : null}
      {v.until ? <p>Holds until <When time={v.until} />.</p> : null}
      {mayDecide ? <Decide digest={image.digest} name={image.name} verdict={v} done={again} /> : null}
    </section>
  );
}

function Gaps({ image }: { image: Image }) {
  if (image.complete === null)
    return <p class="box box-gap"><Shape mark="unassessed" /> This image has not been examined yet.</p>;
  if (!image.gaps.length && image.complete) return null;
  return (
    <section class="box box-gap" aria-labelledby="image-gaps">
      <h2 id="image-gaps"><Shape mark="unassessed" /> What could not be assessed</h2>
      <ul>{image.gaps.map((g, i) => <li key={i}><strong>{g.what}</strong>: {g.why}</li>)}</ul>
      {image.gaps.length ? null : <p>The assessment is not complete.</p>}
    </section>
  );
}

function Facts({ image }: { image: Image }) {
  const c = image.config;
  const rows: [string, ComponentChildren][] = [
    ['Names', image.names.length ? <ul class="bare">{image.names.map((n) =>
      <li key={n} class="name">{n}</li>)}</ul> : '–'],
    ['Digest', <code class="name">{image.digest}</code>],
    ['Platform', image.platform ?? '–'],
    ['Distribution', image.distro ?? 'not known'],
    ['Size', bytes(image.size)],
    ['Created', <When time={image.created} />],
    ['Added', <When time={image.added} />],
    ['Examined', <When time={image.scanned} />],
    ['Runs as', c ? c.user || 'root (nothing else is said)' : '–'],
    ['Ports', c?.ports.length ? c.ports.join(', ') : '–'],
    ['Volumes', c?.volumes.length ? c.volumes.join(', ') : '–'],
    ['Stands on', image.base.length ? <ul class="bare">{image.base.map((b) =>
      <li key={b}><a class="name" href={to('repositories', '', { name: b })}>{b}</a></li>)}</ul> : '–'],
    ['Referrers', image.referrers.length ? <ul class="bare">{image.referrers.map((r) =>
      <li key={r.digest} class="name">{r.artifact_type ?? r.media_type} ({shortDigest(r.digest)})</li>)}</ul> : '–'],
  ];
  const labels = Object.entries(c?.labels ?? {});
  return (
    <details class="facts">
      <summary>About this image{image.created ? ` (created ${day(image.created)})` : ''}</summary>
      <dl>{rows.map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>
      {labels.length ? (
        <>
          <h3>Labels</h3>
          <dl>{labels.map(([k, v]) => <div key={k}><dt class="name">{k}</dt><dd class="name">{v}</dd></div>)}</dl>
        </>
      ) : null}
    </details>
  );
}

export function ImagePage({ place }: PageProps) {
  useLayoutEffect(() => place.query.get('part') ? undefined : expectFindings(place, place.arg), [place.arg]);
  const loaded = useApi<Image>(imagePath(place.arg), false);
  useEvents((e) => e.image === place.arg, loaded.again);
  const key = place.query.get('part') ?? 'findings';
  const part = parts[Object.keys(parts).includes(key) ? key : 'findings'];
  const title = loaded.data?.name ?? `Image ${shortDigest(place.arg)}`;
  return (
    <Page title={title} lead={<a href={to('images')}>Images</a>}>
      <Await of={loaded}>{(image) => (
        <>
          <VerdictBox image={image} again={loaded.again} />
          <Gaps image={image} />
          <p class="sum">
            <Counts severities={image.severities} />
            {image.fixable !== null ? <span>{image.fixable} fixable</span> : null}
            {image.kev ? <Flag strong>{image.kev} known to be exploited</Flag> : null}
            {image.packages !== null ? <span>{count(image.packages, 'package')}</span> : null}
          </p>
          <Facts image={image} />
          <nav class="parts" aria-label="Parts of the report">
            <ul>{Object.entries(parts).map(([k, p]) => (
              <li key={k}><a href={to('images', place.arg, { part: k === 'findings' ? undefined : k })}
                aria-current={p === part ? 'true' : undefined}>{p.title}</a></li>))}</ul>
          </nav>
          {part ? <Section title={part.title} id="part"><part.body key={key} place={place} image={image} /></Section>
            : null}
        </>
      )}</Await>
      <p class="print-only">{withQuery(place, {})}</p>
    </Page>
  );
}
