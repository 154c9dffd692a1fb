import { Accordion, Alert, Button, EmptyState, ErrorState, Form, Heading, Input, LoadingButton, LoadingSpinner, StatusTag, Text, TextArea } from '@hubspot/ui-extensions';
import { createRenderer } from '@hubspot/ui-extensions/testing';
import { describe, expect, it, vi } from 'vitest';
import { Settings } from '../src/app/settings/Settings';
import { card, failure, fix } from './examples';
import { stage } from './stage';

const phone = {
  name: 'phone',
  label: 'Phone number',
  type: 'text' as const,
  value: '+353871234567',
  before: '087 123 4567',
  options: [],
  placeholder: '+353871234567',
  required: true,
  error: null,
  help: null,
};
const numberForm = fix({ id: 'edit_phone', label: 'Correct the number', kind: 'form', fields: [phone], submitLabel: 'Send' });
const receipt = { ok: true, state: 'sent', message: 'Sent again by SMS. Octopods took it as 6230011. Waiting for delivery.', refresh: null, duplicate: false };
const sentAgain = failure({ messageId: 'msg_2', status: { label: 'Waiting for delivery', variant: 'info' }, fixes: [] });

describe('looking', () => {
  it('says what it is doing while it loads', async () => {
    const s = stage();
    s.hsFetch.mockReturnValue(new Promise(() => {}));
    s.open();
    expect(s.find(LoadingSpinner).props).toMatchObject({ label: 'Looking for failed messages', showLabel: true });
    await vi.waitFor(() => expect(s.hsFetch).toHaveBeenCalledTimes(1));
  });

  it('asks for the record, its numbers and the account time zone', async () => {
    const s = stage();
    s.answers(card([]));
    s.open();
    await s.waitFor(() => s.find(EmptyState));
    const { url, method } = s.sent(0);
    expect(method).toBe('GET');
    expect(url).toBe(
      'https://redeliver.example.com/hubspot/card?objectId=901&objectTypeId=0-1' +
        '&phone=%2B353%2087%20123%204567&tz=Europe%2FDublin&limit=3',
    );
  });

  it('still shows the messages of a record whose properties cannot be read', async () => {
    const s = stage();
    s.mocks.actions.fetchCrmObjectProperties.willCall(async () => Promise.reject(new Error('no permission')));
    s.answers(card([failure()]));
    s.open();
    await s.waitFor(() => s.findByTestId(Text, 'reason'));
    expect(s.sent(0).url).not.toContain('phone=');
  });

  it('says so when there is nothing', async () => {
    const s = stage();
    s.answers(card([]));
    s.open();
    await s.waitFor(() => expect(s.find(EmptyState).props.title).toBe('No failed messages for this person.'));
  });

  it('shows reason, person, status in words, advice and the words of the provider', async () => {
    const s = stage();
    s.answers(card([failure({ pattern: '9 of the last 10 failed the same way.' })]));
    s.open();
    await s.waitFor(() => expect(s.find(Heading).text).toBe('Not on WhatsApp'));
    expect(s.findByTestId(StatusTag, 'status').text).toBe('Failed');
    expect(s.findByTestId(Text, 'line').text).toContain('+353 87 123 4567');
    expect(s.findByTestId(Text, 'pattern').text).toContain('9 of the last 10');
    expect(s.findByTestId(Text, 'said').text).toBe('Recipient is not a WhatsApp user.');
    expect(s.findAll(Text, (t) => t.text === 'You can.')).toHaveLength(1);
  });

  it('opens the newest and folds the others to a line each, so that one button is the main one', async () => {
    const s = stage();
    s.answers(card([failure(), failure({ messageId: 'msg_2' }), failure({ messageId: 'msg_3' })]));
    s.open();
    await s.waitFor(() => expect(s.findAll(Accordion, (one) => one.props.title !== 'Details')).toHaveLength(2));
    const [older] = s.findAll(Accordion, (one) => one.props.title !== 'Details');
    expect(older!.props.title).toBe('Not on WhatsApp · Nov 23, 2026 at 10:31AM');
    expect(s.findAll(LoadingButton, (button) => button.props.variant === 'primary')).toHaveLength(1);
    expect(older!.findAll(Accordion).map((one) => one.props.title)).toEqual(['Details']);
  });

  it('says what to do where no button does it, and makes no other button the main one', async () => {
    const s = stage();
    const handled = fix({ id: 'mark_handled', label: 'Mark as handled', main: false, sends: false });
    s.answers(card([failure({ fixes: [handled], todo: 'Ask an admin to enter the new key.' })]));
    s.open();
    await s.waitFor(() => expect(s.findByTestId(Text, 'todo').text).toBe('Ask an admin to enter the new key.'));
    expect(s.findByTestId(LoadingButton, 'fix-mark_handled').props.variant).toBe('secondary');
  });

  it('shows what came back, word for word, where nothing better is known', async () => {
    const s = stage();
    const unknown = { ...failure().reason, code: 'unknown', title: 'Reason not known' };
    s.answers(card([failure({ reason: unknown })]));
    s.open();
    await s.waitFor(() => expect(s.findByTestId(Text, 'came-back').text).toBe('Octopods said: Recipient is not a WhatsApp user.'));
  });

  it('puts no words of ours in the mouth of Octopods', async () => {
    const s = stage();
    const unknown = { ...failure().reason, code: 'unknown', title: 'Reason not known' };
    s.answers(card([failure({ reason: unknown, said: null, noted: 'Octopods could not be reached.' })]));
    s.open();
    await s.waitFor(() => expect(s.findByTestId(Text, 'noted-here').text).toBe('Redeliver noted: Octopods could not be reached.'));
    expect(s.findByTestId(Text, 'noted').text).toBe('Octopods could not be reached.');
    expect(s.maybeFindByTestId(Text, 'came-back')).toBeNull();
    expect(s.maybeFindByTestId(Text, 'said')).toBeNull();
  });

  it('loads the rest on request', async () => {
    const s = stage();
    s.answers(card([failure()], { total: 12 }), card([failure()]));
    s.open();
    await s.waitFor(() => expect(s.findByTestId(Button, 'show-all').text).toBe('Show all 12'));
    s.findByTestId(Button, 'show-all').trigger('onClick');
    await vi.waitFor(() => expect(s.sent(1).url).toContain('limit=50'));
  });

  it('tells an outage and an unconnected account apart, and tries again', async () => {
    const s = stage();
    s.answers(new Error('timeout'), { ok: false, error: { code: 'not_connected', field: null, message: 'Connect Redeliver first.' } }, card([]));
    s.open();
    await s.waitFor(() => expect(s.find(ErrorState).props.type).toBe('error'));
    s.findByTestId(Button, 'try-again').trigger('onClick');
    await s.waitFor(() => expect(s.find(ErrorState).props.type).toBe('lock'));
    expect(s.findByTestId(Text, 'problem').text).toBe('Connect Redeliver first.');
    s.findByTestId(Button, 'try-again').trigger('onClick');
    await s.waitFor(() => s.find(EmptyState));
  });

  it.each([
    ['an error page of a proxy', '<html>502</html>'],
    ["HubSpot's own error", { status: 'error', category: 'BAD_GATEWAY', message: 'Error returned from Request Uri' }],
  ])('never shows %s as an answer', async (_, body) => {
    const s = stage();
    s.answers(body);
    s.open();
    await s.waitFor(() => expect(s.findByTestId(Text, 'problem').text).toContain('did not answer'));
  });

  it('keeps what it knows when it cannot be refreshed, and says so', async () => {
    const s = stage();
    s.answers(card([failure()]), new Error('timeout'), card([]));
    s.open();
    await s.waitFor(() => s.findByTestId(Text, 'reason'));
    s.findByTestId(LoadingButton, 'refresh').trigger('onClick');
    await s.waitFor(() => expect(s.findByTestId(Alert, 'not-refreshed').text).toContain('did not answer'));
    s.findByTestId(Text, 'reason');
    s.findByTestId(LoadingButton, 'refresh').trigger('onClick');
    await s.waitFor(() => s.find(EmptyState));
    expect(s.maybeFindByTestId(Alert, 'not-refreshed')).toBeNull();
  });

  it('keeps the last answer on screen while it is refreshed', async () => {
    const s = stage();
    s.answers(card([failure()]));
    s.open();
    await s.waitFor(() => s.findByTestId(Text, 'reason'));
    s.hsFetch.mockReturnValue(new Promise(() => {}));
    s.findByTestId(LoadingButton, 'refresh').trigger('onClick');
    await s.waitFor(() => expect(s.findByTestId(LoadingButton, 'refresh').props.loading).toBe(true));
    expect(s.findByTestId(LoadingButton, 'refresh').text).toBe('Refreshing');
    s.findByTestId(Text, 'reason');
  });
});

