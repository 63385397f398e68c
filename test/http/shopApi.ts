/** The shop's API on a DynamoDB, a search index and a cache of its own, without the stream behind it. */
import { Client } from '@opensearch-project/opensearch';
import { app, routes } from '../../src/app.ts';
import { connect, disconnect } from '../../src/connections.ts';
import { openApi } from '../../src/http/api.ts';
import { startSearch } from '../../src/local/servers/search.ts';
import { memoryCache } from '../../src/sinks/cache/memory.ts';
import { ensureIndices } from '../../src/sinks/search/indices.ts';
import { localShop } from '../support/shop.ts';

export async function startShopApi() {
  const shop = await localShop();
  const searchServer = await startSearch();
  const search = new Client({ node: searchServer.url });
  const cache = memoryCache();
  const connections = { ...connect(shop.config), dynamodb: shop.dynamodb, search, cache };
  await ensureIndices(search, '', app.entities);
  const api = openApi(app, connections, routes);

  async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await api.request(path, init);
    const text = await response.text();
    return {
      status: response.status,
      etag: response.headers.get('ETag') ?? '',
      location: response.headers.get('Location') ?? '',
      type: response.headers.get('Content-Type') ?? '',
      retryAfter: response.headers.get('Retry-After'),
      json: text === '' ? undefined : JSON.parse(text),
    };
  }

  return {
    ...shop,
    connections,
    api,
    cache,
    search,
    ask,
    async stop() {
      await disconnect(connections);
      await searchServer.stop();
      await shop.stop();
    },
  };
}

export const ada = { userId: 'ada', name: 'Ada', email: 'ada@example.com', marketing: false };
export const tea = {
  productId: 'tea',
  name: 'Green tea',
  description: 'First flush',
  category: 'drinks',
  price: 12.5,
  currency: 'EUR',
  stock: 10,
};
export const key = (text: string) => ({ 'Idempotency-Key': text });
