import { hubspot } from '@hubspot/ui-extensions';
import { PUBLIC_URL } from './config';
import type { Card, Receipt, Refusal } from './types';

const CARD_TIMEOUT = 5_000;
const FIX_TIMEOUT = 10_000;

export interface Person {
  objectId: string;
  objectTypeId: string;
  phones: Record<string, string>;
}

export interface FixRequest {
  messageId: string;
  fix: string;
  fixToken: string;
  values: Record<string, string>;
}

/** No readable answer came back: nothing is known about what our server did. */
export class NoAnswer extends Error {}

export function fetchCard(person: Person, tz: string, limit: number): Promise<Card | Refusal> {
  const query = parameters({
    objectId: person.objectId,
    objectTypeId: person.objectTypeId,
    ...person.phones,
    tz,
    limit: String(limit),
  });
  return ask<Card>(`/hubspot/card?${query}`, { method: 'GET', timeout: CARD_TIMEOUT });
}

export function carryOut<Answer = Receipt>(request: FixRequest, person: Person, tz: string): Promise<Answer | Refusal> {
  const body = { ...request, objectId: person.objectId };
  const path = `/hubspot/card/fix?${parameters({ ...person.phones, tz })}`;
  return ask<Answer>(path, { method: 'POST', timeout: FIX_TIMEOUT, body });
}

function parameters(values: Record<string, string>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
}

async function ask<Answer>(
  path: string,
  options: { method: 'GET' | 'POST'; timeout: number; body?: Record<string, unknown> },
): Promise<Answer | Refusal> {
  let answer: unknown;
  try {
    const response = await hubspot.fetch(PUBLIC_URL + path, options);
    answer = await response.json();
  } catch (error) {
    throw new NoAnswer(error instanceof Error ? error.message : String(error));
  }
  // HubSpot wraps an error of ours in an answer of its own, which has no `ok`.
  if (typeof answer !== 'object' || answer === null || !('ok' in answer)) {
    throw new NoAnswer('The answer is not ours.');
  }
  return answer as Answer | Refusal;
}
