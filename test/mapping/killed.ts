import { appendFileSync } from 'node:fs';
import { eventSourceMapping } from '../../src/local/mapping/mapping.ts';
import { streamsClient } from './fakeStreams.ts';

// A process of its own for kill.test.ts: notes every delivery in a file, and ends by itself once drained.
const [port, streamArn = '', checkpoints = '', batchSize, deliveries = ''] = process.argv.slice(2);
const streams = streamsClient(Number(port));

const mapping = eventSourceMapping({
  name: 'killed',
  streamArn,
  region: 'eu-west-1',
  streams,
  checkpoints,
  batchSize: Number(batchSize),
  invoke: async (event) => {
    for (const { dynamodb } of event.Records) {
      const { pk, n } = dynamodb?.NewImage ?? {};
      appendFileSync(
        deliveries,
        `${JSON.stringify([Number(dynamodb?.SequenceNumber), pk?.S, Number(n?.N)])}\n`,
      );
      process.send?.('delivered');
      await new Promise(setImmediate);
    }
  },
});

mapping.start();
await mapping.drained();
await mapping.stop();
streams.destroy();
process.disconnect?.();
