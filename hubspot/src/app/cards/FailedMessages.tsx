import {
  Accordion,
  Alert,
  Button,
  EmptyState,
  ErrorState,
  Flex,
  LoadingButton,
  LoadingSpinner,
  Text,
} from '@hubspot/ui-extensions';
import { useState } from 'react';
import type { Person } from './api';
import { CheckMessage } from './CheckMessage';
import { Message } from './Message';
import { Place } from './testIds';
import type { Card, Failure, Problem } from './types';
import { useCard } from './useCard';

interface FailedMessagesProps {
  person: Person;
  tz: string;
  first: number;
}

const ALL = 50;

/** The card's whole content for one person; `first` is how many messages are shown before "Show all". */
export function FailedMessages({ person, tz, first }: FailedMessagesProps) {
  const [limit, setLimit] = useState(first);
  const [checking, setChecking] = useState(false);
  const { state, load, redraw } = useCard(person, tz, limit);
  if (state.phase === 'loading') {
    return <LoadingSpinner label="Looking for failed messages" showLabel layout="centered" />;
  }
  if (state.phase === 'broken') return <Broken problem={state.problem} onRetry={load} />;
  const { card, refreshing, problem } = state;
  return (
    <Flex direction="column" gap="medium">
      {problem && (
        <Alert title="Not refreshed" variant="warning" testId="not-refreshed">
          {problem.message}
        </Alert>
      )}
      {card.notice && <NoticeBox card={card} />}
      {card.failures.length === 0 && <Nothing />}
      {card.failures.map((failure, place) => (
        <Place.Provider key={`${card.requestId} ${place}`} value={place === 0 ? '' : String(place + 1)}>
          <Folded failure={failure} folded={place > 0}>
            <Message failure={failure} person={person} tz={tz} redraw={redraw} refresh={load} />
          </Folded>
        </Place.Provider>
      ))}
      {card.total > card.failures.length && (
        <Button variant="transparent" onClick={() => setLimit(ALL)} testId="show-all">
          Show all {card.total}
        </Button>
      )}
      <Footer asOf={card.asOf} refreshing={refreshing} onRefresh={load}>
        <Button variant="secondary" size="extra-small" onClick={() => setChecking(!checking)} testId="check">
          {card.check.label}
        </Button>
      </Footer>
      {/* Behind its button and not in its place, so that the keyboard goes on from the one to the other. */}
      {checking && (
        <CheckMessage card={card} person={person} tz={tz} reload={load} onBack={() => setChecking(false)} />
      )}
    </Flex>
  );
}

function NoticeBox({ card }: { card: Card }) {
  const { title, text, variant } = card.notice!;
  return (
    <Alert title={title} variant={variant === 'default' ? 'info' : variant} testId="notice">
      {text}
    </Alert>
  );
}

interface FoldedProps {
  failure: Failure;
  folded: boolean;
  children: React.ReactNode;
}

/** The newest message stands open; of the others there is a line each, so that the card stays one look long. */
function Folded({ failure, folded, children }: FoldedProps) {
  if (!folded) return children;
  return (
    <Accordion title={`${failure.reason.title} · ${failure.when}`} size="small">
      {children}
    </Accordion>
  );
}

function Nothing() {
  return (
    <EmptyState title="No failed messages for this person." layout="vertical" imageName="contacts" imageWidth={100} flush>
      <Text>WhatsApp, SMS and Viber messages that fail will be shown here.</Text>
    </EmptyState>
  );
}

function Broken({ problem, onRetry }: { problem: Problem; onRetry: () => void }) {
  const locked = problem.code === 'not_connected';
  return (
    <ErrorState title={locked ? 'Not connected' : 'Cannot be shown right now'} type={locked ? 'lock' : 'error'}>
      <Text testId="problem">{problem.message}</Text>
      <Button variant="secondary" onClick={onRetry} testId="try-again">
        Try again
      </Button>
    </ErrorState>
  );
}

interface FooterProps {
  asOf: string;
  refreshing: boolean;
  onRefresh: () => void;
  children: React.ReactNode;
}

function Footer({ asOf, refreshing, onRefresh, children }: FooterProps) {
  return (
    <Flex direction="row" justify="between" align="center" gap="small" wrap="wrap">
      <Text variant="microcopy" testId="as-of">
        As of {asOf}
      </Text>
      <Flex direction="row" gap="small">
        {children}
        <LoadingButton variant="secondary" size="extra-small" loading={refreshing} onClick={onRefresh} testId="refresh">
          {refreshing ? 'Refreshing' : 'Refresh'}
        </LoadingButton>
      </Flex>
    </Flex>
  );
}
