import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  row?: boolean;     // names the row
  number?: boolean;
  wide?: boolean;    // takes what is left
}

// As many rows as any screen shows.
const first = 20;

// A table, which on a narrow page is a list of cards. Roles stand beside the elements because a browser forgets what
// a table is when it is laid out as something else. The first rows are painted before the others are made: to lay out
// fifty takes longer than all else on the page.
export function Table<T>({ caption, columns, rows, keyOf, hidden }: {
  caption: string; columns: readonly Column<T>[]; rows: readonly T[]; keyOf: (row: T, i: number) => string | number;
  hidden?: boolean;
}) {
  const [all, setAll] = useState(rows.length <= first);
  useEffect(() => setAll(true), []);
  return (
    <div class="table" aria-busy={all ? undefined : 'true'}>
      <table role="table">
        <caption class={hidden === false ? undefined : 'sr'}>{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((c) => (
              <th key={c.head} role="columnheader" scope="col" class={c.number ? 'number' : undefined}>{c.head}</th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {(all ? rows : rows.slice(0, first)).map((r, i) => (
            <tr key={keyOf(r, i)} role="row">
              {columns.map((c) => c.row
                ? <th key={c.head} role="rowheader" scope="row" data-label={c.head}
                    class={c.wide ? 'wide' : undefined}>{c.cell(r)}</th>
                : <td key={c.head} role="cell" data-label={c.head}
                    class={c.number ? 'number' : c.wide ? 'wide' : undefined}>{c.cell(r)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
