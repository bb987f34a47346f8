import { useState } from 'preact/hooks';
import {
  address, downloadAddress, expect, imagePath, type Diff, type DiffFinding, type Event, type Finding, type Image,
  type Layer, type Package, type Page as Rows, type Severity, type Suppressed,
} from '../api';
import { useApi } from '../hooks';
import { toAdvisory, toImage, withQuery, type Place } from '../logic/route';
import { letters, order, sentence, words, worstOf } from '../logic/severity';
import { bytes, moment, shortDigest, webAddress } from '../logic/text';
import { Await, Check, Choice, Empty, Pager, Search, fromOf } from '../parts/frame';
import { Counts, Flag, SeverityMark, Shape } from '../parts/marks';
import { Events } from '../parts/events';
import { Table, type Column } from '../parts/table';
import { go } from '../router';

interface Part { place: Place; image: Image }

const n = 50;
const severities = [['', 'any'], ...order.map((k) => [k, words[k]] as const)] as const;
const fixes = [['', 'any'], ['fixed', 'there is one'], ['not-fixed', 'not yet'], ['wont-fix', 'will not come'],
  ['unknown', 'not known']] as const;
const fixWords = {
  fixed: 'fixed', 'not-fixed': 'not fixed yet', 'wont-fix': 'will not be fixed', unknown: 'not known',
};

function query(place: Place, name: string): string | undefined {
  return place.query.get(name) ?? undefined;
}

function Where({ finding, layers }: { finding: Finding; layers: readonly Layer[] }) {
  const layer = layers.find((l) => l.diff_id === finding.layer);
  return (
    <>
      {layer ? <p>Layer {layer.index + 1}: <code class="name">{layer.created_by ?? shortDigest(layer.digest)}</code></p>
        : finding.layer ? <p>Layer <code>{shortDigest(finding.layer)}</code></p> : null}
      {finding.locations.length
        ? <p>Found in {finding.locations.map((l) => <code key={l} class="name">{l}</code>)}</p> : null}
    </>
  );
}

function Why({ finding, layers }: { finding: Finding; layers: readonly Layer[] }) {
  const url = webAddress(finding.advisory.url);
  return (
    <details>
      <summary><span class="sr">Why {finding.id} in {finding.package.name} is reported: </span>
        <span class="why-text">{finding.why}</span></summary>
      <p>Advisory {finding.advisory.id} of {finding.advisory.source}
        {url ? <> (<a href={url} rel="noreferrer noopener" target="_blank">opens {new URL(url).host}</a>)</> : null}</p>
      {finding.aliases.length ? <p>Also known as {finding.aliases.map((a, i) =>
        <span key={a}>{i ? ', ' : ''}<a href={toAdvisory(a)}>{a}</a></span>)}</p> : null}
      {finding.cvss
        ? <p>CVSS {finding.cvss.score.toFixed(1)} <code class="name">{finding.cvss.vector}</code></p> : null}
      {finding.epss !== null ? <p>EPSS {(finding.epss * 100).toFixed(1)} %</p> : null}
      <Where finding={finding} layers={layers} />
    </details>
  );
}

const findingsPath = (place: Place, digest: string): string => address(imagePath(digest, '/findings'), {
  n, from: fromOf(place), q: query(place, 'q'), severity: query(place, 'severity'), fix: query(place, 'fix'),
  kev: query(place, 'kev'), layer: query(place, 'layer'),
});

// The findings are the longest of what an image's page shows: they are asked for beside the image, not after it.
export const expectFindings = (place: Place, digest: string): (() => void) =>
  expect(findingsPath(place, digest), imagePath(digest, '/layers'));

export function Findings({ place, image }: Part) {
  const loaded = useApi<Rows<Finding>>(findingsPath(place, image.digest));
  const layers = useApi<Layer[]>(imagePath(image.digest, '/layers'));
  const all = layers.data ?? [];
  const layer = query(place, 'layer');
  const columns: Column<Finding>[] = [
    { head: 'Severity', cell: (f) => <SeverityMark severity={f.severity} /> },
    { head: 'Weakness', row: true, cell: (f) => (
      <><a href={toAdvisory(f.id)} class="name">{f.id}</a>{f.kev ? <Flag strong>exploited</Flag> : null}</>) },
    { head: 'Package', cell: (f) => (
      <><a class="name" href={toImage(image.digest, { part: 'packages', q: f.package.name })}>{f.package.name}</a>{' '}
        <span class="name quiet">{f.package.version}</span></>) },
    { head: 'Fix', cell: (f) => f.fix.version
      ? <span class="name">{f.fix.version}</span> : <span>{fixWords[f.fix.state]}</span> },
    { head: 'Why', wide: true, cell: (f) => <Why finding={f} layers={all} /> },
  ];
  return (
    <>
      <div class="filters">
        <Search place={place} label="Search findings" primary />
        <Choice place={place} name="severity" label="Severity" options={severities} />
        <Choice place={place} name="fix" label="Fix" options={fixes} />
        <Check place={place} name="kev" label="only known to be exploited" />
      </div>
      {layer ? <p>Only of layer <code>{shortDigest(layer)}</code>.{' '}
        <a href={withQuery(place, { layer: undefined })}>Show all layers</a></p> : null}
      <Await of={loaded}>{(page) => (
        <>
          <Pager place={place} total={page.total} from={page.from} n={n} shown={page.items.length} what="findings" />
          {page.items.length ? <Table caption="Findings, worst first" rows={page.items} columns={columns}
            keyOf={(f, i) => `${f.id} ${f.package.purl} ${i}`} /> : null}
          {page.items.length > 20 ? <Pager place={place} total={page.total} from={page.from} n={n}
            shown={page.items.length} what="findings, again" /> : null}
        </>
      )}</Await>
    </>
  );
}

