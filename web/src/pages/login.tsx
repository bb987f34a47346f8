import { useState } from 'preact/hooks';
import { ApiError, send, type Me } from '../api';
import type { PageProps } from '../app';
import { useSession } from '../hooks';
import { backOf } from '../logic/back';
import { Page } from '../parts/frame';
import { go } from '../router';

export function Login({ place }: PageProps) {
  const { refresh } = useSession();
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    const form = e.currentTarget;
    if (!(form instanceof HTMLFormElement)) return;
    const data = new FormData(form);
    setBusy(true);
    setError('');
    try {
      await send<Me>('POST', 'login', {
        user: String(data.get('user') ?? ''), password: String(data.get('password') ?? ''),
      });
      refresh();
      go(backOf(place.query.get('back')), true);
    } catch (x) {
      setBusy(false);
      setError(x instanceof ApiError && x.status === 401 ? 'The name or the password is wrong.'
        : x instanceof Error ? x.message : String(x));
    }
  };
  return (
    <Page title="Sign in" lead="With an account of this gate (cocket user add).">
      <form class="form" method="post" action="/ui/login" onSubmit={(e) => { void submit(e); }}>
        <label><span>Name</span>
          <input name="user" autocomplete="username" autocapitalize="none" spellcheck={false} required />
        </label>
        <label><span>Password</span>
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        {error ? <p class="wrong" role="alert">{error}</p> : null}
        <div><button type="submit" class="primary" disabled={busy}>Sign in</button></div>
      </form>
    </Page>
  );
}
