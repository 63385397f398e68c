/** The client of OpenSearch, which signs in where a secret is named. */
import { Client, type ClientOptions, Connection, errors } from '@opensearch-project/opensearch';
import type { Credentials, Secret } from '../../secret.ts';

export function openSearch(node: string, requestTimeout: number, secret?: Secret): Client {
  return new Client({
    node,
    // The client's own defaults wait two minutes, and it repeats neither per-item refusals nor status 429.
    requestTimeout,
    maxRetries: 0,
    ...(secret && { Connection: signedIn(secret) as NonNullable<ClientOptions['Connection']> }),
  });
}

type Call = Parameters<Connection['request']>;

/** Every request bears the credentials; one that is refused for them goes once more, with those read again. */
function signedIn(secret: Secret): typeof Connection {
  return class SignedIn extends Connection {
    override request(params: Call[0], callback: Call[1]): ReturnType<Connection['request']> {
      let begun: { abort(): void } | undefined;
      let isAborted = false;
      const fail = (error: unknown) => callback(error as never, null as never);
      const send = (credentials: Credentials, settle: Call[1]) => {
        if (isAborted) return fail(new errors.RequestAbortedError('Request aborted'));
        const headers = { ...params.headers, authorization: basic(credentials) };
        begun = super.request({ ...params, headers }, settle);
      };
      const first = (credentials: Credentials) =>
        send(credentials, (error, response) => {
          if (response?.statusCode !== 401) return callback(error, response);
          response.resume();
          secret.renew(credentials).then((renewed) => send(renewed, callback), fail);
        });
      secret.read().then(first, fail);
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