function LayerCell({ image, layer, severity }: { image: Image; layer: Layer; severity: Severity }) {
  const found = layer.severities[severity];
  if (!found) return <td class="number quiet">0</td>;
  return (
    <td class={`cell cell-${severity}`}>
      <a href={toImage(image.digest, { severity, layer: layer.diff_id ?? undefined })}
        aria-label={`${letters[severity]} ${found}: ${found} ${words[severity]} in layer ${layer.index + 1}`}>
        <span class="cell-mark"><Shape mark={severity} /> {letters[severity]} {found}</span>
      </a>
    </td>
  );
}

export function Layers({ image }: Part) {
  const loaded = useApi<Layer[]>(imagePath(image.digest, '/layers'));
  return (
    <Await of={loaded}>{(layers) => (
      <div class="map-scroll" role="region" aria-label="Layers against severities" tabIndex={0}>
        <table class="map layers">
          <caption class="sr">Findings of each layer by severity, lowest layer first</caption>
          <thead>
            <tr>
              <th scope="col">Layer</th><th scope="col">Dockerfile line</th>
              {order.map((k) => <th key={k} scope="col"><abbr title={words[k]}>{letters[k]}</abbr>{' '}
                <span class="sr">{words[k]}</span></th>)}
              <th scope="col" class="number">Packages</th><th scope="col" class="number">Size</th>
            </tr>
          </thead>
          <tbody>
            {layers.map((l) => (
              <tr key={l.index}>
                <th scope="row"><span class={`mark mark-${worstOf(l.severities)}`} title={sentence(l.severities)}>
                  <Shape mark={worstOf(l.severities)} /> {l.index + 1}</span></th>
                <td class="line"><code>{l.created_by ?? shortDigest(l.digest)}</code></td>
                {order.map((k) => <LayerCell key={k} image={image} layer={l} severity={k} />)}
                <td class="number">{l.packages}</td><td class="number">{bytes(l.size)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    )}</Await>
  );
}

export function Packages({ place, image }: Part) {
  const from = fromOf(place);
  const loaded = useApi<Rows<Package>>(address(imagePath(image.digest, '/packages'),
    { n, from, q: query(place, 'q') }));
  return (
    <>
      <div class="filters"><Search place={place} label="Search packages" primary /></div>
      <Await of={loaded}>{(page) => (
        <>
          <Pager place={place} total={page.total} from={page.from} n={n} shown={page.items.length} what="packages" />
          {page.items.length ? (
            <Table caption="Packages" rows={page.items} keyOf={(p, i) => `${p.purl} ${i}`} columns={[
              { head: 'Package', row: true, cell: (p) => <span class="name" title={p.purl}>{p.name}</span> },
              { head: 'Version', cell: (p) => <span class="name">{p.version}</span> },
              { head: 'Type', cell: (p) => p.type },
              { head: 'Source', cell: (p) => p.source && p.source.name
                ? <span class="name">{p.source.name} {p.source.version}</span> : '–' },
              { head: 'Findings', cell: (p) => worstOf(p.severities) === 'clean' ? <span>none</span>
                : <a href={toImage(image.digest, { q: p.name })}><Counts severities={p.severities} /></a> },
              { head: 'Where', wide: true, cell: (p) => p.location ? <code class="name">{p.location}</code> : '–' },
            ]} />
          ) : null}
        </>
      )}</Await>
    </>
  );
}

export function SuppressedList({ place, image }: Part) {
  const from = fromOf(place);
  const loaded = useApi<Rows<Suppressed>>(address(imagePath(image.digest, '/suppressed'),
    { n, from, q: query(place, 'q') }));
  return (
    <>
      <p class="note">Candidates that are not reported, and the rule that took each of them out.</p>
      <div class="filters"><Search place={place} label="Search suppressed" primary /></div>
      <Await of={loaded}>{(page) => (
        <>
          <Pager place={place} total={page.total} from={page.from} n={n} shown={page.items.length} what="suppressed" />
          {page.items.length ? (
            <Table caption="Suppressed" rows={page.items} keyOf={(s, i) => `${s.id} ${s.package.purl} ${i}`} columns={[
              { head: 'Weakness', row: true, cell: (s) => <a class="name" href={toAdvisory(s.id)}>{s.id}</a> },
              { head: 'Package', cell: (s) => <span class="name">{s.package.name} {s.package.version}</span> },
              { head: 'Rule', cell: (s) => s.rule },
              { head: 'Why', wide: true, cell: (s) => s.why },
            ]} />
          ) : null}
        </>
      )}</Await>
    </>
  );
}

function FindingList({ title, rows }: { title: string; rows: readonly DiffFinding[] }) {
  if (!rows.length) return <p>{title}: none.</p>;
  return (
    <>
      <h3>{title} ({rows.length})</h3>
      <Table caption={title} rows={rows} keyOf={(f, i) => `${f.id} ${f.package} ${i}`} columns={[
        { head: 'Severity', cell: (f) => <SeverityMark severity={f.severity} /> },
        { head: 'Weakness', row: true, cell: (f) => <a class="name" href={toAdvisory(f.id)}>{f.id}</a> },
        { head: 'Package', wide: true, cell: (f) => <span class="name">{f.package} {f.version}</span> },
        { head: 'Fix', cell: (f) => f.fix ?? '–' },
      ]} />
    </>
  );
}

function Difference({ diff }: { diff: Diff }) {
  const { packages: p, findings: f } = diff;
  const changed = [
    ...p.added.map((x) => ({ ...x, from: '', to: x.version })),
    ...p.removed.map((x) => ({ ...x, from: x.version, to: '' })),
    ...p.changed,
  ];
  return (
    <>
      <p>Compared with <a href={toImage(diff.to)}><code>{shortDigest(diff.to)}</code></a>, the other image has:</p>
      <FindingList title="Findings more" rows={f.added} />
      <FindingList title="Findings fewer" rows={f.removed} />
      {f.changed.length ? (
        <>
          <h3>Findings that differ ({f.changed.length})</h3>
          <Table caption="Findings that differ" rows={f.changed} keyOf={(c, i) => `${c.id} ${i}`} columns={[
            { head: 'Weakness', row: true, cell: (c) => <a class="name" href={toAdvisory(c.id)}>{c.id}</a> },
            { head: 'Package', wide: true, cell: (c) => <span class="name">{c.package}</span> },
            { head: 'Severity', cell: (c) => (
              <><SeverityMark severity={c.severity_from} /> → <SeverityMark severity={c.severity_to} /></>) },
            { head: 'Fix', cell: (c) => `${c.fix_from ?? '–'} → ${c.fix_to ?? '–'}` },
          ]} />
        </>
      ) : null}
      {changed.length ? (
        <>
          <h3>Packages that differ ({changed.length})</h3>
          <Table caption="Packages that differ" rows={changed} keyOf={(c, i) => `${c.name} ${i}`} columns={[
            { head: 'Package', row: true, wide: true, cell: (c) => <span class="name">{c.name}</span> },
            { head: 'Here', cell: (c) => <span class="name">{c.from || 'not there'}</span> },
            { head: 'There', cell: (c) => <span class="name">{c.to || 'not there'}</span> },
          ]} />
        </>
      ) : <p>Both have the same packages.</p>}
    </>
  );
}

export function DiffView({ place, image }: Part) {
  const set = query(place, 'with') ?? '';
  const [text, setText] = useState(set);
  const loaded = useApi<Diff>(set ? address(imagePath(image.digest, '/diff'), { with: set }) : null, false);
  return (
    <>
      <form class="search" onSubmit={(e) => { e.preventDefault(); go(withQuery(place, { with: text.trim() })); }}>
        <label><span>Another tag, name or digest</span>
          <input name="with" value={text} required autocomplete="off" spellcheck={false}
            onInput={(e) => setText(e.currentTarget.value)} />
        </label>
        <button type="submit">Compare</button>
      </form>
      {set ? <Await of={loaded}>{(diff) => <Difference diff={diff} />}</Await> : null}
    </>
  );
}

export function Changes({ image }: Part) {
  const loaded = useApi<Rows<Event>>(address(imagePath(image.digest, '/events'), { n: 100 }));
  return <Await of={loaded}>{(page) => <Events events={page.items} caption="What changed of this image" />}</Await>;
}

export function Pulls({ image }: Part) {
  if (!image.pulls.length) return <Empty>Nobody has pulled it here.</Empty>;
  return (
    <Table caption="Who pulled it last" rows={image.pulls} keyOf={(_, i) => i} columns={[
      { head: 'When', cell: (p) => <time dateTime={p.time}>{moment(p.time)}</time> },
      { head: 'Who', row: true, cell: (p) => p.who || 'anonymous' },
      { head: 'From', cell: (p) => p.client },
      { head: 'As', wide: true, cell: (p) => <span class="name">{p.name}</span> },
      { head: 'Times', number: true, cell: (p) => p.count },
      { head: 'Result', cell: (p) => p.result ?? '–' },
    ]} />
  );
}

export function Downloads({ image }: Part) {
  const formats = [['cyclonedx', 'CycloneDX'], ['spdx', 'SPDX']] as const;
  return (
    <ul class="list">
      {formats.map(([format, title]) => (
        <li key={format}><a download href={downloadAddress(image.digest, format)}>Download the SBOM as {title}</a></li>
      ))}
      <li><a download={`${shortDigest(image.digest)}.report.json`} href={`/api/v1/images/${image.digest}/report`}>
        Download the report (JSON)</a></li>
    </ul>
  );
}
