import { useCallback, useState } from 'react';
import { carryOut, NoAnswer, type Person } from './api';
import type { Checked, Failure, Fix, Problem, Receipt } from './types';
import type { Values } from './useFix';

/** What was found out about something pasted; `attached` is the receipt once it is the contact's. */
export interface Told {
  values: Values;
  checked: Checked;
  attached: string | null;
}

const SILENCE: Problem = {
  code: 'unreachable',
  field: null,
  message: 'Redeliver did not answer. Nothing was sent. Try again in a moment.',
};

/** Asks what something pasted is, and ties it to the contact. `busy` names the fix under way. */
export function useCheck(person: Person, tz: string) {
  const [busy, setBusy] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [told, setTold] = useState<Told | null>(null);

  const ask = useCallback(
    async <Answer extends Receipt>(fix: Fix, values: Values): Promise<Answer | null> => {
      setBusy(fix.id);
      setProblem(null);
      try {
        const request = { messageId: '', fix: fix.id, fixToken: fix.fixToken, values };
        const answer = await carryOut<Answer>(request, person, tz);
        if (answer.ok) return answer;
        setProblem(answer.error);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        setProblem(SILENCE);
      } finally {
        setBusy(null);
      }
      return null;
    },
    [person, tz],
  );

  const explain = async (check: Fix, values: Values) => {
    const checked = await ask<Checked>(check, values);
    setTold(checked && { values, checked, attached: null });
  };

  const attach = async (values: Values): Promise<boolean> => {
    const fix = told?.checked.attach;
    const receipt = fix && (await ask<Receipt>(fix, { ...told.values, ...values }));
    if (!receipt) return false;
    const checked = { ...told.checked, failure: receipt.failure, lines: [], attach: null };
    setTold({ values: told.values, checked, attached: receipt.message });
    return true;
  };

  const redraw = (_: string, failure: Failure) =>
    setTold((old) => old && { ...old, checked: { ...old.checked, failure } });

  return { busy, problem, told, explain, attach, redraw };
}
