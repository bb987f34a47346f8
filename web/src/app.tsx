import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { FunctionComponent } from 'preact';
import { get, send, type Me } from './api';
import {
  LiveContext, NowContext, SessionContext, useClock, useSession, type Session,
} from './hooks';
import { useStream } from './live';
import { to, type Place } from './logic/route';
import { isNewPage } from './logic/focus';
import { go, usePlace } from './router';
import { setTheme, storedTheme, type Theme } from './theme';
import { Advisories } from './pages/advisories';
import { Images } from './pages/images';
import { Log } from './pages/log';
import { Login } from './pages/login';
import { Notifications } from './pages/notifications';
import { OverviewPage } from './pages/overview';
import { PolicyPage } from './pages/policy';
import { Quarantine } from './pages/quarantine';
import { Repositories } from './pages/repositories';
import { Surveys } from './pages/surveys';
import { Page } from './parts/frame';
import { WorkUnderWay } from './parts/work';

export interface PageProps { place: Place }

const pages: Record<string, { title: string; body: FunctionComponent<PageProps> }> = {
  overview: { title: 'Overview', body: OverviewPage },
  repositories: { title: 'Repositories', body: Repositories },
  images: { title: 'Images', body: Images },
  quarantine: { title: 'Quarantine', body: Quarantine },
  advisories: { title: 'Advisories', body: Advisories },
  policy: { title: 'Policy', body: PolicyPage },
  log: { title: 'Log', body: Log },
  surveys: { title: 'Surveys', body: Surveys },
  notifications: { title: 'Notifications', body: Notifications },
};

function Nowhere() {
  return (
    <Page title="No such page">
      <p>There is nothing at this address. <a href={to('overview')}>Go to the overview</a>.</p>
    </Page>
  );
}

function ThemeChoice() {
  const [theme, set] = useState<Theme>(storedTheme);
  return (
    <label class="theme">
      <span>Colours</span>
      <select value={theme} onChange={(e) => {
        const chosen = e.currentTarget.value as Theme;
        setTheme(chosen);
        set(chosen);
      }}>
        <option value="system">as the system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}

function Who({ place }: { place: Place }) {
  const { me, known, refresh } = useSession();
  if (!known) return null;
  const back = place.page === 'login' ? undefined : location.pathname + location.search;
  if (!me || me.anonymous) return <a href={to('login', '', { back })}>Sign in</a>;
  const leave = (): void => {
    send('POST', 'logout').then(refresh, refresh);
    go(to('login'));
  };
  return (
    <span class="who">
      <span>Signed in as <strong>{me.user}</strong></span>
      <button type="button" onClick={leave}>Sign out</button>
    </span>
  );
}

function Header({ place }: { place: Place }) {
  return (
    <header class="top">
      <a class="brand" href={to('overview')}>
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true" focusable="false">
          <path class="brand-ground" d="M16 2 28 6v10c0 7-5 12-12 14C9 28 4 23 4 16V6z" />
          <path class="brand-tick" d="m9 16 5 5 9-10" />
        </svg> cocket
      </a>
      <nav aria-label="Main">
        <ul>
          {Object.entries(pages).map(([page, { title }]) => (
            <li key={page}>
              <a href={to(page)} aria-current={place.page === page ? 'page' : undefined}>{title}</a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="top-end"><Who place={place} /></div>
    </header>
  );
}

// `/` leads to the page's search, as people expect; not while they type.
function slash(e: KeyboardEvent): void {
  const at = e.target;
  if (e.key !== '/' || e.ctrlKey || e.metaKey || e.altKey || (at instanceof HTMLElement &&
      (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)))) return;
  const field = document.querySelector<HTMLInputElement>('[data-search=primary]')
    ?? document.querySelector<HTMLInputElement>('main input[type=search]');
  if (field) {
    e.preventDefault();
    field.focus();
    field.select();
  }
}

// Whoever comes to another page finds himself at its head; the first page of all keeps the browser's own focus.
function useArrival(place: Place): void {
  const before = useRef<Place | null>(null);
  useEffect(() => {
    if (before.current && isNewPage(before.current, place)) {
      scrollTo(0, 0);
      document.getElementById('title')?.focus({ preventScroll: true });
    }
    before.current = place;
  }, [place]);
}

function useMe(): Session {
  const [state, set] = useState<{ me: Me | null; known: boolean; turn: number }>({ me: null, known: false, turn: 0 });
  const refresh = useCallback(() => {
    const now = (me: Me | null): void => set((s) => ({ me, known: true, turn: s.known ? s.turn + 1 : 0 }));
    get<Me>('me').then(now, () => now(null));
  }, []);
  useEffect(refresh, []);
  return { ...state, refresh };
}

export function App() {
  const place = usePlace();
  const session = useMe();
  const now = useClock();
  const live = useStream(session.known && session.me !== null);
  useArrival(place);
  useEffect(() => {
    document.addEventListener('keydown', slash);
    return () => document.removeEventListener('keydown', slash);
  }, []);
  const Body = place.page === 'login' ? Login : pages[place.page]?.body ?? Nowhere;
  return (
    <SessionContext.Provider value={session}>
      <LiveContext.Provider value={live}><NowContext.Provider value={now}>
        <a class="skip" href="#main">Skip to the content</a>
        <Header place={place} />
        <WorkUnderWay />
        <main id="main" tabIndex={-1}>
          <Body key={`${place.page} ${place.arg} ${session.turn}`} place={place} />
        </main>
        <footer class="foot">
          <ThemeChoice />
          <span class="quiet">Press <kbd>/</kbd> to search</span>
        </footer>
      </NowContext.Provider></LiveContext.Provider>
    </SessionContext.Provider>
  );
}
