/**
 * `sluice backfill`: what the table holds, brought into search. Each item is read again and indexed as it is under its
 * own version, so that it may run beside the functions, and as often as one likes. With `--rebuild` into new indices.
 */
import { paginateScan } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import type { Connections } from '../connections.ts';
import { lambdaRecord } from '../local/mapping/record.ts';
import type { App } from '../pipeline/app.ts';
import { openGuard } from '../pipeline/breaker.ts';
import { sendRequests } from '../pipeline/deliver.ts';
import type { Answer, Sink } from '../pipeline/sink.ts';
import { openSinks, storeOf } from '../pipeline/stream.ts';
import { ensureIndices, writeAliases } from '../sinks/search/indices.ts';
import { beginRebuild, finishRebuild } from '../sinks/search/rebuild.ts';
import { confirmVersions, isServerless } from '../sinks/search/serverless.ts';
import type { Image } from '../table/attributes.ts';
import type { Change } from '../table/change.ts';
import { type Aim, connected } from './connected.ts';

type Options = Aim & { rebuild: boolean; say(line: string): void };

const finishMilliseconds = 15 * 60_000;

/** The status is 1 if an item could not be brought. */
export function backfill(app: App, { rebuild, say, ...aim }: Options): Promise<number> {
  return connected(aim, async (connections, where) => {
    const { search, config } = connections;
    if (search === undefined)
      throw new Error('Search is off here: name its address in SLUICE_SEARCH_ENDPOINT.');
    const place = { client: search, prefix: config.SLUICE_SEARCH_PREFIX };
    if (rebuild) await beginRebuild(place, app.entities);
    else await ensureIndices(search, config.SLUICE_SEARCH_PREFIX, app.entities);
    if (isServerless(config))
      for (const alias of writeAliases(place.prefix, app.entities)) await confirmVersions(search, alias);
    const { brought, newer, failed } = await bringAll(app, connections);
    for (const [reason, items] of Map.groupBy(failed, ({ reason }) => reason))
      say(`  ${items.length} × ${reason}, such as ${items[0]?.item}`);
    if (newer > 0) say(`  ${newer} were there already, newer than in the table when they were read`);
    say(`${brought} items brought into search in ${where}, ${failed.length} not.`);
    if (failed.length > 0) {
      if (rebuild) say('Searches go on with the old indices. Mend what failed, and run it again.');
      return 1;
    }
    if (rebuild)
      await finishRebuild(
        { ...place, refreshes: !isServerless(config) },
        app.entities,
        connections.deadline(finishMilliseconds),
      );
    return 0;
  });
}

/** What one try of a page may take, milliseconds. */
const tryMilliseconds = 60_000;
/** Before what was not taken is tried again: by then a breaker that has opened lets a call pass. Milliseconds. */
const waits = [5_000, 10_000];

/** `newer`: something newer was there already. */
type Backfilled = { brought: number; newer: number; failed: { item: string; reason: string }[] };

async function bringAll(app: App, connections: Connections): Promise<Backfilled> {
  const { dynamodb, config } = connections;
  // As in a replay: whatever a change says, what its item is now is indexed.
  const context = { connections, store: storeOf(app, connections), replay: true, late: false };
  const [sink] = openSinks(app.sinks, 'project', context).filter(({ name }) => name === 'search');
  if (sink === undefined) throw new Error('This app has no sink search.');
  const send = patiently(sink, connections);
  const result: Backfilled = { brought: 0, newer: 0, failed: [] };
  for await (const { Items = [] } of paginateScan({ client: dynamodb }, { TableName: config.SLUICE_TABLE })) {
    const changes: Change[] = [];
    for (const image of Items) {
      const decoded = app.decode(asRecord(app, image, connections.now()));
      if (decoded.verdict === 'change') changes.push(decoded.change);
      if (decoded.verdict === 'parked')
        result.failed.push({ item: decoded.change?.item ?? 'an item', reason: decoded.reason });
    }
    const requests = changes.flatMap((change) =>
      sink.plan(change).map((request) => ({ request, item: change.item })),
    );
    const answers = await send(requests.map(({ request }) => request));
    for (const [index, { item }] of requests.entries()) {
      const answer = answers[index];
      if (answer?.state === 'failed') result.failed.push({ item, reason: answer.reason });
      else if (answer?.state === 'superseded') result.newer += 1;
      else result.brought += 1;
    }
  }
  return result;
}

/** A page is tried several times; once nothing was taken in all of them, each that follows once, until one is. */
function patiently(sink: Sink, { wait }: Connections) {
  const guard = openGuard();
  let patience: readonly number[] = waits;
  return async function send(requests: readonly unknown[]): Promise<Answer[]> {
    const attempt = (some: readonly unknown[]) =>
      sendRequests(sink, some, { guard, signal: AbortSignal.timeout(tryMilliseconds) });
    const answers = await attempt(requests);
    for (const milliseconds of patience) {
      const open = [...answers.keys()].filter((index) => mayPass(answers[index]));
      if (open.length === 0) break;
      await wait(milliseconds);
      const again = await attempt(open.map((index) => requests[index]));
      for (const [at, index] of open.entries()) answers[index] = again[at] ?? (answers[index] as Answer);
    }
    if (requests.length > 0) patience = answers.every(mayPass) ? [] : waits;
    return answers;
  };
}

function mayPass(answer: Answer | undefined): boolean {
  return answer?.state === 'failed' && answer.retryable;
}

/** An item that lies there, as the stream would show it if it were put now. */
function asRecord({ table }: App, image: Image, now: number): DynamoDBRecord {
  const Keys = Object.fromEntries([table.pk, table.sk].map((name) => [name, image[name]]));
  const dynamodb = { Keys, NewImage: image, ApproximateCreationDateTime: new Date(now) };
  return lambdaRecord({ eventID: 'backfill', eventName: 'INSERT', dynamodb } as never, {
    region: '',
    streamArn: '',
  });
}
