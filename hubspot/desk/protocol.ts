import type { RemoteChannel } from '@remote-ui/core';

/** What the desk page and the card's worker say to each other; the names are HubSpot's own. */

export interface RecordContext {
  objectId: number;
  portalId: number;
  userId: number;
  timezone: string;
}

export interface CardWorker {
  draw(channel: RemoteChannel, record: RecordContext): void;
}

export interface Answer {
  status: number;
  body: string;
}

export interface Host {
  fetch(url: string, method: string, body: Record<string, unknown> | null): Promise<Answer>;
  addAlert(alert: { type?: string; title?: string; message: string }): void;
  copyTextToClipboard(text: string): Promise<void>;
  fetchCrmObjectProperties(names: string[]): Promise<Record<string, string>>;
  openIframeModal(modal: { uri: string; width: number; height: number; title?: string }): void;
  refreshObjectProperties(): void;
}
