import { useCallback, useState } from 'react';
import { useExtensionActions } from '@hubspot/ui-extensions';
import { carryOut, NoAnswer, type Person } from './api';
import type { Failure, Fix, Notice, Problem, Variant } from './types';

export type Values = Record<string, string>;

/** What the agent is in the middle of: nothing, a question, a form, or a fix under way. */
export type Step =
  | { at: 'rest' }
  | { at: 'confirm'; token: string }
  | { at: 'form'; token: string; problem: Problem | null }
  | { at: 'sending'; token: string };

const VARIANTS: Record<string, Variant> = {
  done: 'success',
  sent: 'success',
  delivered: 'success',
  unsure: 'warning',
  failed: 'danger',
};

const SILENCE: Notice = {
  title: 'No answer yet',
  text: 'Redeliver did not answer in time, so it is not known here whether this was done. It is never done twice: refresh to see what happened.',
  variant: 'warning',
};

/** Draws what became of a message in its place; a message sent again is a new message. */
export type Redraw = (messageId: string, next: Failure) => void;

/** Carries out the fixes of one message and keeps the receipt until the agent is done with it. */
export function useFix(failure: Failure, person: Person, tz: string, redraw: Redraw) {
  const actions = useExtensionActions<'crm.record.sidebar'>();
  const [step, setStep] = useState<Step>({ at: 'rest' });
  const [receipt, setReceipt] = useState<Notice | null>(null);

  const run = useCallback(
    async (fix: Fix, values: Values) => {
      setStep({ at: 'sending', token: fix.fixToken });
      setReceipt(null);
      const request = { messageId: failure.messageId, fix: fix.id, fixToken: fix.fixToken, values };
      try {
        const answer = await carryOut(request, person, tz);
        const next = answer.failure ?? null;
        if (next) redraw(failure.messageId, next);
        const forms = next?.fixes.filter((other) => other.id === fix.id && other.kind === 'form' && isOpen(fix)) ?? [];
        // The same fix may be there for several channels, which only the label tells apart.
        const again = forms.find((other) => other.label === fix.label) ?? forms[0];
        if (!answer.ok) {
          if (again) return setStep({ at: 'form', token: again.fixToken, problem: answer.error });
          setReceipt(refusalOf(answer.error));
        } else if (answer.state === 'form' && again) {
          return setStep({ at: 'form', token: again.fixToken, problem: null });
        } else {
          const variant = VARIANTS[answer.state] ?? 'info';
          setReceipt(noticeOf(answer.message, variant, next?.status.label ?? 'Done'));
          if (answer.refresh === 'properties') actions.refreshObjectProperties();
        }
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        setReceipt(SILENCE);
      }
      setStep({ at: 'rest' });
    },
    [failure.messageId, person, tz, redraw, actions],
  );

  return { step, setStep, receipt, setReceipt, run };
}

/** Good news is one sentence; what needs care also says in a word what it is. */
function noticeOf(words: string, variant: Variant, label: string): Notice {
  const care = variant === 'warning' || variant === 'danger';
  return care ? { title: label, text: words, variant } : { title: words, text: '', variant };
}

/** "Not done" is said only where the server knows it. */
function refusalOf({ code, message }: Problem): Notice {
  if (code === 'maybe_done') return { title: 'Not known whether it was done', text: message, variant: 'warning' };
  return { title: 'Not done', text: message, variant: 'danger' };
}

function isOpen(fix: Fix): boolean {
  return fix.fields.length > 0;
}
