import { useId, useState } from 'preact/hooks';
import { imagePath, send, type Decided, type Verdict } from '../api';

// Release or deny, each with its reason.
export function Decide({ digest, name, verdict, done }: {
  digest: string; name: string | null; verdict: Verdict; done: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState('');
  const [wrong, setWrong] = useState('');
  const id = useId();
  const decide = async (what: 'release' | 'deny', form: HTMLFormElement): Promise<void> => {
    const reason = String(new FormData(form).get('reason') ?? '').trim();
    if (!reason) {
      setWrong('A reason is needed: it is kept in the log.');
      form.querySelector('input')?.focus();
      return;
    }
    setBusy(true);
    setWrong('');
    try {
      const body = what === 'release' && name ? { reason, name } : { reason };
      const d = await send<Decided>('POST', imagePath(digest, `/${what}`), body);
      setSaid(d && what === 'release' && d.released_by < d.persons
        ? `Released by ${d.released_by} of ${d.persons} persons: another person is needed.`
        : `It is ${d?.state ?? what} now.`);
      form.reset();
      done();
    } catch (e) {
      setWrong(e instanceof Error ? e.message : String(e));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="decide" aria-label={`Decide on ${name ?? digest}`} onSubmit={(e) => {
      e.preventDefault();
      const by = e.submitter;
      void decide(by instanceof HTMLButtonElement && by.value === 'deny' ? 'deny' : 'release', e.currentTarget);
    }}>
      <label htmlFor={id}>Reason</label>
      <input id={id} name="reason" maxLength={400} autocomplete="off" disabled={busy} />
      <button type="submit" value="release" disabled={busy}>Release</button>
      <button type="submit" value="deny" class="danger" disabled={busy}>Deny</button>
      {verdict.persons > 1
        ? <span class="quiet">needs {verdict.persons} persons; {verdict.released_by} so far</span> : null}
      {wrong ? <p class="wrong" role="alert">{wrong}</p> : null}
      <p class="said" role="status">{said}</p>
    </form>
  );
}
