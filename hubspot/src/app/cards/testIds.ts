import { createContext, useContext } from 'react';

/** The place of a message in the list. HubSpot wants each testId once in a card, so later messages are numbered. */
export const Place = createContext(0);

export function useTestId(): (name: string) => string {
  const place = useContext(Place);
  return (name) => (place === 0 ? name : `${name}-${place + 1}`);
}
