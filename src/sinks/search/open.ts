/** The client of OpenSearch, which signs in by a secret or signs each request, where one or the other is named. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Client, type ClientOptions, Connection, errors } from '@opensearch-project/opensearch';
import type { Credentials, Secret } from '../../secret.ts';
import { type Signed, sign } from './signature.ts';

/** What a request bears to be let in; where that is refused, what it may bear instead. */
type Ticket = { headers(request: Signed): Record<string, string>; renew?(): Promise<Ticket> };

export type Entry = () => Promise<Ticket>;

export function openSearch(node: string, requestTimeout: number, entry?: Entry): Client {
  return new Client({
    node,
    // The client's own defaults wait two minutes, and it repeats neither per-item refusals nor status 429.
    requestTimeout,
    maxRetries: 0,
    ...(entry && { Connection: letInBy(entry) as NonNullable<ClientOptions['Connection']> }),
  });
}

export function bySecret(secret: Secret): Entry {
  const ticket = (credentials: Credentials): Ticket => ({
    headers: ({ headers }) => ({ ...headers, authorization: basic(credentials) }),
    renew: async () => ticket(await secret.renew(credentials)),
  });
  return async () => ticket(await secret.read());
}

/** By what the SDK finds: it renews its credentials itself, before they expire. */
export function bySignature(
  service: 'es' | 'aoss',
  { region, credentials }: Pick<DynamoDBClient['config'], 'region' | 'credentials'>,
  now: () => number,
): Entry {
  return async () => {
    const signer = { service, region: await region(), credentials: await credentials() };
    return { headers: (request) => sign(request, { ...signer, now: now() }) };
  };
}

type Call = Parameters<Connection['request']>;

/** Every request bears what lets it in; one that is refused for it goes once more, with that renewed. */
function letInBy(entry: Entry): typeof Connection {
  return class LetIn extends Connection {
    override request(params: Call[0], callback: Call[1]): ReturnType<Connection['request']> {
      let begun: { abort(): void } | undefined;
      let isAborted = false;
      const fail = (error: unknown) => callback(error as never, null as never);
      const send = (ticket: Ticket, settle: Call[1]) => {
        if (isAborted) return fail(new errors.RequestAbortedError('Request aborted'));
        const { path, headers } = this.buildRequestObject(params);
        const { method = 'GET', body } = params as { method?: string; body?: string | Buffer | null };
        const request = { method, host: this.url.host, path: String(path), body: body ?? '' };
        const bears = ticket.headers({ ...request, headers: headers as Record<string, string> });
        begun = super.request({ ...params, headers: bears }, settle);
      };
      const first = (ticket: Ticket) =>
        send(ticket, (error, response) => {
          if (response?.statusCode !== 401 || ticket.renew === undefined) return callback(error, response);
          response.resume();
          ticket.renew().then((renewed) => send(renewed, callback), fail);
        });
      entry().then(first).catch(fail);
      const abort = () => {
        isAborted = true;
        begun?.abort();
      };
      // All that the client ever does with a request is to abort it.
      return { abort } as ReturnType<Connection['request']>;
    }
  };
}

function basic({ username = '', password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
