import { useEffect, useState } from 'preact/hooks';
import { streamAddress, type Event, type Progress } from './api';
import { silent, type Live } from './hooks';
import { parse } from './logic/json';

function parsed<T>(e: MessageEvent<string>): T | null {
  try {
    return parse<T>(e.data);
  } catch {
    return null;
  }
}

// The stream of events. An answer ends after some seconds and EventSource asks again by itself; it gives up only where
// the answer was an error, and is then opened anew after a while.
export function useStream(wanted: boolean): Live {
  const [live, set] = useState<Live>(silent);
  useEffect(() => {
    if (!wanted) return undefined;
    let source: EventSource;
    let timer = 0;
    const open = (): void => {
      source = new EventSource(streamAddress);
      source.onopen = () => set((l) => ({ ...l, connected: true }));
      source.addEventListener('event', (e) => {
        const last = parsed<Event>(e);
        if (last) set((l) => ({ ...l, last }));
      });
      source.addEventListener('progress', (e) => {
        const said = parsed<Progress>(e);
        if (said && Array.isArray(said.work)) set((l) => ({ ...l, work: said.work, watched: said.watched }));
      });
      source.onerror = () => {
        if (source.readyState !== EventSource.CLOSED) return;
        set((l) => ({ ...l, work: [], connected: false }));
        timer = window.setTimeout(open, 15000);
      };
    };
    open();
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, [wanted]);
  return live;
}
