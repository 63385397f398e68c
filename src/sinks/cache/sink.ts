/** Cache: a change empties the keys of the item as it was and as it is; readers fill them again. */
import type { Answer, Sink, SinkFactory } from '../../pipeline/sink.ts';
import { voidedKeys } from './keys.ts';

export const cache: SinkFactory = ({ connections }) => {
  const port = connections.cache;
  if (port === undefined) return undefined;
  const sink: Sink<string> = {
    name: 'cache',
    kind: 'view',
    readsMisfits: true,
    plan: voidedKeys,
    target: (key) => key,
    limits: { count: 100, bytes: 1_000_000 },
    size: (key) => key.length,
    async send(keys) {
      const answers = await port.invalidate(keys);
      return answers.map((answer): Answer => {
        return answer === true
          ? { state: 'applied' }
          : { state: 'failed', reason: answer.message, retryable: true };
      });
    },
  };
  return sink as Sink;
};
