import type { Card, Failure, Field, Fix } from '../src/app/cards/types';

/** Small variations on an answer of the server, for states that a recording cannot show at will. */

export const fix = (change: Partial<Fix> = {}): Fix => ({
  id: 'send_other_channel',
  label: 'Send as SMS instead',
  kind: 'one_click',
  main: true,
  sends: true,
  disabled: false,
  why: null,
  confirm: null,
  url: null,
  copyText: null,
  fixToken: 'token-1',
  fields: [],
  submitLabel: 'Send by SMS',
  ...change,
});

export const pasted: Field = {
  name: 'check_text',
  label: 'Id or text',
  type: 'textarea',
  value: '',
  before: null,
  options: [],
  placeholder: null,
  required: true,
  error: null,
  help: 'Paste a message id, or what the failed message says.',
};

export const failure = (change: Partial<Failure> = {}): Failure => ({
  messageId: 'msg_1',
  channel: 'whatsapp',
  channelName: 'WhatsApp',
  to: '+353 87 123 4567',
  sentAt: '2026-11-23T10:30:00Z',
  failedAt: '2026-11-23T10:31:00Z',
  when: 'Nov 23, 2026 at 10:31AM',
  line: 'WhatsApp to +353 87 123 4567 · Nov 23, 2026 at 10:31AM',
  version: 3,
  status: { label: 'Failed', variant: 'danger' },
  reason: {
    code: 'not_on_whatsapp',
    title: 'Not on WhatsApp',
    text: 'The number works, but nobody uses WhatsApp on it.',
    category: 'recipient',
    retry: 'after_fix',
    confidence: 0.98,
    candidates: [],
  },
  lines: [{ label: 'Who can fix it', text: 'You can.' }],
  pattern: null,
  said: { by: 'Octopods', text: 'Recipient is not a WhatsApp user.', code: '131026' },
  noted: null,
  attempts: [{ when: 'Nov 23, 2026 at 10:31AM', text: 'WhatsApp. Failed.', state: 'failed' }],
  preview: null,
  todo: null,
  detailUrl: 'https://redeliver.example.com/m/abc',
  fixes: [fix()],
  ...change,
});

export const card = (failures: Failure[], change: Partial<Card> = {}): Card => ({
  ok: true,
  generatedAt: '2026-11-23T10:40:00Z',
  asOf: '10:40AM',
  requestId: 'req-1',
  contact: { objectId: '901', phone: '+353871234567', whatsapp: null },
  total: failures.length,
  failures,
  notice: null,
  check: fix({ id: 'check', label: 'Check a message', kind: 'form', main: false, sends: false, fixToken: '', fields: [pasted], submitLabel: 'Explain' }),
  ...change,
});
