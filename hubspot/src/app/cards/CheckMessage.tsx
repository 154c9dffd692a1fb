import { Alert, Button, ButtonRow, DescriptionList, DescriptionListItem, Flex, Heading, Text, Tile } from '@hubspot/ui-extensions';
import type { Person } from './api';
import { FixForm } from './FixForm';
import { Message } from './Message';
import { Place } from './testIds';
import type { Card } from './types';
import { useCheck } from './useCheck';

interface CheckMessageProps {
  card: Card;
  person: Person;
  tz: string;
  reload: () => void;
  onBack: () => void;
}

/** Paste an id or what a failure said, read what it means, and tie it to this contact. */
export function CheckMessage({ card, person, tz, reload, onBack }: CheckMessageProps) {
  const { busy, problem, told, explain, attach, redraw } = useCheck(person, tz);
  const { lines, failure, attach: fix } = told?.checked ?? { lines: [], failure: null, attach: null };
  const listed = card.failures.some((one) => one.messageId === failure?.messageId);
  const lookAgain = () => {
    reload();
    if (told) void explain(card.check, told.values);
  };
  const attachTo = async (values: Record<string, string>) => {
    if (await attach(values)) reload();
  };
  return (
    <Tile compact testId="checking">
      <Flex direction="column" gap="small">
        <Heading>{card.check.label}</Heading>
        {told?.attached ? (
          <Alert title={told.attached} variant="success" testId="attached" />
        ) : (
          <Place.Provider value="check">
            <FixForm
              fix={card.check}
              problem={problem}
              sending={busy === card.check.id}
              main={fix === null}
              onSubmit={(values) => void explain(card.check, values)}
              onBack={onBack}
            />
          </Place.Provider>
        )}
        {lines.length > 0 && <Meaning lines={lines} />}
        {failure && listed && <Text testId="listed">It is in the list above.</Text>}
        {failure && !listed && (
          <Place.Provider value="checked">
            <Message failure={failure} person={person} tz={tz} redraw={redraw} refresh={lookAgain} />
          </Place.Provider>
        )}
        {fix && (
          <Place.Provider value="attach">
            <FixForm fix={fix} problem={null} sending={busy === fix.id} onSubmit={attachTo} />
          </Place.Provider>
        )}
        {told?.attached && (
          <ButtonRow disableDropdown>
            <Button variant="secondary" onClick={onBack} testId="check-done">
              Done
            </Button>
          </ButtonRow>
        )}
      </Flex>
    </Tile>
  );
}

function Meaning({ lines }: { lines: { label: string; text: string }[] }) {
  return (
    <DescriptionList direction="column">
      {lines.map((line) => (
        <DescriptionListItem key={line.label} label={line.label}>
          <Text>{line.text}</Text>
        </DescriptionListItem>
      ))}
    </DescriptionList>
  );
}
