/**
 * A secret: the stack knows its name only. It is read from Secrets Manager when it is first needed, kept, and read
 * again once a service refuses what was read, as after a rotation.
 */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

export type Credentials = { username?: string; password: string };

export type Secret = {
  /** The credentials as they were last read. */
  read(): Promise<Credentials>;
  /** These were refused: the secret is read again, once for all who were refused with them. */
  renew(refused: Credentials): Promise<Credentials>;
};

export function openSecret(client: SecretsManagerClient, id: string): Secret {
  let known: Promise<Credentials> | undefined;
  const read = () => {
    known ??= fetch(client, id);
    // What could not be read now may be readable next time.
    known.catch(() => {
      known = undefined;
    });
    return known;
  };
  return {
    read,
    async renew(refused) {
      const asked = known;
      const last = await asked?.catch(() => undefined);
      // Others were refused in the same moment: whoever comes first reads it again, and they wait for that.
      if (last === refused && known === asked) known = undefined;
      return read();
    },
  };
}

async function fetch(client: SecretsManagerClient, id: string): Promise<Credentials> {
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: id }));
  const { username, password } = parsed(SecretString);
  if (typeof password !== 'string' || (username !== undefined && typeof username !== 'string'))
    throw new Error(`The secret ${id} must be JSON: {"username": "…", "password": "…"}.`);
  return { password, ...(username !== undefined && { username }) };
}

/** What is no JSON has no members; a message that quotes it would show the secret. */
function parsed(text: string): { username?: unknown; password?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
