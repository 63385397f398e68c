/** What search asks of OpenSearch, and the answers that it builds on. */
import { randomBytes } from 'node:crypto';
import { Client } from '@opensearch-project/opensearch';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { startSearch } from '../../src/local/servers/search.ts';
import { bulk } from '../../src/sinks/search/bulk.ts';
import { ensureIndices, removeIndices } from '../../src/sinks/search/indices.ts';
import { purgeMarks } from '../../src/sinks/search/purge.ts';
import { searching } from '../../src/sinks/search/query.ts';
import { beginRebuild, finishRebuild } from '../../src/sinks/search/rebuild.ts';
import { defineEntity, type Entity, type Fields, type SearchFieldType } from '../../src/table/entity.ts';
import { daySeconds, retentionDays } from '../../src/table/retention.ts';
import { type Sentence, scenario } from './scenario.ts';

const now = Date.parse('2027-01-15T08:00:00Z');
const signal = new AbortController().signal;

const book = defineEntity({
  name: 'Book',
  schema: z.object({ id: z.string() }),
  key: { pk: 'BOOK#{id}', sk: 'BOOK', from: 'natural' },
  search: {
    index: 'books',
    fields: {
      title: 'text',
      about: 'text',
      shelf: 'keyword',
      price: 'double',
      sold: 'boolean',
      printed: 'date',
    },
    document: () => ({ title: '', about: '', shelf: '', price: 0, sold: false, printed: '' }),
  },
});

function withFields(fields: Readonly<Record<string, SearchFieldType>>, index = 'books'): Entity {
  const search = { index, fields: { ...book.search?.fields, ...fields }, document: () => ({}) };
  return { ...(book as Entity), search };
}

scenario('search', ['stand-in', (sentence) => script(sentence)], {
  opensearch: (url) => (sentence) => script(sentence, url),
});

