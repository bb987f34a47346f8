import { useEffect, useState } from 'preact/hooks';
import { placeOf, type Place } from './logic/route';

const moved = 'cocket:moved';

const here = (): Place => placeOf(location.pathname, location.search);

export function go(address: string, replace = false): void {
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  dispatchEvent(new CustomEvent(moved, { detail: { replace } }));
}

// A click on a link within these pages that a browser would follow in this window.
function isOurs(e: MouseEvent, a: HTMLAnchorElement): boolean {
  return e.button === 0 && !e.metaKey && !e.ctrlKey && !e.shiftKey && !e.altKey &&
    !a.target && !a.hasAttribute('download') && a.origin === location.origin &&
    (a.pathname === '/' || a.pathname === '/ui' || a.pathname.startsWith('/ui/'));
}

function follow(e: MouseEvent): void {
  const a = e.target instanceof Element ? e.target.closest('a') : null;
  if (e.defaultPrevented || !(a instanceof HTMLAnchorElement) || !isOurs(e, a)) return;
  if (a.hash && a.pathname === location.pathname && a.search === location.search) return;
  e.preventDefault();
  go(a.pathname + a.search);
}

export function usePlace(): Place {
  const [place, set] = useState(here);
  useEffect(() => {
    const update = (): void => set(here());
    addEventListener('popstate', update);
    addEventListener(moved, update);
    document.addEventListener('click', follow);
    return () => {
      removeEventListener('popstate', update);
      removeEventListener(moved, update);
      document.removeEventListener('click', follow);
    };
  }, []);
  return place;
}
