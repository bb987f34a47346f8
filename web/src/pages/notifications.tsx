import { useState } from 'preact/hooks';
import { send, type Page as Rows, type Subscription } from '../api';
import type { PageProps } from '../app';
import { useApi, useRole, useSession } from '../hooks';
import { order, words } from '../logic/severity';
import { moment } from '../logic/text';
import { subscriptionOf, kinds } from '../logic/subscription';
import { to } from '../logic/route';
import { Await, Empty, Page, Section } from '../parts/frame';
import { Flag } from '../parts/marks';
import { Table } from '../parts/table';

const targets = { webhook: 'Address (https://…)', slack: 'Address of the incoming webhook', smtp: 'E-mail address' };

function Make({ done }: { done: () => void }) {
  const [way, setWay] = useState<keyof typeof targets>('webhook');
  const [wrong, setWrong] = useState('');
  const [said, setSaid] = useState('');
  const make = async (form: HTMLFormElement): Promise<void> => {
    setWrong('');
    setSaid('');
    try {
      const made = await send<Subscription>('POST', 'subscriptions', subscriptionOf(new FormData(form)));
      setSaid(`${made?.name ?? 'It'} will be told from now on.`);
      form.reset();
      setWay('webhook');
      done();
    } catch (e) {
      setWrong(e instanceof Error ? e.message : String(e));
    }
  };
  return (
    <form class="form" onSubmit={(e) => { e.preventDefault(); void make(e.currentTarget); }}>
      <div class="fields">
        <label><span>Name</span>
          <input name="name" required maxLength={64} pattern="[a-z0-9._\-]+" autocomplete="off" spellcheck={false}
            title="small letters, digits, . _ -" /></label>
        <label><span>Way</span>
          <select name="way" value={way} onChange={(e) => setWay(e.currentTarget.value as keyof typeof targets)}>
            <option value="webhook">webhook</option><option value="slack">Slack</option>
            <option value="smtp">e-mail</option>
          </select></label>
        <label class="wide"><span>{targets[way]}</span>
          <input name="target" required type={way === 'smtp' ? 'email' : 'url'} autocomplete="off" /></label>
        <label><span>Secret (optional)</span>
          <input name="secret" type="password" autocomplete="new-password" /></label>
        <label><span>Repositories (pattern, optional)</span>
          <input name="repository" autocomplete="off" spellcheck={false} /></label>
        <label><span>Severity at least</span>
          <select name="severity"><option value="">any</option>
            {order.slice(0, 4).map((k) => <option key={k} value={k}>{words[k]}</option>)}</select></label>
        <label><span>Collect for (seconds)</span>
          <input name="digest_seconds" type="number" min="0" max="604800" value="300" /></label>
      </div>
      <fieldset><legend>Of what (none chosen: everything)</legend>
        {kinds.map((k) => (
          <label key={k} class="check"><input type="checkbox" name="kinds" value={k} /><span>{k}</span></label>))}
      </fieldset>
      <div><button type="submit" class="primary">Subscribe</button></div>
      {wrong ? <p class="wrong" role="alert">{wrong}</p> : null}
      <p class="said" role="status">{said}</p>
    </form>
  );
}

function Actions({ s, done }: { s: Subscription; done: () => void }) {
  const [said, setSaid] = useState('');
  const [sure, setSure] = useState(false);
  const act = async (method: 'POST' | 'DELETE', path: string, says: string): Promise<void> => {
    try {
      await send(method, path);
      setSaid(says);
      done();
    } catch (e) {
      setSaid(e instanceof Error ? e.message : String(e));
    }
  };
  return (
    <span class="row-actions">
      <button type="button" aria-label={`Send a test to ${s.name}`}
        onClick={() => { void act('POST', `subscriptions/${s.id}/test`, 'A test is on its way.'); }}>Test</button>
      {sure ? (
        <>
          <button type="button" class="danger" aria-label={`Really remove ${s.name}`}
            onClick={() => { void act('DELETE', `subscriptions/${s.id}`, 'Removed.'); }}>Really remove</button>
          <button type="button" aria-label={`Keep ${s.name}`} onClick={() => setSure(false)}>Keep</button>
        </>
      ) : <button type="button" aria-label={`Remove ${s.name}`} onClick={() => setSure(true)}>Remove</button>}
      <span role="status">{said}</span>
    </span>
  );
}

function State({ s }: { s: Subscription }) {
  return (
    <>
      {s.disabled ? <Flag strong>disabled</Flag> : null}
      {s.delivered} delivered, {s.waiting} waiting, {s.failed} failed
      {s.last_error ? <p class="wrong">{moment(s.last_time)}: {s.last_error}</p> : null}
    </>
  );
}

export function Notifications(_: PageProps) {
  const admin = useRole('admin');
  const { me, known } = useSession();
  const loaded = useApi<Rows<Subscription>>(admin ? 'subscriptions?n=200' : null);
  return (
    <Page title="Notifications" lead="Who is told of what changes.">
      {known && !admin ? <p class="note">Subscriptions need the role “admin”.{' '}
        {!me || me.anonymous ? <a href={to('login', '', { back: '/ui/notifications' })}>Sign in</a> : null}</p> : null}
      {admin ? (
        <>
          <Section title="Subscriptions" id="subscriptions">
            <Await of={loaded}>{(page) => page.items.length ? (
              <Table caption="Subscriptions" rows={page.items} keyOf={(s) => s.id} columns={[
                { head: 'Name', row: true, cell: (s) => s.name },
                { head: 'Way', cell: (s) => s.way },
                { head: 'Target', wide: true, cell: (s) => <span class="name">{s.target}</span> },
                { head: 'Of what', cell: (s) => (
                  <>{s.kinds.length ? s.kinds.join(', ') : 'everything'}
                    {s.repository ? <>, only <span class="name">{s.repository}</span></> : null}
                    {s.severity ? `, at least ${s.severity}` : ''}</>) },
                { head: 'State', cell: (s) => <State s={s} /> },
                { head: 'Do', cell: (s) => <Actions s={s} done={loaded.again} /> },
              ]} />
            ) : <Empty>Nobody is told yet.</Empty>}</Await>
          </Section>
          <Section title="Subscribe" id="subscribe"><Make done={loaded.again} /></Section>
        </>
      ) : null}
    </Page>
  );
}
