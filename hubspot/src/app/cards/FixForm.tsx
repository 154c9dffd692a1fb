import { useRef, useState } from 'react';
import { Button, ButtonRow, Flex, Form, Input, LoadingButton, Select, Text, TextArea } from '@hubspot/ui-extensions';
import type { Field, Fix, Problem } from './types';
import type { Values } from './useFix';
import { useTestId } from './testIds';

interface FixFormProps {
  fix: Fix;
  problem: Problem | null;
  sending: boolean;
  main?: boolean;
  onSubmit: (values: Values) => void;
  onBack?: () => void;
}

/** Asks for exactly the fields the server named, filled with what it knows, the old value beside the new. */
export function FixForm({ fix, problem, sending, main = true, onSubmit, onBack }: FixFormProps) {
  const id = useTestId();
  const [typed, setTyped] = useState<Values>({});
  // The page keeps an older handler for a moment after the last key, so what is sent is read here and not from it.
  const newest = useRef<Values>({});
  const values = Object.fromEntries(fix.fields.map((f) => [f.name, typed[f.name] ?? f.value]));
  const general = problem && !fix.fields.some((f) => f.name === problem.field || f.error) ? problem.message : null;
  const sends = fix.sends && fix.submitLabel !== 'Next';
  const set = (name: string) => (value: unknown) => {
    newest.current = { ...newest.current, [name]: String(value ?? '') };
    setTyped(newest.current);
  };

  return (
    <Form onSubmit={() => onSubmit({ ...values, ...newest.current })} autoComplete="off" testId={id(`form-${fix.id}`)}>
      <Flex direction="column" gap="small">
        {fix.fields.map((field) => (
          <FormField
            key={field.name}
            field={field}
            value={values[field.name] ?? ''}
            error={field.error ?? (problem?.field === field.name ? problem.message : null)}
            onChange={set(field.name)}
          />
        ))}
        {general && <Text testId={id('form-problem')}>{general}</Text>}
        <ButtonRow disableDropdown>
          <LoadingButton type="submit" variant={main ? 'primary' : 'secondary'} loading={sending} testId={id('submit')}>
            {sending && sends ? 'Sending' : fix.submitLabel}
          </LoadingButton>
          {onBack && (
            <Button variant="secondary" onClick={onBack} disabled={sending} testId={id('back')}>
              Back
            </Button>
          )}
        </ButtonRow>
      </Flex>
    </Form>
  );
}

interface FormFieldProps {
  field: Field;
  value: string;
  error: string | null;
  onChange: (value: unknown) => void;
}

function FormField({ field, value, error, onChange }: FormFieldProps) {
  const id = useTestId();
  const shared = {
    name: field.name,
    label: field.label,
    value,
    required: field.required,
    error: error !== null,
    ...(error !== null && { validationMessage: error }),
    ...(describe(field) && { description: describe(field) }),
    ...(field.placeholder && { placeholder: field.placeholder }),
    onChange,
    testId: id(`field-${field.name}`),
  };
  if (field.type === 'select') return <Select {...shared} options={field.options} />;
  if (field.type === 'textarea') return <TextArea {...shared} onInput={onChange} rows={4} />;
  return <Input {...shared} onInput={onChange} />;
}

function describe(field: Field): string {
  const before = field.before ? `Before: ${field.before}` : null;
  return [before, field.help].filter(Boolean).join(' · ');
}
