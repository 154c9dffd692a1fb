import { readFileSync } from 'node:fs';
import type { Card, Checked, Receipt, Refusal } from '../src/app/cards/types';

const read = (scene: string) => JSON.parse(readFileSync(new URL(`./recorded/${scene}.json`, import.meta.url), 'utf8'));

/** What the running app answered (`python -m tests.hubspot.record`). */
export const recorded = (scene: string): Card => read(scene) as Card;
export const receiptOf = (scene: string): Receipt => read(scene) as Receipt;
export const refusalOf = (scene: string): Refusal => read(scene) as Refusal;
export const checkedOf = (scene: string): Checked => read(scene) as Checked;
