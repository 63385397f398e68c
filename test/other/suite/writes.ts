/** The write side and the reads, on any app. */
import { expect, test } from 'vitest';
import type { Fields } from '../../../src/table/entity.ts';
import { queryPage } from '../../../src/table/query.ts';
import { get } from '../../../src/table/read.ts';
import { writer } from '../../../src/table/write/writer.ts';
import { by } from '../../support/shop.ts';
import type { OtherHome } from '../kit.ts';
import { type Sample, samples } from '../samples.ts';

export function writesSuite({ app, whole, counted }: Sample, world: () => OtherHome): void {
  const write = () => writer(world().store);
  const created = async (id: string) => {
    const answer = await write().create(whole.entity, whole.item(id), by());
    if (answer.outcome !== 'created') throw new Error(answer.outcome);
    return answer;
  };

  test('an item is created once; a repeat is answered from it, another input is refused', async () => {
    const first = await created('w1');
    const again = await write().create(whole.entity, whole.item('w1'), by());
    expect(again).toMatchObject({ outcome: 'existing', version: first.version, item: first.item });
    const other = { ...whole.item('w1'), ...whole.changes };
    await expect(write().create(whole.entity, other, by())).rejects.toMatchObject({
      name: 'IdempotencyConflict',
    });
  });

  test('an update names the version that it has seen', async () => {
    const { item, version } = await created('w2');
    const updated = await write().update(whole.entity, item, version, whole.changes, by());
    expect(updated).toMatchObject({ item: whole.changes, version: version + 1 });
    expect(await get(world().store, whole.entity, item)).toEqual(updated);
    await expect(write().update(whole.entity, item, version, whole.changes, by())).rejects.toMatchObject({
      name: 'StaleVersion',
    });
  });

  test('numbers are added to without a read, and never go below zero', async () => {
    const { entity, number } = counted;
    const item = counted.item(1);
    await write().create(entity, item, by());
    const add = (amount: number) => write().add(entity, item, { [number]: amount } as Fields, by());
    await add(3);
    expect(await get(world().store, entity, item)).toMatchObject({ item: { [number]: 8 } });
    await expect(add(-9)).rejects.toMatchObject({ name: 'GuardFailed' });
  });

  test('what is removed is read no more; a natural key is free again, under a higher version', async () => {
    const item = counted.item(2);
    const first = await write().create(counted.entity, item, by());
    await write().remove(counted.entity, item, { ...by(), reason: 'broken' });
    expect(await get(world().store, counted.entity, item)).toBeUndefined();
    const second = await write().create(counted.entity, item, by());
    const versions = [first, second].map((one) => ('version' in one ? one.version : 0));
    expect(versions[1]).toBeGreaterThan((versions[0] ?? 0) + 1);
  });

  test('a key that is used once answers "removed" for ever', async () => {
    const { item } = await created('w3');
    await write().remove(whole.entity, item, by());
    expect(await write().create(whole.entity, whole.item('w3'), by())).toEqual({ outcome: 'removed' });
  });

  test.each(['the table', 'an index'])('a partition of %s is read page by page', async (where) => {
    const index = where === 'an index' ? { index: whole.index } : {};
    const ids = [`${where} 1`, `${where} 2`, `${where} 3`];
    for (const id of ids) await created(id);
    const found: Fields[] = [];
    let cursor: string | undefined;
    do {
      const options = { ...index, limit: 2, ...(cursor !== undefined && { cursor }) };
      const page = await queryPage(world().store, whole.entity, whole.item('any'), options);
      found.push(...page.found.map(({ item }) => item));
      cursor = page.next;
    } while (cursor !== undefined);
    for (const id of ids) expect(found).toContainEqual(whole.item(id));
  });

  test('an item holds its fields and names of its table, and none of any other app', async () => {
    await created('w4');
    await write().create(counted.entity, counted.item(3), by());
    const fields = [whole.entity, counted.entity].flatMap(({ schema }) => Object.keys(schema.shape));
    const names = new Set([...fields, ...app.table.reserved]);
    const others = samples.filter((sample) => sample.app !== app).map((sample) => sample.app.table.reserved);
    for (const item of await world().items()) {
      const held = Object.keys(item);
      expect(held.filter((name) => !names.has(name))).toEqual([]);
      expect(held.filter((name) => others.some((reserved) => reserved.has(name)))).toEqual([]);
      expect(item[app.table.version]).toEqual(expect.any(Number));
    }
  });
}
