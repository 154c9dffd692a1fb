import { createContext, useContext } from 'react';

/** Where in the card something stands: '' for the first message. HubSpot wants each testId once in a card. */
export const Place = createContext('');

export function useTestId(): (name: string) => string {
  const place = useContext(Place);
  return (name) => (place === '' ? name : `${name}-${place}`);
}
