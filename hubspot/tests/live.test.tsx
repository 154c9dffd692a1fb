import { Alert, EmptyState, Heading, LoadingButton, Text } from '@hubspot/ui-extensions';
import { createRenderer } from '@hubspot/ui-extensions/testing';
import { createHmac } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { ContactCard } from '../src/app/cards/ContactCard';
import { PUBLIC_URL } from '../src/app/cards/config';

// Where the app runs and what it believes; tests/hubspot/test_live.py starts it and says so.
const { APP_URL = '', HUBSPOT_SECRET = '', OBJECT_ID = '', PORTAL_ID = '' } = process.env;

const ESCAPES: Record<string, string> = {
  '%3A': ':', '%2F': '/', '%3F': '?', '%40': '@', '%21': '!', '%24': '$', '%27': "'", '%28': '(', '%29': ')', '%2A': '*', '%2C': ',', '%3B': ';',
};

/** HubSpot's servers: they add who is asking, sign version 3 over the address the app is known by, and call it. */
async function hsFetch(url: string, { method = 'GET', body }: { method?: string; body?: object } = {}) {
  const asked = new URL(url.replace(PUBLIC_URL, APP_URL)).href;
  const vouched = `userId=5501&portalId=${PORTAL_ID}&userEmail=ana.kos%40example.com&appId=224455`;
  const target = `${asked}${asked.includes('?') ? '&' : '?'}${vouched}`;
  const content = body ? JSON.stringify(body) : '';
  const stamp = String(Date.now());
  const signed = method + target.replace(/%[0-9A-F]{2}/g, (escape) => ESCAPES[escape] ?? escape) + content + stamp;
  const headers: Record<string, string> = {
    'X-HubSpot-Signature-v3': createHmac('sha256', HUBSPOT_SECRET).update(signed).digest('base64'),
    'X-HubSpot-Request-Timestamp': stamp,
  };
  if (body) headers['Content-Type'] = 'application/json';
  return fetch(target, { method, headers, ...(body && { body: content }) });
}

it('the rendered card, signed, fixes a message in the running app', async () => {
  vi.stubGlobal('self', { hsFetch });
  const r = createRenderer('crm.record.sidebar');
  r.mocks.context.crm.objectId = Number(OBJECT_ID);
  r.mocks.context.portal.timezone = 'Europe/Stockholm';
  r.mocks.actions.fetchCrmObjectProperties.willCall(async () => ({ phone: '070-174 06 11' }));
  r.render(<ContactCard first={3} />);
  const patience = { timeout: 60_000, interval: 500 };
  // The failure shows once it has been polled; until then a person presses Refresh, and so does this test.
  const refresh = () => r.maybeFindByTestId(LoadingButton, 'refresh')?.trigger('onClick');
  await vi.waitFor(() => {
    if (r.maybeFind(EmptyState)) refresh();
    expect(r.find(Heading).text).toBe('Not on WhatsApp');
  }, patience);
  r.findByTestId(LoadingButton, 'fix-send_other_channel').trigger('onClick');
  // On a slow machine the first receipt is "Sending now."; then too.
  await vi.waitFor(() => {
    const words = r.maybeFindByTestId(Alert, 'receipt')?.props.title ?? r.maybeFindByTestId(Text, 'reason')?.text ?? '';
    const arrived = r.maybeFind(EmptyState) !== null;
    if (words.includes('Sending now')) refresh();
    expect(arrived || /Octopods took it as \d+/.test(words), words).toBe(true);
  }, patience);
}, 150_000);
