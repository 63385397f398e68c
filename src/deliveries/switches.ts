/** Switches: since when an act is on, and whether a sink is paused. One row for each sink, read by the handlers. */
import { BatchGetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { decodeImage, encodeItem } from '../table/attributes.ts';
import { expression } from '../table/expression.ts';

export type Switch = {
  /** Epoch milliseconds: what happened before causes nothing. */
  since?: number;
  paused: boolean;
};

/** A pause takes hold within so many milliseconds, in every process. */
const freshMilliseconds = 1_000;

const keyOf = (sink: string) => encodeItem({ pk: `switch/${sink}`, sk: 'switch' });

/** Reads the switches of these sinks, at most once a second. Throws where they cannot be read. */
export function openSwitches(connections: Connections, sinks: readonly string[]) {
  let known: { at: number; switches: Promise<ReadonlyMap<string, Switch>> } | undefined;
  return {
    read(): Promise<ReadonlyMap<string, Switch>> {
      const at = connections.now();
      if (known === undefined || Math.abs(at - known.at) >= freshMilliseconds) {
        const switches = readSwitches(connections, sinks);
        known = { at, switches };
        switches.catch(() => {
          known = undefined;
        });
      }
      return known.switches;
    },
    forget(): void {
      known = undefined;
    },
  };
}

export async function readSwitches(
  { dynamodb, config }: Connections,
  sinks: readonly string[],
): Promise<ReadonlyMap<string, Switch>> {
  const TableName = config.SLUICE_DELIVERIES_TABLE;
  let wanted = [...new Set(sinks)].map(keyOf);
  const switches = new Map<string, Switch>();
  while (wanted.length > 0) {
    const request = { [TableName]: { Keys: wanted, ConsistentRead: true } };
    const reply = await dynamodb.send(new BatchGetItemCommand({ RequestItems: request }));
    for (const image of reply.Responses?.[TableName] ?? []) {
      const { pk, since, paused } = decodeImage(image);
      switches.set(String(pk).replace('switch/', ''), {
        ...(typeof since === 'number' && { since }),
        paused: paused === true,
      });
    }
    wanted = reply.UnprocessedKeys?.[TableName]?.Keys ?? [];
  }
  return switches;
}

/** An act is switched on once, by whoever is first; gives since when. */
export async function switchOn(
  { dynamodb, config }: Connections,
  sink: string,
  since: number,
): Promise<number> {
  const build = expression();
  const update = build.update({}, [
    `${build.name('since')} = if_not_exists(${build.name('since')}, ${build.value(since)})`,
  ]);
  const { Attributes } = await dynamodb.send(
    new UpdateItemCommand({
      TableName: config.SLUICE_DELIVERIES_TABLE,
      Key: keyOf(sink),
      UpdateExpression: update,
      ReturnValues: 'ALL_NEW',
      ...build.placeholders(),
    }),
  );
  return Number(decodeImage(Attributes ?? {}).since ?? since);
}

/** Pauses a sink or lets it go on. */
export async function setPaused(
  { dynamodb, config, now }: Connections,
  sink: string,
  paused: boolean,
  by: string,
): Promise<void> {
  const build = expression();
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: config.SLUICE_DELIVERIES_TABLE,
      Key: keyOf(sink),
      UpdateExpression: build.update({ paused, pausedBy: by, pausedAt: now() }),
      ...build.placeholders(),
    }),
  );
}
