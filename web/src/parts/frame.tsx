import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../api';
import type { Loaded } from '../hooks';
import { useNow, useSession, useTitle } from '../hooks';
import { seen } from '../logic/json';
import { ago, day, shortDigest } from '../logic/text';
import { toImage, to, withQuery, type Place } from '../logic/route';
import { go } from '../router';

// A page: its heading takes the focus when it is come to, so that a screen reader says where one is.
export function Page({ title: named, lead, children, actions }: {
  title: string; lead?: ComponentChildren; children: ComponentChildren; actions?: ComponentChildren;
}) {
  const title = seen(named); // may be out of the address
  useTitle(title);
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1} id="title">{title}</h1>
        {actions ? <div class="actions">{actions}</div> : null}
      </div>
      {lead ? <p class="lead">{lead}</p> : null}
      {children}
    </>
  );
}

export function Section({ title, id, children, note }: {
  title: string; id: string; children: ComponentChildren; note?: ComponentChildren;
}) {
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {note ? <p class="note">{note}</p> : null}
      {children}
    </section>
  );
}

export function Failed({ error, again }: { error: ApiError; again?: () => void }) {
  const { me } = useSession();
  return (
    <div class="box box-bad" role="alert">
      <p>{error.status === 403 ? `Not allowed: ${error.message}` : error.message}</p>
      {error.status === 401 || (error.status === 403 && me?.anonymous)
        ? <p><a href={to('login', '', { back: location.pathname + location.search })}>Sign in</a></p> : null}
      {again && error.status !== 401 && error.status !== 404
        ? <button type="button" onClick={again}>Try again</button> : null}
    </div>
  );
}

// What is there, what is wrong, or that it is on its way.
export function Await<T>({ of, children }: { of: Loaded<T>; children: (data: T) => ComponentChildren }) {
  if (of.error) return <Failed error={of.error} again={of.again} />;
  if (of.data === null) return <p class="quiet" role="status">Loading …</p>;
  return <div aria-busy={of.busy} class={of.busy ? 'stale' : undefined}>{children(of.data)}</div>;
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="quiet">{children}</p>;
}

export function When({ time }: { time: string | null }) {
  const now = useNow();
  if (!time) return <span>–</span>;
  return <time dateTime={time} title={time}>{day(time)} <span class="quiet">({ago(time, now)})</span></time>;
}

export function Digest({ digest, label }: { digest: string; label?: string }) {
  return (
    <a href={toImage(digest)} title={digest}>
      {label ? <span class="name">{label}</span> : <code>{shortDigest(digest)}</code>}
    </a>
  );
}

// A search or filter: takes effect on Enter and after a pause in typing. `/` leads to the page's search.
export function Search({ place, name = 'q', label, primary }: {
  place: Place; name?: string; label: string; primary?: boolean;
}) {
  const set = place.query.get(name) ?? '';
  const [text, setText] = useState(set);
  const timer = useRef(0);
  useEffect(() => setText(set), [set]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const apply = (value: string): void => {
    clearTimeout(timer.current);
    if (value !== set) go(withQuery(place, { [name]: value }), true);
  };
  return (
    <form role={primary ? 'search' : undefined} class="search" onSubmit={(e) => { e.preventDefault(); apply(text); }}>
      <label>
        <span>{label}</span>
        <input type="search" name={name} value={text} data-search={primary ? 'primary' : undefined}
          autocomplete="off" spellcheck={false}
          onInput={(e) => {
            const value = e.currentTarget.value;
            setText(value);
            clearTimeout(timer.current);
            timer.current = window.setTimeout(() => apply(value), 250);
          }} />
      </label>
    </form>
  );
}

export function Choice({ place, name, label, options }: {
  place: Place; name: string; label: string; options: readonly (readonly [string, string])[];
}) {
  return (
    <label class="choice">
      <span>{label}</span>
      <select name={name} value={place.query.get(name) ?? ''}
        onChange={(e) => go(withQuery(place, { [name]: e.currentTarget.value }), true)}>
        {options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select>
    </label>
  );
}

export function Check({ place, name, label }: { place: Place; name: string; label: string }) {
  return (
    <label class="check">
      <input type="checkbox" name={name} checked={place.query.get(name) === '1'}
        onChange={(e) => go(withQuery(place, { [name]: e.currentTarget.checked ? '1' : '' }), true)} />
      <span>{label}</span>
    </label>
  );
}

export const fromOf = (place: Place, name = 'from'): number =>
  Math.max(0, Math.floor(Number(place.query.get(name) ?? '0')) || 0);

export function Pager({ place, total, from, n, shown, name = 'from', what }: {
  place: Place; total: number; from: number; n: number; shown: number; name?: string; what: string;
}) {
  const at = (f: number): string => withQuery(place, { [name]: f > 0 ? f : undefined });
  const last = Math.max(0, Math.floor((total - 1) / n) * n);
  return (
    <nav class="pager" aria-label={`Pages of ${what}`}>
      <span role="status">
        {total === 0 ? `no ${what}` : `${from + 1}–${from + shown} of ${total.toLocaleString('en')} ${what}`}
      </span>
      {total > n ? (
        <span class="pager-links">
          {from > 0 ? <a href={at(0)}>First</a> : <span class="quiet">First</span>}
          {from > 0 ? <a rel="prev" href={at(Math.max(0, from - n))}>Previous</a>
            : <span class="quiet">Previous</span>}
          {from + n < total ? <a rel="next" href={at(from + n)}>Next</a> : <span class="quiet">Next</span>}
          {from < last ? <a href={at(last)}>Last</a> : <span class="quiet">Last</span>}
        </span>
      ) : null}
    </nav>
  );
}
