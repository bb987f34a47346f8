import type { ImageRow, Page as Rows } from '../api';
import { address } from '../api';
import type { PageProps } from '../app';
import { useApi, useEvents } from '../hooks';
import { Await, Check, Choice, Digest, Page, Pager, Search, When, fromOf } from '../parts/frame';
import { Counts, Flag, StateMark } from '../parts/marks';
import { Table } from '../parts/table';
import { ImagePage } from './image';

const states = [['', 'any'], ['cleared', 'cleared'], ['quarantined', 'quarantined'], ['denied', 'denied']] as const;
const severities = [['', 'any'], ['critical', 'critical'], ['high', 'high or worse'], ['medium', 'medium or worse'],
  ['low', 'low or worse']] as const;
const orders = [['', 'newest first'], ['worst', 'worst first'], ['name', 'by name']] as const;

export function ImageName({ image }: { image: { digest: string; name: string | null; names?: number } }) {
  return (
    <>
      <Digest digest={image.digest} label={image.name ?? ''} />
      {image.names && image.names > 1 ? <span class="quiet"> and {image.names - 1} more</span> : null}
    </>
  );
}

export function ImageTable({ rows, caption }: { rows: readonly ImageRow[]; caption: string }) {
  return (
    <Table caption={caption} rows={rows} keyOf={(r) => r.digest} columns={[
      { head: 'Image', row: true, wide: true, cell: (r) => <ImageName image={r} /> },
      { head: 'State', cell: (r) => (
        <><StateMark state={r.state} />{r.by_person ? <Flag>by a person</Flag> : null}</>) },
      { head: 'Findings', cell: (r) => (
        <>
          <Counts severities={r.severities} />
          {r.complete === false ? <Flag>assessed in part</Flag> : null}
          {r.kev ? <Flag strong>{r.kev} exploited</Flag> : null}
        </>) },
      { head: 'Fixable', number: true, cell: (r) => r.fixable ?? '–' },
      { head: 'Packages', number: true, cell: (r) => r.packages ?? '–' },
      { head: 'Platform', cell: (r) => r.platform ?? '–' },
      { head: 'Added', cell: (r) => <When time={r.added} /> },
    ]} />
  );
}

function List({ place }: PageProps) {
  const from = fromOf(place);
  const n = 50;
  const q = (name: string): string | undefined => place.query.get(name) ?? undefined;
  const loaded = useApi<Rows<ImageRow>>(address('images', {
    n, from, q: q('q'), state: q('state'), severity: q('severity'), incomplete: q('incomplete'),
    order: q('order'), repository: q('repository'),
  }));
  useEvents((e) => e.image !== null, loaded.again);
  return (
    <Page title="Images">
      <div class="filters">
        <Search place={place} label="Search name, digest or distribution" primary />
        <Choice place={place} name="state" label="State" options={states} />
        <Choice place={place} name="severity" label="Severity" options={severities} />
        <Choice place={place} name="order" label="Order" options={orders} />
        <Check place={place} name="incomplete" label="only what could not be assessed wholly" />
      </div>
      <Await of={loaded}>{(page) => (
        <>
          <Pager place={place} total={page.total} from={page.from} n={n} shown={page.items.length} what="images" />
          {page.items.length ? <ImageTable rows={page.items} caption="Images" /> : null}
          {page.items.length > 20
            ? <Pager place={place} total={page.total} from={page.from} n={n} shown={page.items.length}
                what="images, again" /> : null}
        </>
      )}</Await>
    </Page>
  );
}

export function Images(props: PageProps) {
  return props.place.arg ? <ImagePage {...props} /> : <List {...props} />;
}
