/** Hands every recorded batch to the handlers again, three times, shuffled, with one poison record among them. */
import { randomInt } from 'node:crypto';
import type { Context, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { App } from '../../pipeline/app.ts';
import type { Home } from '../home.ts';
import type { Batch } from '../mappings.ts';

const times = 3;

export type Attack = { repeats: number; refused: string[] };

export async function attack(home: Home): Promise<Attack> {
  const recorded = home.batches.map((batch) => structuredClone(batch));
  const again = Array.from({ length: times }, () => recorded).flat();
  const poison = poisonBatches(home.app, recorded);
  const refused: string[] = [];
  for (const batch of shuffled([...again, ...poison])) {
    const answer = await home.handlers[batch.function](shuffledEvent(batch.event), {} as Context);
    const failures = (answer as { batchItemFailures?: unknown[] } | undefined)?.batchItemFailures ?? [];
    if (failures.length > 0) refused.push(`${batch.function} did not take a batch again`);
  }
  return { repeats: again.reduce((sum, { event }) => sum + event.Records.length, 0), refused };
}

/** A record of ours that nobody can decode: its price is no number. Both readers get it. */
function poisonBatches(app: App, recorded: readonly Batch[]): Batch[] {
  const sample = recorded
    .flatMap(({ event }) => event.Records)
    .find(({ dynamodb }) => dynamodb?.NewImage?.[app.table.type]);
  if (sample === undefined) return [];
  const record = structuredClone(sample);
  const poison = { ...record.dynamodb?.NewImage, poison: { N: 'not a number' } };
  const Records: DynamoDBRecord[] = [
    { ...record, eventID: 'poison', dynamodb: { ...record.dynamodb, NewImage: poison } },
  ];
  return [
    { function: 'project', event: { Records } },
    { function: 'notify', event: { Records: structuredClone(Records) } },
  ];
}

function shuffledEvent({ Records }: DynamoDBStreamEvent): DynamoDBStreamEvent {
  return { Records: structuredClone(shuffled(Records)) };
}

function shuffled<Value>(values: readonly Value[]): Value[] {
  const cards = [...values];
  for (let last = cards.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [cards[last], cards[other]] = [cards[other] as Value, cards[last] as Value];
  }
  return cards;
}