describe('fixing', () => {
  it('sends one fix for a click and shows the receipt', async () => {
    const s = stage();
    s.answers(card([failure()]), { ...receipt, failure: sentAgain });
    s.open();
    await s.waitFor(() => s.findByTestId(LoadingButton, 'fix-send_other_channel'));
    s.findByTestId(LoadingButton, 'fix-send_other_channel').trigger('onClick');
    await s.waitFor(() => expect(s.findByTestId(Alert, 'receipt').props).toMatchObject({ title: receipt.message, variant: 'success' }));
    expect(s.findByTestId(StatusTag, 'status').text).toBe('Waiting for delivery');
    expect(s.maybeFindByTestId(LoadingButton, 'fix-send_other_channel')).toBeNull();
    expect(s.sent(1)).toMatchObject({
      method: 'POST',
      body: { messageId: 'msg_1', fix: 'send_other_channel', objectId: '901', fixToken: 'token-1', values: {} },
    });
  });

  it('shows in words that it is sending, and lets nothing else be clicked meanwhile', async () => {
    const s = stage();
    const other = fix({ id: 'mark_handled', label: 'Mark as handled', sends: false, fixToken: 'token-2' });
    s.answers(card([failure({ fixes: [fix(), other] })]));
    s.open();
    await s.waitFor(() => s.findByTestId(LoadingButton, 'fix-mark_handled'));
    s.hsFetch.mockReturnValue(new Promise(() => {}));
    s.findByTestId(LoadingButton, 'fix-send_other_channel').trigger('onClick');
    await s.waitFor(() => expect(s.findByTestId(LoadingButton, 'fix-send_other_channel').text).toBe('Sending'));
    expect(s.findByTestId(LoadingButton, 'fix-mark_handled').props.disabled).toBe(true);
  });

  it('asks first where the server wants that', async () => {
    const s = stage();
    s.answers(card([failure({ fixes: [fix({ confirm: 'Send this again?' })] })]), { ...receipt, failure: sentAgain });
    s.open();
    await s.waitFor(() => s.findByTestId(LoadingButton, 'fix-send_other_channel'));
    s.findByTestId(LoadingButton, 'fix-send_other_channel').trigger('onClick');
    await s.waitFor(() => expect(s.findByTestId(Alert, 'confirm').props.title).toBe('Send this again?'));
    expect(s.hsFetch).toHaveBeenCalledTimes(1);
    s.findByTestId(Button, 'confirm-yes').trigger('onClick');
    await s.waitFor(() => s.findByTestId(Alert, 'receipt'));
  });

  it('says why a fix cannot be used now', async () => {
    const s = stage();
    const why = 'Connect an SMS channel to send this as SMS.';
    s.answers(card([failure({ fixes: [fix({ disabled: true, why })] })]));
    s.open();
    await s.waitFor(() => expect(s.findByTestId(Text, 'why-send_other_channel').text).toBe(why));
    expect(s.findByTestId(LoadingButton, 'fix-send_other_channel').props.disabled).toBe(true);
  });

  it('shows a wait with its time, and the way to undo it', async () => {
    const s = stage();
    const undo = fix({ id: 'undo', label: 'Undo', sends: false });
    const waiting = failure({ status: { label: 'Queued until 1:05PM', variant: 'info' }, fixes: [undo] });
    const queued = { ...receipt, state: 'queued', message: 'Queued until 1:05PM.', failure: waiting };
    s.answers(card([failure({ fixes: [fix({ id: 'retry_later', label: 'Send again at 1:05PM' })] })]), queued);
    s.open();
    await s.waitFor(() => expect(s.findByTestId(LoadingButton, 'fix-retry_later').text).toBe('Send again at 1:05PM'));
    s.findByTestId(LoadingButton, 'fix-retry_later').trigger('onClick');
    await s.waitFor(() => expect(s.findByTestId(StatusTag, 'status').text).toBe('Queued until 1:05PM'));
    expect(s.findByTestId(Alert, 'receipt').props.variant).toBe('info');
    s.findByTestId(LoadingButton, 'fix-undo');
  });

  it.each([
    ['no answer came', new Error('Gateway took too long to respond'), 'never done twice'],
    ['the server is unsure', { ...receipt, state: 'unsure', message: 'It may have been sent.', failure: failure() }, 'may have been sent'],
  ])('does not claim a send when %s', async (_, body, words) => {
    const s = stage();
    s.answers(card([failure()]), body);
    s.open();
    await s.waitFor(() => s.findByTestId(LoadingButton, 'fix-send_other_channel'));
    s.findByTestId(LoadingButton, 'fix-send_other_channel').trigger('onClick');
    await s.waitFor(() => expect(s.findByTestId(Alert, 'receipt').props.variant).toBe('warning'));
    expect(s.findByTestId(Alert, 'receipt').text).toContain(words);
  });

  it('shows a refusal in the words of the server', async () => {
    const s = stage();
    const message = 'Somebody else is fixing this.';
    s.answers(card([failure()]), { ok: false, error: { code: 'changed', field: null, message }, failure: failure() });
    s.open();
    await s.waitFor(() => s.findByTestId(LoadingButton, 'fix-send_other_channel'));
    s.findByTestId(LoadingButton, 'fix-send_other_channel').trigger('onClick');
    await s.waitFor(() => expect(s.findByTestId(Alert, 'receipt').text).toBe(message));
  });

  it.each([
    ['maybe_done', 'Not known whether it was done'],
    ['trouble', 'Not done'],
  ])('says "not done" only where the server knows it: %s', async (code, title) => {
    const s = stage();
    s.answers(card([failure()]), { ok: false, error: { code, field: null, message: 'In words.' }, failure: null });
    s.open();
    await s.waitFor(() => s.findByTestId(LoadingButton, 'fix-send_other_channel'));
    s.findByTestId(LoadingButton, 'fix-send_other_channel').trigger('onClick');
    await s.waitFor(() => expect(s.findByTestId(Alert, 'receipt').props.title).toBe(title));
  });

  it('goes back to the messages after Refresh on a receipt', async () => {
    const s = stage();
    s.answers(card([failure()]), { ...receipt, failure: sentAgain }, card([], { requestId: 'req-2' }));
    s.open();
    await s.waitFor(() => s.findByTestId(LoadingButton, 'fix-send_other_channel'));
    s.findByTestId(LoadingButton, 'fix-send_other_channel').trigger('onClick');
    await s.waitFor(() => s.findByTestId(Button, 'receipt-refresh'));
    s.findByTestId(Button, 'receipt-refresh').trigger('onClick');
    await s.waitFor(() => s.find(EmptyState));
  });

  it('copies for support, and shows the text where the clipboard is closed', async () => {
    const s = stage();
    const copy = fix({ id: 'contact_support', label: 'Copy for support', kind: 'copy', sends: false, copyText: 'Message id: 7' });
    s.answers(card([failure({ fixes: [copy] })]));
    s.open();
    await s.waitFor(() => s.findByTestId(Button, 'fix-contact_support'));
    s.mocks.actions.copyTextToClipboard.willCall(async () => Promise.reject(new Error('forbidden')));
    s.findByTestId(Button, 'fix-contact_support').trigger('onClick');
    await s.waitFor(() => expect(s.findByTestId(TextArea, 'copy-by-hand').props.value).toBe('Message id: 7'));
    expect(s.mocks.actions.copyTextToClipboard.calls).toEqual([['Message id: 7']]);
  });

  it('opens the whole message over the record', async () => {
    const s = stage();
    s.answers(card([failure()]));
    s.open();
    await s.waitFor(() => s.findByTestId(Button, 'open'));
    s.findByTestId(Button, 'open').trigger('onClick');
    expect(s.mocks.actions.openIframeModal.calls[0]![0]).toMatchObject({ uri: 'https://redeliver.example.com/m/abc' });
  });
});

