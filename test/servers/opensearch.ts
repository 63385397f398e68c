import { Client } from '@opensearch-project/opensearch';
import { startSearch } from '../../src/local/servers/search.ts';

export type Line = Record<string, unknown>;

export const mappings = {
  dynamic: 'strict' as const,
  properties: {
    name: { type: 'text' as const, fields: { raw: { type: 'keyword' as const, ignore_above: 20 } } },
    about: { type: 'text' as const },
    brand: { type: 'keyword' as const },
    price: { type: 'double' as const },
    views: { type: 'long' as const },
    stock: { type: 'integer' as const },
    live: { type: 'boolean' as const },
    at: { type: 'date' as const },
    maker: { properties: { city: { type: 'keyword' as const } } },
  },
};

/** A stand-in with an index "products", and the real client on it. */
export async function startProducts(options: Parameters<typeof startSearch>[0] = {}) {
  const server = await startSearch(options);
  const client = new Client({ node: server.url, maxRetries: 0 });
  await client.indices.create({ index: 'products', body: { mappings } });

  return {
    client,
    url: server.url,
    bulk: async (...lines: Line[]) => (await client.bulk({ body: lines })).body,
    /** What one operation gives: its status, and the type of its error. */
    outcome: async (...lines: Line[]): Promise<[status: number, error?: string]> => {
      const { body } = await client.bulk({ body: lines });
      const [item] = body.items;
      const { status, error } = Object.values(item ?? {})[0] ?? { status: 0 };
      return error === undefined || error === null ? [status] : [status, error.type];
    },
    /** Posts a bulk as it is, past the client. */
    raw: async (body: string) => {
      const response = await fetch(`${server.url}/_bulk`, { method: 'POST', body });
      return { status: response.status, text: await response.text() };
    },
    stop: async () => {
      await client.close();
      await server.stop();
    },
  };
}

export const index = (id: string, metadata: Line = {}): Line => ({
  index: { _index: 'products', _id: id, ...metadata },
});
export const remove = (id: string, metadata: Line = {}): Line => ({
  delete: { _index: 'products', _id: id, ...metadata },
});
export const version = (number: number, version_type = 'external_gte'): Line => ({
  version: number,
  version_type,
});
