import {
  Accordion,
  Button,
  ButtonRow,
  DescriptionList,
  DescriptionListItem,
  Flex,
  List,
  Text,
  useExtensionActions,
} from '@hubspot/ui-extensions';
import type { Failure } from './types';
import { useTestId } from './testIds';

/** Everything behind the reason: the four lines, what remains possible, the provider's words, the attempts. */
export function Details({ failure }: { failure: Failure }) {
  const id = useTestId();
  const { candidates } = failure.reason;
  return (
    <Accordion title="Details" size="small">
      <Flex direction="column" gap="small">
        {failure.lines.length > 0 && (
          <DescriptionList direction="column">
            {failure.lines.map((line) => (
              <DescriptionListItem key={line.label} label={line.label}>
                <Text>{line.text}</Text>
              </DescriptionListItem>
            ))}
          </DescriptionList>
        )}
        {candidates.length > 0 && (
          <Section title="It may be one of these">
            <List variant="unordered-styled">
              {candidates.map((one) => (
                <Text key={one.code} testId={id(`candidate-${one.code}`)}>
                  {one.title}. {one.test}
                </Text>
              ))}
            </List>
          </Section>
        )}
        {failure.said && <Said said={failure.said} />}
        {failure.noted && (
          <Section title="Redeliver noted">
            <Text testId={id('noted')}>{failure.noted}</Text>
          </Section>
        )}
        <Section title="Attempts">
          <List variant="unordered-styled">
            {failure.attempts.map((attempt, place) => (
              <Text key={place} testId={id(`attempt-${place}`)}>
                {attempt.when}: {attempt.text}
              </Text>
            ))}
          </List>
        </Section>
        {failure.detailUrl && (
          <ButtonRow disableDropdown>
            <OpenButton url={failure.detailUrl} />
          </ButtonRow>
        )}
      </Flex>
    </Accordion>
  );
}

function Said({ said }: { said: NonNullable<Failure['said']> }) {
  const id = useTestId();
  return (
    <Section title={`${said.by} said`}>
      <Text testId={id('said')}>{said.text}</Text>
      {said.code && <Text variant="microcopy">Code {said.code}</Text>}
    </Section>
  );
}

function Section({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <Flex direction="column" gap="extra-small">
      <Text format={{ fontWeight: 'demibold' }}>{title}</Text>
      {children}
    </Flex>
  );
}

function OpenButton({ url }: { url: string }) {
  const id = useTestId();
  const actions = useExtensionActions<'crm.record.sidebar'>();
  const open = () => actions.openIframeModal({ uri: url, width: 720, height: 700, title: 'Message' });
  return (
    <Button variant="transparent" onClick={open} testId={id('open')}>
      Open the message
    </Button>
  );
}