describe('a form', () => {
  const opened = async (...answers: unknown[]) => {
    const s = stage();
    s.answers(card([failure({ fixes: [numberForm] })]), ...answers);
    s.open();
    await s.waitFor(() => s.findByTestId(LoadingButton, 'fix-edit_phone'));
    s.findByTestId(LoadingButton, 'fix-edit_phone').trigger('onClick');
    await s.waitFor(() => s.find(Form));
    return s;
  };

  it('is filled with what is known and shows what was there before', async () => {
    const s = await opened();
    expect(s.findByTestId(Input, 'field-phone').props).toMatchObject({
      value: '+353871234567',
      description: 'Before: 087 123 4567',
      required: true,
    });
    expect(s.findByTestId(LoadingButton, 'submit').props.type).toBe('submit');
  });

  it('sends what was typed and reloads the record when the number was saved', async () => {
    const s = await opened({ ...receipt, refresh: 'properties', failure: sentAgain });
    s.findByTestId(Input, 'field-phone').trigger('onChange', '+353861112223' as never);
    s.find(Form).trigger('onSubmit', { targetValue: {} } as never);
    await s.waitFor(() => s.findByTestId(Alert, 'receipt'));
    expect(s.sent(1).body.values).toEqual({ phone: '+353861112223' });
    expect(s.mocks.actions.refreshObjectProperties.callCount).toBe(1);
  });

  it('sends the last letter too when the page still holds the handler from before it', async () => {
    const s = await opened({ ...receipt, failure: sentAgain });
    s.findByTestId(Input, 'field-phone').trigger('onChange', '+35386111222' as never);
    const { onSubmit } = s.find(Form).props;
    s.findByTestId(Input, 'field-phone').trigger('onChange', '+353861112223' as never);
    onSubmit!({ targetValue: {} } as never, undefined as never);
    await s.waitFor(() => s.findByTestId(Alert, 'receipt'));
    expect(s.sent(1).body.values).toEqual({ phone: '+353861112223' });
  });

  it('marks the wrong field with its sentence and keeps what was typed', async () => {
    const message = 'This number has no country code.';
    const wrong = { ...numberForm, fixToken: 'token-9', fields: [{ ...phone, value: '12', error: message }] };
    const s = await opened({ ok: false, error: { code: 'invalid', field: 'phone', message }, failure: failure({ fixes: [wrong] }) });
    s.findByTestId(Input, 'field-phone').trigger('onChange', '12' as never);
    s.find(Form).trigger('onSubmit', { targetValue: {} } as never);
    await s.waitFor(() => expect(s.findByTestId(Input, 'field-phone').props).toMatchObject({ value: '12', error: true, validationMessage: message }));
    expect(s.maybeFindByTestId(Alert, 'receipt')).toBeNull();
  });

  it('goes on with the next fields when the server asks for more', async () => {
    const more = { ...phone, name: 'var_body_0', label: 'Value {{1}}', value: '' };
    const next = failure({ fixes: [{ ...numberForm, fixToken: 'token-9', fields: [phone, more] }] });
    const s = await opened({ ok: true, state: 'form', message: '', refresh: null, duplicate: false, failure: next });
    s.find(Form).trigger('onSubmit', { targetValue: {} } as never);
    await s.waitFor(() => expect(s.findByTestId(Input, 'field-var_body_0').props.label).toBe('Value {{1}}'));
  });

  it('goes on with the form of the channel that was chosen where there are two', async () => {
    const one = fix({ label: 'Send by WhatsApp One instead', kind: 'form', fields: [phone], submitLabel: 'Next' });
    const two = { ...one, label: 'Send by WhatsApp Two instead', fixToken: 'token-2' };
    const more = { ...phone, name: 'var_body_0', label: 'Value {{1}}' };
    const next = failure({ fixes: [one, { ...two, fixToken: 'token-9', fields: [phone, more] }] });
    const s = stage();
    s.answers(card([failure({ fixes: [one, two] })]), { ...receipt, state: 'form', message: '', failure: next });
    s.open();
    await s.waitFor(() => s.findByTestId(LoadingButton, 'fix-send_other_channel-1'));
    s.findByTestId(LoadingButton, 'fix-send_other_channel-1').trigger('onClick');
    await s.waitFor(() => s.find(Form));
    s.find(Form).trigger('onSubmit', { targetValue: {} } as never);
    await s.waitFor(() => s.findByTestId(Input, 'field-var_body_0'));
  });

  it('can be left without sending', async () => {
    const s = await opened();
    s.findByTestId(Button, 'back').trigger('onClick');
    await s.waitFor(() => s.findByTestId(LoadingButton, 'fix-edit_phone'));
    expect(s.hsFetch).toHaveBeenCalledTimes(1);
  });
});

it('leads an admin to the settings page', () => {
  const renderer = createRenderer('settings');
  renderer.render(<Settings />);
  expect(renderer.findByTestId(Button, 'open-settings').props.href).toEqual({
    url: 'https://redeliver.example.com/settings',
    external: true,
  });
});
