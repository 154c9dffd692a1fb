import { hubspot } from '@hubspot/ui-extensions';
import { ContactCard } from './ContactCard';

hubspot.extend<'crm.record.sidebar'>(() => <ContactCard first={3} />);
