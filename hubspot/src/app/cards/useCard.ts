import { useCallback, useEffect, useRef, useState } from 'react';
import { fetchCard, NoAnswer, type Person } from './api';
import type { Card, Failure, Problem } from './types';

export type CardState =
  | { phase: 'loading' }
  | { phase: 'broken'; problem: Problem }
  | { phase: 'ready'; card: Card; refreshing: boolean; problem: Problem | null };

const UNREACHABLE: Problem = {
  code: 'unreachable',
  field: null,
  message: 'Redeliver did not answer. Nothing was changed, and nothing is lost. Try again in a moment.',
};

/** Loads the card, keeps the last good one on screen while it is refreshed, and redraws single messages. */
export function useCard(person: Person, tz: string, limit: number) {
  const [state, setState] = useState<CardState>({ phase: 'loading' });
  const latest = useRef(0);

  const load = useCallback(async () => {
    const turn = ++latest.current;
    setState((old) => (old.phase === 'ready' ? { ...old, refreshing: true } : { phase: 'loading' }));
    const next = await stateAfter(fetchCard(person, tz, limit));
    // A slower, older answer must not replace a newer one.
    if (turn === latest.current) setState((old) => kept(old, next));
  }, [person, tz, limit]);

  useEffect(() => void load(), [load]);

  const redraw = useCallback((messageId: string, next: Failure) => {
    setState((old) => (old.phase === 'ready' ? { ...old, card: replaced(old.card, messageId, next) } : old));
  }, []);

  return { state, load, redraw };
}

async function stateAfter(answer: ReturnType<typeof fetchCard>): Promise<CardState> {
  try {
    const card = await answer;
    return card.ok ? { phase: 'ready', card, refreshing: false, problem: null } : { phase: 'broken', problem: card.error };
  } catch (error) {
    if (error instanceof NoAnswer) return { phase: 'broken', problem: UNREACHABLE };
    throw error;
  }
}

/** What was shown stays when it cannot be refreshed; that an account is not connected hides it. */
function kept(old: CardState, next: CardState): CardState {
  const passing = next.phase === 'broken' && next.problem.code !== 'not_connected';
  return passing && old.phase === 'ready' ? { ...old, refreshing: false, problem: next.problem } : next;
}

function replaced(card: Card, messageId: string, next: Failure): Card {
  return { ...card, failures: card.failures.map((f) => (f.messageId === messageId ? next : f)) };
}
