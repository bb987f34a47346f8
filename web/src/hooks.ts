import { createContext } from 'preact';
import { useCallback, useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ApiError, get, type Event, type Me, type Role, type Watched, type Work } from './api';

export interface Loaded<T> { data: T | null; error: ApiError | null; busy: boolean; again: () => void }

interface Kept<T> { path: string | null; data: T | null; error: ApiError | null }

// What is at `path` of the API; null: nothing is asked. While something else is fetched, what is there stays, as
// long as `keep` says so.
export function useApi<T>(path: string | null, keep = true): Loaded<T> {
  const [kept, set] = useState<Kept<T>>({ path: null, data: null, error: null });
  const [turn, setTurn] = useState(0);
  const [busy, setBusy] = useState(path !== null);
  // Of layout: asked before the first frame is painted, not after it.
  useLayoutEffect(() => {
    if (path === null) return undefined;
    const control = new AbortController();
    setBusy(true);
    get<T>(path, control.signal).then(
      (data) => {
        if (control.signal.aborted) return;
        set({ path, data, error: null });
        setBusy(false);
      },
      (e: unknown) => {
        if (control.signal.aborted) return;
        set({ path, data: null, error: e instanceof ApiError ? e : new ApiError(0, String(e)) });
        setBusy(false);
      });
    return () => control.abort();
  }, [path, turn]);
  const again = useCallback(() => setTurn((n) => n + 1), []);
  const fits = kept.path === path || (keep && path !== null);
  return { data: fits ? kept.data : null, error: fits ? kept.error : null, busy, again };
}

// `turn` counts who it was: a page begins anew when somebody signs in or out, not when it is first known who it is.
export interface Session { me: Me | null; known: boolean; turn: number; refresh: () => void }
export const SessionContext = createContext<Session>({ me: null, known: false, turn: 0, refresh: () => {} });
export const useSession = (): Session => useContext(SessionContext);
// An administrator may everything.
export function useRole(role: Role): boolean {
  const roles = useSession().me?.roles ?? [];
  return roles.includes(role) || roles.includes('admin');
}

export interface Live { last: Event | null; work: Work[]; watched: Watched | null | undefined; connected: boolean }
// `watched` undefined: nothing was told yet.
export const silent: Live = { last: null, work: [], watched: undefined, connected: false };
export const LiveContext = createContext<Live>(silent);
export const useLive = (): Live => useContext(LiveContext);

// Calls `again` when an event came that `concerns` says matters; at most once a second.
export function useEvents(concerns: (e: Event) => boolean, again: () => void): void {
  const { last } = useLive();
  const timer = useRef(0);
  useEffect(() => {
    if (!last || !concerns(last) || timer.current) return;
    timer.current = window.setTimeout(() => {
      timer.current = 0;
      again();
    }, 1000);
  }, [last]);
  useEffect(() => () => clearTimeout(timer.current), []);
}

// Calls `again` when a round of looking again has ended meanwhile.
export function useRounds(again: () => void): void {
  const { watched } = useLive();
  const rounds = watched === undefined ? -1 : watched?.rounds ?? 0;
  const before = useRef(rounds);
  useEffect(() => {
    if (before.current >= 0 && before.current !== rounds) again();
    before.current = rounds;
  }, [rounds]);
}

// The time, for ages; one clock for all of them, which moves on once a minute.
export const NowContext = createContext(0);
export const useNow = (): number => useContext(NowContext);

export function useClock(): number {
  const [now, set] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), 60000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export function useTitle(title: string): void {
  useEffect(() => { document.title = `${title} – cocket`; }, [title]);
}
