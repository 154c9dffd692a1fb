import { Alert, Button, ButtonRow, Flex, Heading, StatusTag, Text, Tile } from '@hubspot/ui-extensions';
import type { Person } from './api';
import { Details } from './Details';
import { Fixes } from './Fixes';
import type { Failure, Notice } from './types';
import { type Redraw, useFix } from './useFix';
import { useTestId } from './testIds';

interface MessageProps {
  failure: Failure;
  person: Person;
  tz: string;
  redraw: Redraw;
  refresh: () => void;
}

/** One message: did it arrive, why not, what to do now, and the receipt of what was done. */
export function Message({ failure, person, tz, redraw, refresh }: MessageProps) {
  const id = useTestId();
  const { step, setStep, receipt, setReceipt, run } = useFix(failure, person, tz, redraw);
  return (
    <Tile compact testId={id('message')}>
      <Flex direction="column" gap="small">
        <Flex direction="row" justify="between" align="start" gap="small" wrap="wrap">
          <Heading>{failure.reason.title}</Heading>
          {failure.status.label !== failure.reason.title && (
            <StatusTag variant={failure.status.variant} testId={id('status')}>
              {failure.status.label}
            </StatusTag>
          )}
        </Flex>
        <Text variant="microcopy" testId={id('line')}>
          {failure.line}
        </Text>
        {!receipt && <Text testId={id('reason')}>{failure.reason.text}</Text>}
        {!receipt && <Unmended failure={failure} />}
        {failure.pattern && (
          <Text format={{ italic: true }} testId={id('pattern')}>
            {failure.pattern}
          </Text>
        )}
        {receipt && <ReceiptBox receipt={receipt} onRefresh={refresh} onDone={() => setReceipt(null)} />}
        {failure.preview && step.at === 'rest' && !receipt && (
          <Text variant="microcopy" testId={id('preview')}>
            {failure.preview}
          </Text>
        )}
        <Fixes fixes={failure.fixes} step={step} setStep={setStep} run={run} />
        <Details failure={failure} />
      </Flex>
    </Tile>
  );
}

/** What a person must know where no button helps: what came back, word for word, and what to do. */
function Unmended({ failure }: { failure: Failure }) {
  const id = useTestId();
  const { said, noted, reason, todo } = failure;
  return (
    <>
      {reason.code === 'unknown' && said && (
        <Text variant="microcopy" testId={id('came-back')}>
          {said.by} said: {said.text}
        </Text>
      )}
      {reason.code === 'unknown' && noted && (
        <Text variant="microcopy" testId={id('noted-here')}>
          Redeliver noted: {noted}
        </Text>
      )}
      {todo && <Text testId={id('todo')}>{todo}</Text>}
    </>
  );
}

interface ReceiptBoxProps {
  receipt: Notice;
  onRefresh: () => void;
  onDone: () => void;
}

function ReceiptBox({ receipt, onRefresh, onDone }: ReceiptBoxProps) {
  const id = useTestId();
  const refresh = () => {
    onDone();
    onRefresh();
  };
  const variant = receipt.variant === 'default' ? 'info' : receipt.variant;
  return (
    <Flex direction="column" gap="extra-small">
      <Alert title={receipt.title} variant={variant} testId={id('receipt')}>
        {receipt.text || null}
      </Alert>
      <ButtonRow disableDropdown>
        <Button variant="secondary" onClick={refresh} testId={id('receipt-refresh')}>
          Refresh
        </Button>
        <Button variant="transparent" onClick={onDone} testId={id('receipt-done')}>
          Done
        </Button>
      </ButtonRow>
    </Flex>
  );
}
