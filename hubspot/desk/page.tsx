import { createController, createRemoteReceiver, RemoteRenderer } from '@remote-ui/react/host';
import { createEndpoint, fromWebWorker } from '@remote-ui/rpc';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { components } from './components';
import type { CardWorker, Host, RecordContext } from './protocol';

interface Entry {
  id: string;
  kind: string;
  at: string;
  channel: string | null;
  body: string;
  updated: boolean;
}

/** One call of the card, both sides of it, for the desk's panel that shows what crosses the wire. */
interface Exchange {
  request: unknown;
  response: { status: number; body: string } | null;
  error: string | null;
  ms: number;
}

interface Stage {
  record: RecordContext;
  name: string;
  onExchange: (exchange: Exchange) => void;
}

type Properties = Record<string, string | null>;
const API = '/api/hubspot';
const LOOK_AGAIN = 2_000;
const controller = createController(components);
const roots = new WeakMap<Element, Root>();

async function load<T>(path: string, options?: RequestInit): Promise<T> {
  const answer = await fetch(API + path, options);
  return (await answer.json()) as T;
}

/** Draw the contact's record with its timeline into `middle`, and the real card into `side`. */
export function mount(middle: Element, side: Element, stage: Stage): void {
  const id = stage.record.objectId;
  draw(middle, <ContactRecord key={id} id={id} name={stage.name} />);
  draw(side, <Card key={id} {...stage} />);
}

export function unmount(...places: Element[]): void {
  for (const place of places) {
    roots.get(place)?.unmount();
    roots.delete(place);
  }
}

function draw(place: Element, what: React.ReactNode): void {
  const root = roots.get(place) ?? createRoot(place);
  roots.set(place, root);
  root.render(what);
}

function ContactRecord({ id, name }: { id: number; name: string }) {
  const [properties, setProperties] = useState<Properties>({});
  const [entries, setEntries] = useState<Entry[]>([]);
  const look = useCallback(async () => {
    setProperties(await load(`/contacts/${id}`));
    setEntries(await load(`/timeline/${id}`));
  }, [id]);
  useEffect(() => {
    void look();
    const timer = setInterval(() => void look(), LOOK_AGAIN);
    return () => clearInterval(timer);
  }, [look]);
  return (
    <div className="hs record scroll" tabIndex={0}>
      <h2>{name}</h2>
      <dl>
        <dt>Phone</dt>
        <dd data-test-id="record-phone">{properties['phone'] || 'No number'}</dd>
        <dt>WhatsApp number</dt>
        <dd>{properties['hs_whatsapp_phone_number'] || 'No number'}</dd>
      </dl>
      <h3>Timeline</h3>
      {entries.length === 0 && <p className="microcopy">Nothing yet.</p>}
      {entries.map((entry) => (
        <TimelineEntry key={entry.id} entry={entry} />
      ))}
    </div>
  );
}

const KINDS: Record<string, string> = { WHATS_APP: 'Logged WhatsApp', SMS: 'Logged SMS' };

function TimelineEntry({ entry }: { entry: Entry }) {
  return (
    <article className="tile" data-test-id="timeline-entry">
      <header className="microcopy">
        {KINDS[entry.channel ?? ''] ?? 'Note'} · {new Date(entry.at).toLocaleString()}
        {entry.updated ? ' · updated' : ''}
      </header>
      {/* HubSpot draws the HTML of an entry, and so does the desk, in a frame that can run nothing. */}
      <iframe sandbox="allow-popups" title="Timeline entry" srcDoc={`<base target="_blank">${entry.body}`} />
    </article>
  );
}

function Card({ record, onExchange }: Stage) {
  const receiver = useMemo(() => createRemoteReceiver(), []);
  const [alert, setAlert] = useState<string | null>(null);
  useEffect(() => {
    const endpoint = createEndpoint<CardWorker>(fromWebWorker(new Worker(`${API}/bundle/worker.js`)));
    endpoint.expose({ ...host(record.objectId, onExchange), addAlert: ({ message }) => setAlert(message) });
    void endpoint.call.draw(receiver.receive as never, record);
    return () => endpoint.terminate();
  }, []);
  return (
    <div className="hs card scroll">
      <h2>Failed messages</h2>
      <RemoteRenderer receiver={receiver} controller={controller} />
      {alert && <p role="status" className="alert success">{alert}</p>}
    </div>
  );
}

type HostOfPage = Omit<Host, 'addAlert'>;

/** What HubSpot's page does for a card, done by the desk. */
function host(objectId: number, onExchange: Stage['onExchange']): HostOfPage {
  return {
    copyTextToClipboard: (text) => navigator.clipboard.writeText(text),
    fetchCrmObjectProperties: () => load(`/contacts/${objectId}`),
    // HubSpot frames the page over the record; nobody else may, so here it has a tab of its own.
    openIframeModal: ({ uri }) => void window.open(uri, '_blank', 'noopener'),
    refreshObjectProperties: () => undefined, // the record on the desk looks again by itself
    fetch: async (url, method, body) => {
      const headers = { 'Content-Type': 'application/json' };
      const exchange = await load<Exchange>('/fetch', { method: 'POST', headers, body: JSON.stringify({ url, method, body }) });
      onExchange(exchange);
      return exchange.response ?? { status: 504, body: JSON.stringify({ message: exchange.error }) };
    },
  };
}
