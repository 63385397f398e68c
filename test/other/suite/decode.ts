/** What the stream of any app's table means. */
import type { DynamoDBRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import type { Change } from '../../../src/table/change.ts';
import { writer } from '../../../src/table/write/writer.ts';
import { by } from '../../support/shop.ts';
import type { OtherHome } from '../kit.ts';
import type { Sample } from '../samples.ts';

export function decodeSuite({ app, counted }: Sample, world: () => OtherHome): void {
  const { table } = app;
  const { entity } = counted;

  async function recordsOf(number: number): Promise<DynamoDBRecord[]> {
    const item = counted.item(number);
    const write = writer(world().store);
    await write.create(entity, item, by('maker'));
    await write.add(entity, item, { [counted.number]: 1 }, by('counter'));
    await write.remove(entity, item, { ...by('remover'), reason: 'broken' });
    await world().settle();
    const pk = entity.key.pk.render(item);
    const records = world().records();
    return records.filter(({ dynamodb }) => dynamodb?.Keys?.[table.pk]?.S === pk);
  }

  const changesOf = (records: readonly DynamoDBRecord[]): Change[] =>
    records.map((record) => {
      const decoded = app.decode(record);
      if (decoded.verdict !== 'change') throw new Error(decoded.verdict);
      return decoded.change;
    });

  test('each write is one exact change, in version order, with who and why', async () => {
    const changes = changesOf(await recordsOf(11));
    expect(changes).toMatchObject([
      { kind: 'insert', born: true, actor: 'maker', before: undefined, after: counted.item(11) },
      { kind: 'modify', born: false, actor: 'counter', after: { [counted.number]: 6 } },
      { kind: 'remove', born: false, actor: 'remover', reason: 'broken', after: undefined },
    ]);
    expect(changes.map(({ inexact }) => inexact)).toEqual([undefined, undefined, undefined]);
    const [first = 0, ...later] = changes.map(({ version }) => version);
    expect(later).toEqual([first + 1, first + 2]);
  });

  test('what others write is told apart: not ours, ours by its key alone, ours but unreadable', async () => {
    const [record] = await recordsOf(12);
    const image = record?.dynamodb?.NewImage ?? {};
    const bent = (attributes: typeof image, Keys = record?.dynamodb?.Keys) =>
      app.decode({
        ...record,
        dynamodb: { ...record?.dynamodb, Keys, NewImage: { ...image, ...attributes } },
      });
    const elsewhere = { [table.pk]: { S: 'OTHER#1' }, [table.sk]: { S: 'OTHER' } };
    expect(bent({ ...elsewhere, [table.type]: { S: 'other' } }, elsewhere).verdict).toBe('ignored');
    expect(bent({ [table.type]: { S: 'other' } }).verdict).toBe('parked');
    expect(bent({ [counted.number]: { N: 'not a number' } }).verdict).toBe('parked');
    expect(bent({ [counted.number]: { S: 'many' } }).verdict).toBe('parked');
  });

  test('a change without a new version, and a plain delete, are inexact', async () => {
    const [record] = await recordsOf(13);
    const image = record?.dynamodb?.NewImage ?? {};
    const edited = { ...image, [counted.number]: { N: '9' } };
    const dynamodb = { ...record?.dynamodb, OldImage: image, NewImage: edited };
    const { NewImage: _, ...gone } = dynamodb;
    const [edit, deletion] = changesOf([
      { ...record, eventName: 'MODIFY', dynamodb },
      { ...record, eventName: 'REMOVE', dynamodb: gone },
    ] as DynamoDBRecord[]);
    expect(edit).toMatchObject({ kind: 'modify', inexact: 'changed without a new version' });
    expect(deletion).toMatchObject({ kind: 'remove', inexact: 'deleted past Sluice' });
  });
}
