/** One client for each password: what a server refuses is asked once more by a client with the secret read again. */
import type { Credentials, Secret } from '../../secret.ts';
import type { Client, Commands, Told } from './commands.ts';

type Open = (credentials: Partial<Credentials>, told: Told) => Client;
type SignedIn = { client: Client; credentials: Credentials; isRefused: boolean };
type Command<Value> = (redis: Commands) => Promise<Value>;

/** Without a secret there is one client for good, opened at once. */
export function signedIn(open: Open, secret: Secret | undefined) {
  if (secret === undefined) {
    const client = open({}, () => {});
    return {
      run: <Value>(command: Command<Value>) => client.run(command),
      isPartly: () => client.isPartly(),
      close: () => client.disconnect(),
    };
  }
  let current: SignedIn | undefined;

  function signIn(credentials: Credentials): SignedIn {
    if (current?.credentials === credentials) return current;
    current?.client.disconnect();
    const client = open(credentials, (trouble) => {
      if (!isRefusal(trouble)) return;
      opened.isRefused = true;
      client.disconnect(); // else what waits for the connection would wait until its time is up
    });
    const opened: SignedIn = { client, credentials, isRefused: false };
    current = opened;
    return opened;
  }

  return {
    async run<Value>(command: Command<Value>): Promise<Value> {
      const credentials = await secret.read();
      const used = signIn(credentials);
      try {
        return await used.client.run(command);
      } catch (error) {
        if (!used.isRefused && !isRefusal(error)) throw error;
        return signIn(await secret.renew(credentials)).client.run(command);
      }
    },
    isPartly: async () => (await current?.client.isPartly()) === true,
    close: () => current?.client.disconnect(),
  };
}

/** How Redis and Valkey answer whoever has the wrong password, or none. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && /\b(WRONGPASS|NOAUTH|invalid password)\b/.test(error.message);
}
