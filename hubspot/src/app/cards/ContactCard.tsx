import { LoadingSpinner, useExtensionActions, useExtensionContext } from '@hubspot/ui-extensions';
import { useEffect, useRef, useState } from 'react';
import type { Person } from './api';
import { FailedMessages } from './FailedMessages';

const CONTACT = '0-1';
const PHONES = { phone: 'phone', mobilephone: 'mobilephone', hs_whatsapp_phone_number: 'whatsapp' } as const;

/** The card on a contact record; the record's numbers go along, so that the person is found by them too. */
export function ContactCard({ first }: { first: number }) {
  const { crm, portal } = useExtensionContext<'crm.record.sidebar'>();
  const person = usePerson(String(crm.objectId));
  if (!person) return <LoadingSpinner label="Looking for failed messages" showLabel layout="centered" />;
  return <FailedMessages person={person} tz={portal.timezone ?? ''} first={first} />;
}

function usePerson(objectId: string): Person | null {
  const actions = useExtensionActions<'crm.record.sidebar'>();
  const [person, setPerson] = useState<Person | null>(null);
  const fetchProperties = useRef(actions.fetchCrmObjectProperties);
  useEffect(() => {
    let wanted = true;
    const keep = (found: Record<string, string>) =>
      wanted && setPerson({ objectId, objectTypeId: CONTACT, phones: named(found) });
    // Without the numbers the card still works: the messages are found by the record's id.
    fetchProperties.current(Object.keys(PHONES)).then(keep, () => keep({}));
    return () => {
      wanted = false;
    };
  }, [objectId]);
  return person;
}

export function named(properties: Record<string, string | null | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(PHONES).map(([property, name]) => [name, properties[property] ?? '']));
}
