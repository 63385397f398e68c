/** Cache: a change empties the keys of the item as it was and as it is; readers fill them again. */
import type { Answer, Sink, SinkFactory } from '../../pipeline/sink.ts';
import { rights } from '../../rights.ts';
import { getStored } from '../../table/read.ts';
import { keyTexts, voidedKeys } from './keys.ts';

export const cache: SinkFactory = ({ connections, store }) => {
  const port = connections.cache;
  if (port === undefined) return undefined;
  const sink: Sink<string> = {
    name: 'cache',
    kind: 'view',
    readsMisfits: true,
    rights: {
      send: rights('secret/cache', 'secretsmanager:GetSecretValue'),
      recover: rights('table', 'dynamodb:GetItem'),
    },
    plan: voidedKeys,
    // What the item is now has keys as well: a key may have moved more than once meanwhile.
    async recover({ entity, key, targets }) {
      const now = await getStored(store, key);
      return [...new Set([...targets, ...keyTexts(entity, now?.fields)])];
    },
    target: (key) => key,
    // One node of a cluster that is frozen costs each call a second: few calls, then.
    limits: { count: 1_000, bytes: 1_000_000 },
    size: (key) => key.length,
    async send(keys) {
      const answers = await port.invalidate(keys);
      return answers.map((answer): Answer => {
        return answer === true
          ? { state: 'applied' }
          : { state: 'failed', reason: answer.message, retryable: true, service: true };
      });
    },
  };
  return sink as Sink;
};
