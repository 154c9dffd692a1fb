import { EmptyState, Heading, LoadingSpinner } from '@hubspot/ui-extensions';
import { createRenderer } from '@hubspot/ui-extensions/testing';
import { expect, it, vi } from 'vitest';
import { TicketCard } from '../src/app/cards/TicketCard';
import { recorded } from './recorded';

type Found = { results: unknown[]; isLoading: boolean };

function beside(found: Found) {
  const hsFetch = vi.fn(async () => new Response(JSON.stringify(recorded('one')), { status: 200 }));
  vi.stubGlobal('self', { hsFetch });
  const renderer = createRenderer('helpdesk.sidebar');
  renderer.mocks.context.crm.objectId = 7;
  renderer.mocks.useAssociations.willCall((() => found) as never);
  renderer.render(<TicketCard first={3} />);
  return { ...renderer, hsFetch };
}

it("beside a ticket it shows the messages of the ticket's contact, found by id and number", async () => {
  const properties = { phone: '+46701740611', mobilephone: null };
  const r = beside({ results: [{ toObjectId: 901, associationTypes: [], properties }], isLoading: false });
  await r.waitFor(() => expect(r.find(Heading).text).toBe('Not on WhatsApp'));
  const [[url]] = r.hsFetch.mock.calls as unknown as [[string]];
  expect(url).toContain('objectId=901&objectTypeId=0-1&phone=%2B46701740611&');
});

it('says so when the ticket has no contact, and that it is looking while it looks', () => {
  expect(beside({ results: [], isLoading: false }).find(EmptyState).props.title).toBe('This ticket has no contact.');
  expect(beside({ results: [], isLoading: true }).find(LoadingSpinner).props.showLabel).toBe(true);
});
