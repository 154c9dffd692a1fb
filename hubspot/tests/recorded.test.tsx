import { Alert, Button, EmptyState, ErrorState, Form, Heading, Input, LoadingButton, StatusTag, Text } from '@hubspot/ui-extensions';
import { describe, expect, it, vi } from 'vitest';
import { receiptOf, recorded, refusalOf } from './recorded';
import { stage } from './stage';

/** The card fed with what the app really answers. */
describe('the app as it is', () => {
  const shown = async (...scenes: string[]) => {
    const s = stage();
    s.answers(...scenes.map(recorded));
    s.open();
    await vi.waitFor(() => expect(s.hsFetch).toHaveBeenCalled());
    return s;
  };
  const words = (s: Awaited<ReturnType<typeof shown>>) => {
    const alert = s.findByTestId(Alert, 'receipt');
    return [alert.props.title, alert.text].filter(Boolean).join('. ');
  };
  const press = async (s: Awaited<ReturnType<typeof shown>>, fix: string) => {
    await s.waitFor(() => s.findByTestId(LoadingButton, `fix-${fix}`));
    s.findByTestId(LoadingButton, `fix-${fix}`).trigger('onClick');
  };

  it('draws every word of one failed message', async () => {
    const s = await shown('one');
    const [failure] = recorded('one').failures;
    await s.waitFor(() => expect(s.find(Heading).text).toBe(failure!.reason.title));
    const texts = s.findAll(Text).map((text) => text.text);
    for (const words of [failure!.line, failure!.reason.text, failure!.said!.text, failure!.preview!]) {
      expect(texts).toContain(words);
    }
    for (const line of failure!.lines) expect(texts).toContain(line.text);
    const drawn = [...s.findAll(LoadingButton), ...s.findAll(Button)].map((button) => button.text);
    for (const fix of failure!.fixes) expect(drawn).toContain(fix.label);
  });

  it('draws several, newest first, and offers the rest', async () => {
    const s = await shown('several');
    const card = recorded('several');
    await s.waitFor(() => expect(s.findAll(Heading).map((h) => h.text)).toEqual(card.failures.map((f) => f.reason.title)));
    expect(s.findByTestId(Button, 'show-all').text).toBe(`Show all ${card.total}`);
  });

  it('draws an empty card and an account that is not connected', async () => {
    const empty = await shown('empty');
    await empty.waitFor(() => empty.find(EmptyState));
    const locked = await shown('not_connected');
    await locked.waitFor(() => expect(locked.find(ErrorState).props.type).toBe('lock'));
    expect(locked.findByTestId(Text, 'problem').text).toBe(refusalOf('not_connected').error.message);
  });

  it.each([
    ['one', 'send_other_channel', 'sent', 'success'],
    ['one', 'send_other_channel', 'unsure', 'warning'],
    ['one', 'mark_handled', 'handled', 'success'],
  ])('after %s and a click on %s it shows the receipt %s', async (before, fix, after, variant) => {
    const s = await shown(before);
    const receipt = receiptOf(after);
    s.answers(receipt);
    await press(s, fix);
    await s.waitFor(() => expect(words(s)).toContain(receipt.message));
    expect(s.findByTestId(Alert, 'receipt').props.variant).toBe(variant);
    const { reason, status } = receipt.failure!;
    const said = [...s.findAll(Heading), ...s.findAll(StatusTag)].map((one) => one.text);
    expect(said).toEqual([...new Set([reason.title, status.label])]);
    expect(s.sent(1).body.fixToken).toBe(recorded(before).failures[0]!.fixes.find((one) => one.id === fix)!.fixToken);
  });

  it('waits until a time and can be undone', async () => {
    const s = await shown('one');
    s.answers(receiptOf('waiting'));
    await press(s, 'send_other_channel');
    await s.waitFor(() => expect(words(s)).toMatch(/^Queued until /));
    expect(s.findByTestId(LoadingButton, 'fix-undo').text).toBe('Undo');
  });

  it('asks again in the form, at the field that was wrong', async () => {
    const s = await shown('form');
    await press(s, 'edit_phone');
    await s.waitFor(() => s.find(Form));
    s.answers(refusalOf('form_error'));
    s.findByTestId(Input, 'field-phone').trigger('onChange', '12' as never);
    s.find(Form).trigger('onSubmit', { targetValue: {} } as never);
    const { message } = refusalOf('form_error').error;
    await s.waitFor(() => expect(s.findByTestId(Input, 'field-phone').props).toMatchObject({ value: '12', validationMessage: message }));
  });
});