function script(sentence: Sentence, url?: string) {
  const run = `scenario-${randomBytes(4).toString('hex')}`;
  let client: Client;
  let stop: () => Promise<void>;
  let count = 0;

  beforeAll(async () => {
    const server = url === undefined ? await startSearch() : { url, stop: async () => {} };
    client = new Client({ node: server.url, maxRetries: 0 });
    stop = async () => {
      const { body } = await client.indices.get({ index: `${run}*` });
      for (const index of Object.keys(body)) await client.indices.delete({ index });
      await client.close();
      await server.stop();
    };
  });
  afterAll(() => stop());

  /** Indices of its own for one test. */
  async function opened(entities: readonly Entity[] = [book]) {
    const prefix = `${run}-${++count}-`;
    await ensureIndices(client, prefix, entities);
    const [read, write] = [`${prefix}books`, `${prefix}books-write`];
    const target = { client, prefix, signal };
    const request = (id: string, version: number, document: Fields) => ({
      index: 'books',
      id,
      version,
      document,
    });
    return {
      prefix,
      read,
      write,
      target,
      request,
      put: (id: string, version: number, document: Fields) => bulk(target, [request(id, version, document)]),
      remove: (id: string, version: number, at: number) =>
        bulk(target, [request(id, version, { sluiceRemovedAt: new Date(at).toISOString() })]),
      /** Version and fields as they lie there. */
      async held(id: string, by = read): Promise<[version: number, fields: Fields] | undefined> {
        const { body } = await client.mget({ index: by, body: { ids: [id] } });
        const [one] = body.docs as { found?: boolean; _version?: number; _source?: Fields }[];
        return one?.found ? [one._version ?? 0, one._source ?? {}] : undefined;
      },
      refresh: () => client.indices.refresh({ index: read }),
      search: searching({ client, prefix, now: () => now }),
    };
  }

  const indices = async (prefix: string) =>
    Object.entries((await client.indices.get({ index: `${prefix}*` })).body)
      .map(([name, { aliases = {} }]) => [name.slice(prefix.length), Object.keys(aliases).sort()])
      .sort();
  const aliases = (prefix: string) => [`${prefix}books`, `${prefix}books-write`];

  const made = async (name: string, operation: object, ...more: object[]) => {
    const index = `${run}-${name}`;
    const [what] = Object.entries(operation).map(([key, asked]) => ({
      [key]: { _index: index, ...asked },
    }));
    const { body } = await client.bulk({ body: [what ?? {}, ...more] });
    const [answer] = Object.values(body.items[0] ?? {});
    const { body: isThere } = await client.indices.exists({ index });
    return [answer?.status, isThere];
  };
  const versioned = { _id: 'b', version: 5, version_type: 'external_gte' };

  sentence('an index that is not there is made by a write that does not ask for an alias', async () => {
    expect(await made('by-write', { index: versioned }, { title: 'Emma' })).toEqual([201, true]);
  });

  sentence('an index that is not there is made by a removal that names a version', async () => {
    expect(await made('by-removal', { delete: versioned })).toEqual([404, true]);
  });

  sentence('an index that is not there is not made by a removal without one', async () => {
    expect(await made('by-plain-removal', { delete: { _id: 'b' } })).toEqual([404, false]);
  });

  describe('indices', () => {
    test('are made once, behind an alias to read and one to write by', async () => {
      const { prefix } = await opened();
      await ensureIndices(client, prefix, [book]);
      expect(await indices(prefix)).toEqual([['books-v1', aliases(prefix)]]);
    });

    test('gain fields that are new, which the documents of before lack', async () => {
      const { prefix, put, held } = await opened();
      await put('b', 1, { title: 'Emma' });
      expect(await put('c', 1, { title: 'Emma', pages: 300 })).toMatchObject([
        { state: 'failed', reason: 'status 400 strict_dynamic_mapping_exception', retryable: false },
      ]);
      await ensureIndices(client, prefix, [withFields({ pages: 'long' })]);
      expect(await put('c', 1, { title: 'Emma', pages: 300 })).toEqual([{ state: 'applied' }]);
      expect(await held('b')).toMatchObject([1, { title: 'Emma' }]);
    });

    test('that have a field otherwise are left alone, and what to do is said', async () => {
      const { prefix } = await opened();
      await expect(ensureIndices(client, prefix, [withFields({ shelf: 'long' })])).rejects.toThrow(
        `Search: Book is declared otherwise than its index ${prefix}books-v1: shelf is keyword, not long. An index cannot change a field: "npx sluice backfill --rebuild" makes a new one.`,
      );
    });

    test('of the name of an alias are not overlooked', async () => {
      const prefix = `${run}-taken-`;
      const body = { mappings: { dynamic: 'strict' as const, properties: {} } };
      await client.indices.create({ index: `${prefix}books`, body });
      await expect(ensureIndices(client, prefix, [book])).rejects.toThrow(
        'stands where Sluice needs an alias',
      );
    });

    test('cannot be called as others are whose names Sluice makes', async () => {
      for (const index of ['books-write', 'books-v2'])
        await expect(ensureIndices(client, run, [withFields({}, index)])).rejects.toThrow(index);
    });

    test('are never created by a write', async () => {
      const { prefix, request } = await opened();
      const elsewhere = { client, prefix: `${prefix}no-`, signal };
      const missing = { state: 'failed', reason: 'status 404 index_not_found_exception', service: true };
      expect(await bulk(elsewhere, [request('b', 1, { title: 'Emma' })])).toMatchObject([missing]);
      expect(await indices(`${prefix}no-`)).toEqual([]);
    });

    test('can only be removed under their own name', async () => {
      const { prefix, read } = await opened();
      await expect(client.indices.delete({ index: read })).rejects.toMatchObject({ statusCode: 400 });
      await removeIndices(client, prefix, [book]);
      expect(await indices(prefix)).toEqual([]);
    });
  });

  describe('writes', () => {
    test('of an older version are passed over, of the same and of newer ones stand', async () => {
      const { put, held } = await opened();
      const states = [];
      for (const version of [5, 4, 5, 6]) states.push(...(await put('b', version, { price: version })));
      expect(states.map(({ state }) => state)).toEqual(['applied', 'superseded', 'applied', 'applied']);
      expect(await held('b')).toEqual([6, { price: 6, sluiceItem: 'b' }]);
    });

    test('a removal leaves a mark, over which an older write does not come', async () => {
      const { put, remove, held } = await opened();
      await put('b', 1, { title: 'Emma' });
      await remove('b', 2, now);
      expect(await put('b', 1, { title: 'Emma' })).toEqual([{ state: 'superseded' }]);
      expect(await held('b')).toEqual([2, { sluiceRemovedAt: '2027-01-15T08:00:00.000Z', sluiceItem: 'b' }]);
    });

    test.each([
      ['a field that is not declared', { colour: 'red' }, 'strict_dynamic_mapping_exception'],
      ['a number that is none', { price: 'much' }, 'mapper_parsing_exception'],
      ['a keyword beyond measure', { shelf: 'x'.repeat(33_000) }, 'illegal_argument_exception'],
    ])('%s refuses that document alone, for good', async (_what, document, type) => {
      const { target, request } = await opened();
      const answers = await bulk(target, [
        request('a', 1, { title: 'Emma' }),
        request('b', 1, document),
        request('c', 1, { title: 'Emma' }),
      ]);
      expect(answers).toEqual([
        { state: 'applied' },
        { state: 'failed', reason: `status 400 ${type}`, retryable: false },
        { state: 'applied' },
      ]);
    });

    test.each([
      ['an id that is too long', 'x'.repeat(513), 1],
      ['a version that cannot be', 'b', -1],
    ])('%s refuses a whole bulk, but not its 999 neighbours', async (_what, id, version) => {
      const { target, request, refresh, search } = await opened();
      const requests = Array.from({ length: 1_000 }, (_, index) =>
        request(`b${index}`, 1, { title: 'Emma' }),
      );
      requests[617] = request(id, version, { title: 'Emma' });
      const answers = await bulk(target, requests);
      const refused = answers.flatMap((answer, index) => (answer.state === 'applied' ? [] : [index]));
      expect(refused).toEqual([617]);
      expect(answers[617]).toEqual({ state: 'failed', reason: 'refused with status 400', retryable: false });
      await refresh();
      expect((await search(book, '')).total).toBe(999);
    });

    test('more than the server holds at once is split, since it would never pass', {
      timeout: 60_000,
    }, async () => {
      const { target, request } = await opened();
      const about = 'x'.repeat(300_000);
      const requests = Array.from({ length: 200 }, (_, index) => request(`b${index}`, 1, { about }));
      expect(new Set((await bulk(target, requests)).map(({ state }) => state))).toEqual(new Set(['applied']));
    });

    test.each([
      [60_000_000, 429],
      [110_000_000, 413],
    ])('one document of %i bytes is refused for good', { timeout: 60_000 }, async (bytes, status) => {
      const { put } = await opened();
      expect(await put('b', 1, { about: 'x'.repeat(bytes) })).toEqual([
        { state: 'failed', reason: `refused with status ${status}`, retryable: false },
      ]);
    });

    test('a write alias of two indices waits for a person', async () => {
      const { put, prefix, write } = await opened();
      const index = `${prefix}books-v2`;
      const body = { mappings: { dynamic: 'strict' as const, properties: {} } };
      await client.indices.create({ index, body });
      await client.indices.updateAliases({ body: { actions: [{ add: { index, alias: write } }] } });
      expect(await put('b', 1, { title: 'Emma' })).toMatchObject([
        { state: 'failed', retryable: true, service: true },
      ]);
    });
  });

  describe('searches', () => {
    const shelf: [id: string, document: Fields][] = [
      [
        'emma',
        {
          title: 'Emma',
          about: 'A <b>novel</b> & "more"',
          shelf: 'a',
          price: 9,
          sold: true,
          printed: '1815-12-23',
        },
      ],
      [
        'persuasion',
        { title: 'Persuasion', about: 'The last novel', shelf: 'a', price: 12.5, printed: '1817' },
      ],
      ['odd', { title: ['Two titles', 'and a novel'], about: 'novel novel novel', shelf: 'b' }],
      ['plain', { title: 'Nothing else', shelf: 'b', price: 1, printed: '2020-02-02T10:00:00Z' }],
    ];
    let place: Awaited<ReturnType<typeof opened>>;

    beforeAll(async () => {
      place = await opened();
      const { target, request } = place;
      await bulk(
        target,
        shelf.map(([id, document]) => request(id, 7, document)),
      );
      await place.remove('gone', 7, now);
      await place.put('expired', 7, { title: 'A novel', sluiceExpiresAt: '2027-01-15T08:00:00Z' });
      await place.put('expiring', 7, { title: 'Soon', sluiceExpiresAt: '2027-01-15T08:00:01Z' });
      await place.refresh();
    });

    const found = async (
      ...asked: [text: string, filters?: Parameters<typeof place.search<typeof book>>[2]]
    ) => (await place.search(book, ...asked)).hits.map(({ id }) => id).sort();

    test('find words in any text field, and never what is gone', async () => {
      expect(await found('novel')).toEqual(['emma', 'odd', 'persuasion']);
      expect(await found('NOVEL last')).toEqual(['persuasion']);
      expect(await found('novel zebra')).toEqual([]);
      expect(await found('')).toEqual(['emma', 'expiring', 'odd', 'persuasion', 'plain']);
    });

    test.each([
      '*',
      'title:*',
      'nov*',
      '/n.*/',
      'emma OR persuasion',
      '-zebra',
      '"',
      '(',
      '{"match_all":{}}',
      '\u0000',
      '\ud800',
    ])('take %j as words', async (text) => {
      expect(await found(text)).toEqual([]);
    });

    test('filter by exact values and by ranges', async () => {
      expect(await found('', { shelf: 'a' })).toEqual(['emma', 'persuasion']);
      expect(await found('', { shelf: ['b', 'c'] })).toEqual(['odd', 'plain']);
      expect(await found('', { shelf: [] })).toEqual([]);
      expect(await found('novel', { sold: true })).toEqual(['emma']);
      expect(await found('', { price: { gt: 1, lte: 12.5 } })).toEqual(['emma', 'persuasion']);
      expect(await found('', { price: [1, 9] })).toEqual(['emma', 'plain']);
      expect(await found('', { printed: '2020-02-02' })).toEqual(['plain']);
      expect(await found('', { printed: { lt: '1817-01-02' } })).toEqual(['emma', 'persuasion']);
    });

    test('mark the words that were found, and escape all else', async () => {
      const { hits } = await place.search(book, 'novel');
      const highlights = Object.fromEntries(hits.map(({ id, highlights }) => [id, highlights]));
      expect(highlights.emma).toEqual({
        about: ['A &lt;b&gt;<em>novel</em>&lt;&#x2F;b&gt; &amp; &quot;more&quot;'],
      });
      expect(highlights.odd?.about).toEqual(['<em>novel</em> <em>novel</em> <em>novel</em>']);
      expect(highlights.odd?.title).toEqual(['and a <em>novel</em>']);
    });

    test('give documents as they are declared, with how well they fit', async () => {
      const { hits } = await place.search(book, 'soon');
      expect(hits).toMatchObject([{ id: 'expiring', document: { title: 'Soon' } }]);
      expect(Object.keys(hits[0]?.document ?? {})).toEqual(['title']);
      expect(hits[0]?.score).toBeGreaterThan(0);
    });

    test.each(['', 'novel'])('page through %j, each document once', async (text) => {
      const whole = (await place.search(book, text)).hits.map(({ id }) => id);
      const ids: string[] = [];
      for (let cursor: string | undefined, pages = 0; pages < 10; pages++) {
        const { total, hits, next } = await place.search(book, text, {}, { size: 2, cursor });
        expect(total).toBe(whole.length);
        ids.push(...hits.map(({ id }) => id));
        if (next === undefined) break;
        cursor = next;
      }
      expect(ids).toEqual(whole);
    });

    test('take as many words as they say', async () => {
      expect(await found('q '.repeat(256))).toEqual([]);
      expect(await found('字'.repeat(512))).toEqual([]);
    });
  });

  describe('purging', () => {
    const days = (number: number) => now - number * daySeconds * 1_000;
    const old = days(retentionDays.deletedMarks + 1);
    const recent = days(retentionDays.deletedMarks - 1);

    test('takes the marks that are old enough, and nothing else', async () => {
      const { put, remove, held, refresh, target } = await opened();
      await put('there', 5, { title: 'Emma' });
      await remove('old', 5, old);
      await remove('recent', 5, recent);
      await refresh();
      expect(await purgeMarks({ ...target, now }, [book])).toEqual({ purged: 1, left: 0 });
      expect(await held('old')).toBeUndefined();
      expect(await held('recent')).toMatchObject([5, { sluiceRemovedAt: new Date(recent).toISOString() }]);
      expect(await held('there')).toMatchObject([5, { title: 'Emma' }]);
    });

    test('takes more than one page of them, also where searches do not see yet that they are gone', async () => {
      const { target, request, refresh } = await opened();
      const mark = { sluiceRemovedAt: new Date(old).toISOString() };
      await bulk(
        target,
        Array.from({ length: 1_001 }, (_, index) => request(`gone ${index}`, 3, mark)),
      );
      await refresh();
      expect(await purgeMarks({ ...target, now }, [book])).toEqual({ purged: 1_001, left: 0 });
      await refresh();
      expect(await purgeMarks({ ...target, now }, [book])).toEqual({ purged: 0, left: 0 });
    });

    test('leaves what was made again between the search and the removal', async () => {
      const { remove, put, held, refresh, target } = await opened();
      await remove('again', 5, old);
      await remove('gone', 5, old);
      await refresh();
      const late = Object.create(client, {
        bulk: {
          value: (asked: Parameters<Client['bulk']>[0]) => {
            const again = put('again', 6, { title: 'Emma' }).then(() => client.bulk(asked));
            return Object.assign(again, { abort: () => {} });
          },
        },
      });
      expect(await purgeMarks({ ...target, client: late, now }, [book])).toEqual({ purged: 1, left: 0 });
      expect(await held('again')).toMatchObject([6, { title: 'Emma' }]);
      expect(await held('gone')).toBeUndefined();
    });
  });

  describe('an index made anew', () => {
    const changed = withFields({ shelf: 'long' });

    test('is filled while searches go on with the old one, and then takes its place', async () => {
      const { prefix, put, remove, held, refresh, target, write, search } = await opened();
      await put('moved', 5, { title: 'Emma', shelf: 'a' });
      await remove('gone', 5, now);
      await refresh();
      await beginRebuild(target, [changed]);
      expect(await put('moved', 5, { title: 'Emma', shelf: 3 })).toEqual([{ state: 'applied' }]);
      expect((await search(book, 'emma')).hits).toMatchObject([{ document: { shelf: 'a' } }]);
      expect(await indices(prefix)).toEqual([
        ['books-v1', [`${prefix}books`]],
        ['books-v2', [write]],
      ]);
      await finishRebuild({ ...target, refreshes: true }, [changed], signal);
      expect(await indices(prefix)).toEqual([['books-v2', aliases(prefix)]]);
      expect((await search(changed, 'emma')).hits).toMatchObject([{ document: { shelf: 3 } }]);
      expect(await put('gone', 4, { title: 'Late' })).toEqual([{ state: 'superseded' }]);
      expect(await held('gone')).toMatchObject([5, { sluiceRemovedAt: new Date(now).toISOString() }]);
      await ensureIndices(client, prefix, [changed]);
    });

    test('goes on where it was, and begins again where it was declared otherwise since', async () => {
      const { prefix, target, write } = await opened();
      await beginRebuild(target, [changed]);
      await beginRebuild(target, [changed]);
      expect((await indices(prefix)).map(([name]) => name)).toEqual(['books-v1', 'books-v2']);
      await beginRebuild(target, [withFields({ shelf: 'double' })]);
      expect(await indices(prefix)).toEqual([
        ['books-v1', [`${prefix}books`]],
        ['books-v3', [write]],
      ]);
    });
  });
}
