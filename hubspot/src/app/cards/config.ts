// The one place of the card that knows the app's address; `make hubspot PUBLIC_URL=...` fills it in.
export const PUBLIC_URL = 'https://redeliver.example.com';
