/** A sink of a user's own, which notes what it is sent and answers as it is told. */
import type { DynamoDBRecord } from 'aws-lambda';
import type { Answer, Sink, SinkFactory } from '../../src/pipeline/sink.ts';
import type { Change } from '../../src/table/change.ts';
import { fresh, history, lamp, nameOf, productAt } from '../sinks/items.ts';
import type { openWorld } from '../sinks/world.ts';

/** What it writes of a change. */
export type Note = { item: string; version: number; bytes: number };

export type Notebook = { name: string; factory: SinkFactory; calls: string[][] };

const done: Answer = { state: 'applied' };

export const no = (retryable: boolean): Answer => ({ state: 'failed', reason: 'no', retryable });

export function notebook(
  parts: Partial<Sink<Note>> & {
    /** The answer about one note; asked once for each time that it is sent. */
    answer?(note: Note): Answer;
  } = {},
): Notebook {
  const { answer = () => done, ...others } = parts;
  const calls: string[][] = [];
  const sink: Sink<Note> = {
    name: fresh('notebook'), // what is parked of one is not that of another
    kind: 'log',
    plan: ({ key, version, after }) => [{ item: key.sk, version, bytes: Number(after?.price ?? 1) }],
    target: ({ item, version }) => `${item} ${version}`,
    limits: { count: 1_000, bytes: 1_000_000 },
    size: ({ bytes }) => bytes,
    async send(notes) {
      calls.push(notes.map(label));
      return notes.map(answer);
    },
    ...others,
  };
  return { name: sink.name, factory: () => sink as Sink, calls };
}

/** Such as `p1 v2`: the second write of product p1. */
export function label({ item, version }: Note): string {
  return `${item.replace(/^.*#/, '')} v${version % 1000}`;
}

export const planned = ({ key, version }: Change): Note => ({ item: key.sk, version, bytes: 1 });

/** The records of so many writes of a product; the nth takes n bytes, or as many as are said. */
export function writes(id: string, times: number, bytes = (at: number) => at): DynamoDBRecord[] {
  const forms = Array.from({ length: times }, (_, index) =>
    productAt(index + 1, lamp(id, { price: bytes(index + 1) })),
  );
  return history(undefined, ...forms);
}

/** Five writes of two products, in turn. */
export function mixed(): DynamoDBRecord[] {
  const [a1, a2, a3] = writes('a', 3);
  const [b1, b2] = writes('b', 2);
  return [a1, b1, a2, a3, b2].filter((record) => record !== undefined);
}

export const byItem = ({ item }: Note) => item;
export const is = (text: string) => (note: Note) => label(note) === text;

/** How everybody calls product `id`. */
export const itemOf = (id: string) => nameOf(productAt(1, lamp(id)));

/** What is parked of these products by change, such as `a v2 waiting`. */
export async function parkedOf(
  world: Awaited<ReturnType<typeof openWorld>>,
  { name }: Notebook,
  ...ids: string[]
): Promise<string[]> {
  const parked = await Promise.all(ids.map((id) => world.parkedChanges(name, itemOf(id))));
  return parked.flatMap((changes, index) =>
    changes.map(({ version, state }) => `${label({ item: `${ids[index]}`, version, bytes: 1 })} ${state}`),
  );
}
