import { address, type Advisory, type AdvisoryRow, type Page as Rows } from '../api';
import type { PageProps } from '../app';
import { useApi } from '../hooks';
import { toAdvisory, toImage, to } from '../logic/route';
import { count, moment, webAddress } from '../logic/text';
import { Await, Digest, Empty, Page, Pager, Search, Section, fromOf } from '../parts/frame';
import { Flag, SeverityMark, StateMark } from '../parts/marks';
import { Table } from '../parts/table';

function List({ place }: PageProps) {
  const from = fromOf(place);
  const n = 50;
  const loaded = useApi<Rows<AdvisoryRow>>(address('advisories', { n, from, q: place.query.get('q') ?? undefined }));
  return (
    <Page title="Advisories" lead="Which images have a weakness? By how many have it.">
      <div class="filters"><Search place={place} label="Search ids, such as CVE-2024-3094" primary /></div>
      <Await of={loaded}>{(page) => (
        <>
          <Pager place={place} total={page.total} from={page.from} n={n} shown={page.items.length} what="ids" />
          {page.items.length ? (
            <Table caption="Weaknesses" rows={page.items} keyOf={(r) => r.id} columns={[
              { head: 'Weakness', row: true, wide: true,
                cell: (r) => <a class="name" href={toAdvisory(r.id)}>{r.id}</a> },
              { head: 'Images', number: true, cell: (r) => r.images.toLocaleString('en') },
            ]} />
          ) : null}
        </>
      )}</Await>
    </Page>
  );
}

function Statements({ a }: { a: Advisory }) {
  if (!a.statements.length) return <Empty>The database says nothing of it.</Empty>;
  return (
    <Table caption="What the feeds say" rows={a.statements} keyOf={(_, i) => i} columns={[
      { head: 'Source', cell: (s) => s.source },
      { head: 'Ecosystem', cell: (s) => s.ecosystem },
      { head: 'Package', row: true, wide: true, cell: (s) => <span class="name">{s.package}</span> },
      { head: 'State', cell: (s) => s.state },
      { head: 'Fixed in', cell: (s) => s.fixed ?? '–' },
      { head: 'More', cell: (s) => {
        const url = webAddress(s.url);
        return url ? <a href={url} rel="noreferrer noopener" target="_blank">{new URL(url).host}</a> : '–';
      } },
    ]} />
  );
}

function One({ place }: PageProps) {
  const from = fromOf(place);
  const n = 50;
  const loaded = useApi<Advisory>(address(`advisories/${encodeURIComponent(place.arg)}`, { n, from }));
  return (
    <Page title={place.arg} lead={<a href={to('advisories')}>Advisories</a>}>
      <Await of={loaded}>{(a) => (
        <>
          <p class="sum">{a.severity ? <SeverityMark severity={a.severity} /> : null}
            {a.kev ? <Flag strong>known to be exploited</Flag> : null}
            {a.aliases.length ? <span>also {a.aliases.map((x, i) =>
              <span key={x}>{i ? ', ' : ''}<a class="name" href={toAdvisory(x)}>{x}</a></span>)}</span> : null}</p>
          {a.summary ? <p class="lead">{a.summary}</p> : null}
          <Section title="What the feeds say" id="statements"><Statements a={a} /></Section>
          <Section title="Images that have it" id="having">
            {a.images_total !== undefined && a.images_total > 0 ? <Pager place={place} total={a.images_total}
              from={from} n={n} shown={a.images.length} what="images" /> : null}
            {a.images.length ? (
              <Table caption="Images that have it" rows={a.images} keyOf={(r, i) => `${r.digest} ${i}`} columns={[
                { head: 'Image', row: true, wide: true,
                  cell: (r) => <Digest digest={r.digest} label={r.name ?? ''} /> },
                { head: 'State', cell: (r) => <StateMark state={r.state} /> },
                { head: 'Package', cell: (r) => r.package ? (
                  <a class="name" href={toImage(r.digest, { part: 'packages', q: r.package })}>
                    {r.package} {r.version ?? ''}</a>) : '–' },
                { head: 'Fix', cell: (r) => r.fix ?? '–' },
              ]} />
            ) : <Empty>No image here has it.</Empty>}
          </Section>
          <Section title="Who pulled them" id="pulled"
            note={a.pulls.length ? count(a.pulls.length, 'line') : undefined}>
            {a.pulls.length ? (
              <Table caption="Who pulled images that have it" rows={a.pulls} keyOf={(_, i) => i} columns={[
                { head: 'Who', row: true, cell: (p) => p.who || 'anonymous' },
                { head: 'From', cell: (p) => p.client },
                { head: 'Image', wide: true, cell: (p) => <Digest digest={p.digest} label={p.name} /> },
                { head: 'Last', cell: (p) => <time dateTime={p.time}>{moment(p.time)}</time> },
                { head: 'Times', number: true, cell: (p) => p.count },
              ]} />
            ) : <Empty>Nobody has pulled any of them here.</Empty>}
          </Section>
        </>
      )}</Await>
    </Page>
  );
}

export function Advisories(props: PageProps) {
  return props.place.arg ? <One {...props} /> : <List {...props} />;
}
