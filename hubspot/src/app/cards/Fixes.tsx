import { Alert, Button, ButtonRow, Flex, LoadingButton, Text, TextArea, useExtensionActions } from '@hubspot/ui-extensions';
import { useContext, useState } from 'react';
import { FixForm } from './FixForm';
import type { Fix } from './types';
import type { Step, Values } from './useFix';
import { Place, useTestId } from './testIds';

interface FixesProps {
  fixes: Fix[];
  step: Step;
  setStep: (step: Step) => void;
  run: (fix: Fix, values: Values) => void;
}

/** The fixes of one message, best first. HubSpot wants one main button in a card: the newest message has it. */
export function Fixes({ fixes, step, setStep, run }: FixesProps) {
  const place = useContext(Place);
  const current = step.at === 'rest' ? null : fixes.find((fix) => fix.fixToken === step.token);
  if (current && step.at === 'confirm') {
    return <Confirm fix={current} onYes={() => run(current, {})} onNo={() => setStep({ at: 'rest' })} />;
  }
  if (current?.kind === 'form' && (step.at === 'form' || step.at === 'sending')) {
    return (
      <Flex direction="column" gap="small">
        <Text format={{ fontWeight: 'demibold' }}>{current.label}</Text>
        <FixForm
          fix={current}
          problem={step.at === 'form' ? step.problem : null}
          sending={step.at === 'sending'}
          onSubmit={(values) => run(current, values)}
          onBack={() => setStep({ at: 'rest' })}
        />
      </Flex>
    );
  }
  const begin = (fix: Fix) => {
    if (fix.kind === 'form') setStep({ at: 'form', token: fix.fixToken, problem: null });
    else if (fix.confirm) setStep({ at: 'confirm', token: fix.fixToken });
    else run(fix, {});
  };
  const alone = place === '' || place === 'checked';
  return (
    <Flex direction="column" gap="extra-small" align="start">
      {fixes.map((fix, place) => (
        <FixButton
          key={fix.fixToken}
          fix={fix}
          name={nameOf(fixes, place)}
          main={fix.main && alone}
          step={step}
          onClick={() => begin(fix)}
        />
      ))}
    </Flex>
  );
}

/** A fix may be there more than once, for instance on two SMS channels. */
function nameOf(fixes: Fix[], place: number): string {
  const { id } = fixes[place]!;
  return fixes.findIndex((fix) => fix.id === id) === place ? id : `${id}-${place}`;
}

interface FixButtonProps {
  fix: Fix;
  name: string;
  main: boolean;
  step: Step;
  onClick: () => void;
}

function FixButton({ fix, name, main, step, onClick }: FixButtonProps) {
  const id = useTestId();
  const busy = step.at === 'sending';
  const mine = busy && step.token === fix.fixToken;
  const testId = id(`fix-${name}`);
  if (fix.kind === 'link' && fix.url) {
    return (
      <Button href={{ url: fix.url, external: true }} variant="transparent" testId={testId}>
        {fix.label}
      </Button>
    );
  }
  if (fix.kind === 'copy') return <CopyButton fix={fix} testId={testId} />;
  return (
    <Flex direction="column" gap="flush">
      <LoadingButton
        variant={main ? 'primary' : 'secondary'}
        loading={mine}
        disabled={fix.disabled || (busy && !mine)}
        onClick={onClick}
        testId={testId}
      >
        {mine && fix.sends ? 'Sending' : fix.label}
      </LoadingButton>
      {fix.why && (
        <Text variant="microcopy" testId={id(`why-${name}`)}>
          {fix.why}
        </Text>
      )}
    </Flex>
  );
}

function Confirm({ fix, onYes, onNo }: { fix: Fix; onYes: () => void; onNo: () => void }) {
  const id = useTestId();
  return (
    <Alert title={fix.confirm ?? fix.label} variant="warning" testId={id('confirm')}>
      <ButtonRow disableDropdown>
        <Button variant="primary" onClick={onYes} testId={id('confirm-yes')}>
          {fix.label}
        </Button>
        <Button variant="secondary" onClick={onNo} testId={id('confirm-no')}>
          Back
        </Button>
      </ButtonRow>
    </Alert>
  );
}

function CopyButton({ fix, testId }: { fix: Fix; testId: string }) {
  const id = useTestId();
  const actions = useExtensionActions<'crm.record.sidebar'>();
  const [byHand, setByHand] = useState(false);
  const text = fix.copyText ?? '';
  const copy = async () => {
    try {
      await actions.copyTextToClipboard(text);
      actions.addAlert({ type: 'success', message: 'Copied. Paste it into your message to support.' });
    } catch {
      // Browsers may forbid the clipboard; then the text is shown to be copied by hand.
      setByHand(true);
    }
  };
  return (
    <Flex direction="column" gap="extra-small">
      <Button variant="transparent" onClick={copy} testId={testId}>
        {fix.label}
      </Button>
      {byHand && (
        <TextArea label="Copy this text" name="support" value={text} readOnly rows={6} testId={id('copy-by-hand')} />
      )}
    </Flex>
  );
}
