import { EmptyState, LoadingSpinner, Text, useExtensionContext } from '@hubspot/ui-extensions';
import { useAssociations } from '@hubspot/ui-extensions/crm';
import { useMemo } from 'react';
import { named } from './ContactCard';
import { FailedMessages } from './FailedMessages';

const CONTACT = '0-1';
const WANTED = {
  toObjectType: CONTACT,
  properties: ['phone', 'mobilephone', 'hs_whatsapp_phone_number'],
  pageLength: 1,
};

/** The card beside a help desk ticket: it is about the ticket's first contact. */
export function TicketCard({ first }: { first: number }) {
  const { portal } = useExtensionContext<'helpdesk.sidebar'>();
  const { results, isLoading } = useAssociations(WANTED);
  const contact = results[0];
  const id = contact === undefined ? null : String(contact.toObjectId);
  const phones = JSON.stringify(named((contact?.properties ?? {}) as Record<string, string>));
  const person = useMemo(
    () => (id === null ? null : { objectId: id, objectTypeId: CONTACT, phones: JSON.parse(phones) }),
    [id, phones],
  );
  if (person) return <FailedMessages person={person} tz={portal.timezone ?? ''} first={first} />;
  if (isLoading) return <LoadingSpinner label="Looking for the ticket's contact" showLabel layout="centered" />;
  return (
    <EmptyState title="This ticket has no contact." layout="vertical" imageName="contacts" imageWidth={100} flush>
      <Text>Add a contact to the ticket to see their failed messages.</Text>
    </EmptyState>
  );
}
