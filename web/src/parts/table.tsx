import type { ComponentChildren } from 'preact';

export interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  row?: boolean;     // names the row
  number?: boolean;
  wide?: boolean;    // takes what is left
}

// A table, which on a narrow page is a list of cards. Roles stand beside the elements because a browser forgets what
// a table is when it is laid out as something else.
export function Table<T>({ caption, columns, rows, keyOf, hidden }: {
  caption: string; columns: readonly Column<T>[]; rows: readonly T[]; keyOf: (row: T, i: number) => string | number;
  hidden?: boolean;
}) {
  return (
    <div class="table">
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
          {rows.map((r, i) => (
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
