/** One client for each password: what a server refuses is asked once more by a client with the secret read again. */
import type { Credentials, Secret } from '../../secret.ts';

type Client = { disconnect(): void; on(event: 'error', told: (error: Error) => void): unknown };

type SignedIn<Redis> = { redis: Redis; credentials: Credentials; isRefused: boolean };

/** Without a secret there is one client for good, opened at once. */
export function signedIn<Redis extends Client>(
  open: (credentials: Partial<Credentials>) => Redis,
  secret: Secret | undefined,
) {
  if (secret === undefined) {
    const redis = open({});
    return {
      run: <Value>(command: (redis: Redis) => Promise<Value>) => command(redis),
      close: () => redis.disconnect(),
    };
  }
  let current: SignedIn<Redis> | undefined;

  function clientWith(credentials: Credentials): SignedIn<Redis> {
    if (current?.credentials === credentials) return current;
    current?.redis.disconnect();
    const opened: SignedIn<Redis> = { redis: open(credentials), credentials, isRefused: false };
    opened.redis.on('error', (error) => {
      if (!isRefusal(error)) return;
      opened.isRefused = true;
      opened.redis.disconnect(); // else what waits for the connection would wait until its time is up
    });
    current = opened;
    return opened;
  }

  return {
    async run<Value>(command: (redis: Redis) => Promise<Value>): Promise<Value> {
      const credentials = await secret.read();
      const client = clientWith(credentials);
      try {
        return await command(client.redis);
      } catch (error) {
        if (!client.isRefused && !isRefusal(error)) throw error;
        return command(clientWith(await secret.renew(credentials)).redis);
      }
    },
    close: () => current?.redis.disconnect(),
  };
}

/** How Redis and Valkey answer whoever has the wrong password, or none. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && /\b(WRONGPASS|NOAUTH|invalid password)\b/.test(error.message);
}
