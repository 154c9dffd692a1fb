import { createRemoteRoot, type RemoteChannel } from '@remote-ui/core';
import { createRoot } from '@remote-ui/react';
import { createEndpoint, type MessageEndpoint, retain } from '@remote-ui/rpc';
import type { ReactElement } from 'react';
import type { CardWorker, Host, RecordContext } from './protocol';

/**
 * What HubSpot puts into the worker before a card's code runs: `extend`, `hsFetch` and the hooks.
 * This module must be imported before the card.
 */

type Draw = (api: unknown) => ReactElement;
let drawCard: Draw | null = null;
let api: { context: unknown; actions: unknown } = { context: null, actions: null };

const endpoint = createEndpoint<Host>(self as unknown as MessageEndpoint, {
  callable: [
    'addAlert',
    'copyTextToClipboard',
    'fetch',
    'fetchCrmObjectProperties',
    'openIframeModal',
    'refreshObjectProperties',
  ],
});

interface FetchOptions {
  method?: string;
  timeout?: number;
  body?: Record<string, unknown>;
}

/** As in HubSpot, the call is not made here: a server adds who is asking, signs, and calls the app. */
async function hsFetch(url: string, { method = 'GET', timeout = 15_000, body }: FetchOptions = {}): Promise<Response> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('Gateway took too long')), timeout));
  const answer = await Promise.race([endpoint.call.fetch(String(url), method, body ?? null), late]);
  return new Response(answer.body, { status: answer.status });
}

Object.assign(self, {
  __HUBSPOT_EXTENSION_WORKER__: true,
  logger: console,
  extend_V2: (draw: Draw) => {
    drawCard = draw;
  },
  hsFetch,
  hsWorkerAPI: {
    useExtensionContext: () => api.context,
    useExtensionActions: () => api.actions,
    useExtensionApi: () => api,
  },
});

const worker: CardWorker = {
  draw(channel: RemoteChannel, record: RecordContext) {
    retain(channel);
    api = { context: contextOf(record), actions: endpoint.call };
    const root = createRemoteRoot(channel);
    createRoot(root).render(drawCard!(api));
    root.mount();
  },
};
endpoint.expose({ draw: worker.draw });

function contextOf({ objectId, portalId, userId, timezone }: RecordContext) {
  return {
    location: 'crm.record.sidebar',
    crm: { objectId, objectTypeId: '0-1' },
    portal: { id: portalId, timezone },
    user: { id: userId, emails: [], locale: 'en' },
    extension: { appId: 224455, cardTitle: 'Failed messages' },
  };
}
