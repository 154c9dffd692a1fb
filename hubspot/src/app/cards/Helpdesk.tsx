import { hubspot } from '@hubspot/ui-extensions';
import { TicketCard } from './TicketCard';

hubspot.extend<'helpdesk.sidebar'>(() => <TicketCard first={3} />);
