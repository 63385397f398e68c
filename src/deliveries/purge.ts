/**
 * Purging, once a day: sinks take away what they have kept long enough. Redrive does it by the way: it runs on a
 * schedule as it is, and reaches every sink. What a day was not enough for, the next run goes on with.
 */
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import type { App } from '../pipeline/app.ts';
import type { Purged, Sink } from '../pipeline/sink.ts';
import { openSinks, storeOf } from '../pipeline/stream.ts';
import { whatWasThrown } from '../pipeline/thrown.ts';
import { decodeImage, encodeItem } from '../table/attributes.ts';
import { daySeconds } from '../table/retention.ts';
import { readSwitches } from './switches.ts';

/** Purges each sink whose last purge is a day ago; remembered here, so that most runs ask nobody. */
export function openDailyPurge(app: App, connections: Connections) {
  const due = new Map<string, number>();
  return async function purgeDue(signal: AbortSignal): Promise<void> {
    for (const sink of purgeable(app, connections)) {
      const { name } = sink;
      if (signal.aborted || connections.now() < (due.get(name) ?? 0)) continue;
      try {
        due.set(name, (await lastPurge(connections, name)) + daySeconds * 1_000);
        if (connections.now() < (due.get(name) ?? 0) || (await isPaused(connections, name))) continue;
        const result = await purgeSink(app, sink, signal);
        if (result.purged + result.left > 0) connections.log.info('purge', { sink: name, ...result });
        if (result.left === 0) await rememberPurge(connections, name);
      } catch (error) {
        connections.log.warn('purge', { sink: name, reason: whatWasThrown(error) });
      }
    }
  };
}

/** The sinks that keep things for a while. */
export function purgeable(app: App, connections: Connections): Sink[] {
  const context = { connections, store: storeOf(app, connections), replay: false, late: false };
  const sinks = (['project', 'notify'] as const).flatMap((reader) => openSinks(app.sinks, reader, context));
  return sinks.filter((sink) => sink.purge !== undefined);
}

export async function purgeSink(app: App, sink: Sink, signal: AbortSignal): Promise<Purged> {
  return (await sink.purge?.(app.entities, signal)) ?? { purged: 0, left: 0 };
}

async function isPaused(connections: Connections, name: string): Promise<boolean> {
  return (await readSwitches(connections, [name])).get(name)?.paused === true;
}

const keyOf = (sink: string) => ({ pk: `purge/${sink}`, sk: 'last' });

/** Epoch milliseconds; 0 where it never was. */
async function lastPurge({ dynamodb, config }: Connections, sink: string): Promise<number> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: config.SLUICE_DELIVERIES_TABLE, Key: encodeItem(keyOf(sink)) }),
  );
  return Item === undefined ? 0 : Number(decodeImage(Item).at);
}

async function rememberPurge({ dynamodb, config, now }: Connections, sink: string): Promise<void> {
  const Item = encodeItem({ ...keyOf(sink), at: now() });
  await dynamodb.send(new PutItemCommand({ TableName: config.SLUICE_DELIVERIES_TABLE, Item }));
}
