/** What `GET /hubspot/card` and `POST /hubspot/card/fix` answer; docs/hubspot.md describes each field. */

export type Variant = 'danger' | 'warning' | 'info' | 'success' | 'default';

export interface Field {
  name: string;
  label: string;
  type: 'text' | 'textarea' | 'select';
  value: string;
  before: string | null;
  options: { label: string; value: string }[];
  placeholder: string | null;
  required: boolean;
  error: string | null;
  help: string | null;
}

export interface Fix {
  id: string;
  label: string;
  kind: 'one_click' | 'form' | 'link' | 'copy';
  main: boolean;
  sends: boolean;
  disabled: boolean;
  why: string | null;
  confirm: string | null;
  url: string | null;
  copyText: string | null;
  fixToken: string;
  fields: Field[];
  submitLabel: string;
}

export interface Failure {
  messageId: string;
  channel: string;
  channelName: string;
  to: string;
  sentAt: string | null;
  failedAt: string | null;
  when: string;
  line: string;
  version: number;
  status: { label: string; variant: Variant };
  reason: {
    code: string;
    title: string;
    text: string;
    category: string;
    retry: string;
    confidence: number;
    candidates: { code: string; title: string; test: string }[];
  };
  lines: { label: string; text: string }[];
  pattern: string | null;
  said: { by: string; text: string; code: string | null } | null;
  noted: string | null;
  attempts: { when: string; text: string; state: string }[];
  preview: string | null;
  todo: string | null;
  detailUrl: string | null;
  fixes: Fix[];
}

export interface Notice {
  title: string;
  text: string;
  variant: Variant;
}

export interface Card {
  ok: true;
  generatedAt: string;
  asOf: string;
  requestId: string;
  contact: { objectId: string; phone: string | null; whatsapp: string | null };
  total: number;
  failures: Failure[];
  notice: Notice | null;
  check: Fix;
}

export interface Problem {
  code: string;
  field: string | null;
  message: string;
}

export interface Refusal {
  ok: false;
  error: Problem;
  failure?: Failure | null;
}

export interface Receipt {
  ok: true;
  state: string;
  message: string;
  refresh: 'properties' | null;
  duplicate: boolean;
  failure: Failure | null;
}

/** What somebody pasted: its message or its meaning, and the fix that ties it to the contact. */
export interface Checked extends Receipt {
  lines: { label: string; text: string }[];
  attach: Fix | null;
}
