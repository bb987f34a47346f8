import { useEffect, useRef, useState } from 'preact/hooks';
import { send } from '../api';
import { useLive, useRole } from '../hooks';
import { announce, farOf, keyOf, resultOf, titleOf, type Said } from '../logic/work';
import { When } from './frame';

// For the eyes, as often as it changes; a screen reader finds it, but is told by Spoken.
export function WorkUnderWay() {
  const { work } = useLive();
  return (
    <>
      <div class="work">
        {work.length ? (
          <ul aria-label="Work under way">
            {work.map((w) => (
              <li key={keyOf(w)}>
                <span>{titleOf(w)}</span>{' '}
                <progress aria-label={titleOf(w)} max={w.total ?? 1} value={w.total ? w.done : undefined} />{' '}
                <span class="number">{farOf(w)}</span>
              </li>
            ))}
          </ul>
        ) : null}
      </div>
      <Spoken />
    </>
  );
}

function Spoken() {
  const { work, watched } = useLive();
  const [text, set] = useState('');
  const said = useRef<Said>({ keys: [], titles: [], at: -Infinity, rounds: -1 });
  useEffect(() => {
    if (watched === undefined) return;
    const next = announce(said.current, work, watched, Date.now());
    said.current = next.said;
    if (next.text !== null) set(next.text);
  }, [work, watched]);
  return <p class="sr" role="status" aria-label="News of the work">{text}</p>;
}

// The round that goes on, or what came of the last one; and the way to begin one.
export function Looking() {
  const { work, watched } = useLive();
  const admin = useRole('admin');
  const [asked, setAsked] = useState(false);
  const [wrong, setWrong] = useState('');
  const round = work.find((w) => w.kind === 'watch');
  const rounds = watched?.rounds ?? 0;
  useEffect(() => setAsked(false), [rounds, round !== undefined]);
  const begin = (): void => {
    setWrong('');
    setAsked(true);
    send('POST', 'watch').catch((e: unknown) => {
      setAsked(false);
      setWrong(e instanceof Error ? e.message : String(e));
    });
  };
  return (
    <div class="looking">
      {round ? <p>{titleOf(round)} <span class="number">{farOf(round)}</span></p>
        : asked ? <p>Looking again: asked for</p>
        : watched ? <p>Looked again <When time={watched.ended} />: {resultOf(watched)}</p>
        : watched === undefined ? null
        : <p class="quiet">Not looked again since the gate began.</p>}
      {admin ? (
        <button type="button" onClick={begin} disabled={asked || round !== undefined}>Look again now</button>
      ) : null}
      {wrong ? <p class="wrong" role="alert">{wrong}</p> : null}
    </div>
  );
}
