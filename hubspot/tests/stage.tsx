import { createRenderer } from '@hubspot/ui-extensions/testing';
import { vi } from 'vitest';
import { ContactCard } from '../src/app/cards/ContactCard';

/** A card on a contact record, and the answers our server will give it, in order. */
export function stage(first = 3) {
  const hsFetch = vi.fn();
  vi.stubGlobal('self', { hsFetch });
  const renderer = createRenderer('crm.record.sidebar');
  renderer.mocks.context.crm.objectId = 901;
  renderer.mocks.context.portal.timezone = 'Europe/Dublin';
  renderer.mocks.actions.fetchCrmObjectProperties.willCall(async () => ({ phone: '+353 87 123 4567' }));
  const answers = (...bodies: unknown[]) => {
    for (const body of bodies) hsFetch.mockImplementationOnce(async () => respond(body));
  };
  const open = () => renderer.render(<ContactCard first={first} />);
  const sent = (call: number) => ({ url: String(hsFetch.mock.calls[call]![0]), ...hsFetch.mock.calls[call]![1] });
  return { ...renderer, hsFetch, answers, open, sent };
}

function respond(body: unknown): Response {
  if (body instanceof Error) throw body;
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status: 200 });
}
