import { Alert, Button, EmptyState, Form, Heading, LoadingButton, Select, Text, TextArea } from '@hubspot/ui-extensions';
import { describe, expect, it } from 'vitest';
import { card } from './examples';
import { checkedOf, receiptOf, recorded, refusalOf } from './recorded';
import { stage } from './stage';

const REFUSED = '131026: Message undeliverable. Recipient is not a WhatsApp user.';

/** Check a message, fed with what the app really answers. */
describe('check a message', () => {
  const opened = async (scene: string) => {
    const s = stage();
    s.answers(recorded(scene));
    s.open();
    await s.waitFor(() => s.findByTestId(Button, 'check'));
    s.findByTestId(Button, 'check').trigger('onClick');
    return s;
  };
  const paste = async (s: Awaited<ReturnType<typeof opened>>, words: string, answer: unknown) => {
    s.answers(answer);
    s.findByTestId(TextArea, 'field-check_text-check').trigger('onChange', words as never);
    s.findByTestId(Form, 'form-check-check').trigger('onSubmit', { targetValue: {} } as never);
  };

  it('is offered where nothing failed, and can be left again', async () => {
    const s = await opened('empty');
    s.find(EmptyState);
    const field = s.findByTestId(TextArea, 'field-check_text-check').props;
    expect(field).toMatchObject({ label: 'Id or text', required: true });
    s.findByTestId(Button, 'back-check').trigger('onClick');
    expect(s.maybeFindByTestId(TextArea, 'field-check_text-check')).toBeNull();
    expect(s.hsFetch).toHaveBeenCalledTimes(1);
  });

  it('explains a text, asks which channel, and attaches it to this contact', async () => {
    const s = await opened('empty');
    await paste(s, REFUSED, checkedOf('checked_text'));
    await s.waitFor(() => s.findByTestId(Select, 'field-check_kind-attach'));
    expect(s.sent(1).body).toMatchObject({ fix: 'check', objectId: '901', values: { check_text: REFUSED } });
    const texts = s.findAll(Text).map((text) => text.text);
    for (const line of checkedOf('checked_text').lines) expect(texts).toContain(line.text);

    s.answers(receiptOf('attached'), card([receiptOf('attached').failure!]));
    s.findByTestId(Select, 'field-check_kind-attach').trigger('onChange', 'sms' as never);
    s.findByTestId(Form, 'form-attach-attach').trigger('onSubmit', { targetValue: {} } as never);
    await s.waitFor(() => s.findByTestId(Text, 'listed'));
    expect(s.findByTestId(Alert, 'attached').props).toMatchObject({ title: 'Attached to this person.', variant: 'success' });
    const { fixToken } = checkedOf('checked_text').attach!;
    expect(s.sent(2).body).toMatchObject({ fix: 'attach', fixToken, values: { check_text: REFUSED, check_kind: 'sms' } });
    expect(s.sent(2).url).toContain('phone=%2B353');
    expect(s.maybeFind(EmptyState)).toBeNull();
  });

  it('shows a known message with its fixes beside the list', async () => {
    const s = await opened('empty');
    await paste(s, '6230001', checkedOf('checked_message'));
    await s.waitFor(() => s.findByTestId(LoadingButton, 'fix-send_other_channel-checked'));
    expect(s.findAll(Heading).map((heading) => heading.text)).toEqual(['Check a message', 'Not on WhatsApp']);
    s.answers(receiptOf('sent'));
    s.findByTestId(LoadingButton, 'fix-send_other_channel-checked').trigger('onClick');
    await s.waitFor(() => expect(s.findByTestId(Alert, 'receipt-checked').props.title).toMatch(/^Sent again by SMS/));
  });

  it('points to the list when the message is there already', async () => {
    const s = await opened('one');
    const told = { ...checkedOf('checked_message'), failure: recorded('one').failures[0]! };
    await paste(s, '6230001', told);
    await s.waitFor(() => s.findByTestId(Text, 'listed'));
    expect(s.findAll(Heading)).toHaveLength(2);
  });

  it('says that an id is not known', async () => {
    const s = await opened('empty');
    await paste(s, '6230011', checkedOf('checked_id'));
    await s.waitFor(() => s.findByTestId(Form, 'form-attach-attach'));
    expect(s.findAll(Text).map((text) => text.text)).toContain(checkedOf('checked_id').lines[0]!.text);
  });

  it('marks the field when nothing was pasted', async () => {
    const s = await opened('empty');
    await paste(s, ' ', refusalOf('checked_nothing'));
    const { message } = refusalOf('checked_nothing').error;
    await s.waitFor(() => expect(s.findByTestId(TextArea, 'field-check_text-check').props).toMatchObject({ error: true, validationMessage: message }));
    expect(s.findByTestId(TextArea, 'field-check_text-check').props.value).toBe(' ');
  });

  it('keeps what was typed when no answer comes', async () => {
    const s = await opened('empty');
    await paste(s, REFUSED, new Error('timeout'));
    await s.waitFor(() => expect(s.findByTestId(Text, 'form-problem-check').text).toContain('Nothing was sent'));
    expect(s.findByTestId(TextArea, 'field-check_text-check').props.value).toBe(REFUSED);
  });
});
