/** Every sink of any app, from a write to where it shows. */
import { expect, test } from 'vitest';
import { rowsOfItem } from '../../../src/mail/outbox.ts';
import { rowTag } from '../../../src/mail/ses.ts';
import { historyOf } from '../../../src/sinks/audit/history.ts';
import type { PublishedEvent } from '../../../src/sinks/bus/event.ts';
import { readThrough } from '../../../src/sinks/cache/read.ts';
import { searching } from '../../../src/sinks/search/query.ts';
import { itemName } from '../../../src/table/change.ts';
import { keyOf } from '../../../src/table/keys.ts';
import { writer } from '../../../src/table/write/writer.ts';
import { by } from '../../support/shop.ts';
import type { OtherHome } from '../kit.ts';
import type { Sample } from '../samples.ts';

export function sinksSuite({ whole, readsOf }: Sample, world: () => OtherHome): void {
  const { entity } = whole;
  const nameOf = (id: string) => itemName(entity.name, keyOf(entity, whole.item(id)));

  /** Creates and updates an item; all of it has reached every sink. */
  async function lived(id: string) {
    const write = writer(world().store);
    const answer = await write.create(entity, whole.item(id), by('maker'));
    if (answer.outcome !== 'created') throw new Error(answer.outcome);
    await world().settle();
    const warmed = await warm(id);
    const { version } = await write.update(entity, answer.item, answer.version, whole.changes, by('changer'));
    await world().settle();
    return { warmed, versions: [answer.version, version] };
  }

  function warm(id: string): Promise<unknown[]> {
    const port = world().home.connections.cache;
    const reads = readsOf(world().store, entity, whole.item(id));
    return Promise.all(reads.map((read) => readThrough({ port, ...read })));
  }

  async function foundBy(text: string, id: string) {
    const { search, config } = world().home.connections;
    if (search === undefined) throw new Error('Search is off.');
    await search.indices.refresh({ index: `${config.SLUICE_SEARCH_PREFIX}${entity.search?.index}` });
    const find = searching({ client: search, prefix: config.SLUICE_SEARCH_PREFIX, now: Date.now });
    const { hits } = await find(entity, text, {}, { size: 100 });
    return hits.find((hit) => hit.id === nameOf(id));
  }

  test('search finds the item as it is, and no more once it is removed', async () => {
    await lived('s1');
    expect((await foundBy(whole.word, 's1'))?.document).toMatchObject(whole.changes);
    await writer(world().store).remove(entity, whole.item('s1'), by());
    await world().settle();
    expect(await foundBy(whole.word, 's1')).toBeUndefined();
  });

  test('a cached read shows what was written last', async () => {
    const { warmed } = await lived('s2');
    expect(warmed.length).toBeGreaterThan(0);
    const [single] = await warm('s2');
    expect(warmed[0]).toMatchObject({ item: whole.item('s2') });
    expect(single).toMatchObject({ item: whole.changes });
  });

  test('the audit trail has each version once, with who', async () => {
    const { versions } = await lived('s3');
    await world().replay();
    const rows = await historyOf(world().home.connections, nameOf('s3'), 10);
    expect(rows).toMatchObject([
      { version: versions[1], actor: 'changer', exact: true },
      { version: versions[0], actor: 'maker', exact: true },
    ]);
  });

  test('each email goes out once, also when everything comes again', async () => {
    await lived('s4');
    await world().replay();
    const rows = await rowsOfItem(world().home.connections, nameOf('s4'));
    expect(rows.map(({ email, state }) => `${email}: ${state}`)).toEqual(
      whole.emails.map((email) => `${email}: sent`),
    );
    const sent = world()
      .home.services.sentMail()
      .map(({ tags }) => tags[rowTag]);
    expect(new Set(sent).size).toBe(sent.length);
  });

  test('each event comes with one id, in item order', async () => {
    const { versions } = await lived('s5');
    await world().replay();
    const events = world().home.services.publishedEvents();
    const published = events.filter(({ detail }) => {
      const { meta } = detail as PublishedEvent;
      return itemName(meta.entity, meta.key) === nameOf('s5');
    });
    const firsts = new Map(published.map((event) => [(event.detail as PublishedEvent).meta.eventId, event]));
    expect([...firsts.values()].map((event) => event['detail-type'])).toEqual(whole.events);
    expect([...firsts.values()].map(({ detail }) => (detail as PublishedEvent).meta.version)).toEqual(
      versions,
    );
  });
}
