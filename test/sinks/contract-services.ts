/** The service behind each sink, as the contract's tests look at it and make it misbehave. */
import type { CachePort } from '../../src/sinks/cache/port.ts';
import { json, type Reply, type Seen, type ServiceProxy, towards } from './proxy.ts';
import type { openWorld } from './world.ts';

type World = Awaited<ReturnType<typeof openWorld>>;

/** What one call held: for each request a text that names its item, or the cache's key, and its bytes. */
type Call = { about: string[]; bytes: number };

export type Service = {
  /** What its refusals come to: for good, or to be tried again. */
  refusal: 'refused' | 'waiting';
  calls(): Call[];
  /** It refuses what is about these items, and takes the rest. */
  refuse(isRefused: (about: string) => boolean): void;
  /** It does not answer for the last of what it is asked. */
  omitLast(): void;
  /** It answers nothing. */
  fallSilent(): void;
  /** Nobody listens. */
  goAway(): void;
  /** All is well again, and nothing was asked. */
  calm(): void;
};

export function openServices(world: World) {
  const cache = watchedCache(world.cache);
  const rows = (table: string) => rowsService(world.proxies.dynamodb, table);
  const byName: Readonly<Record<string, Service>> = {
    search: searchService(world.proxies.search),
    cache: cache.service,
    audit: rows(world.config.SLUICE_AUDIT_TABLE),
    email: rows(world.config.SLUICE_OUTBOX_TABLE),
    bus: busService(world.proxies.bus),
  };
  return { byName, cache: cache.port };
}

type BulkItems = { items: unknown[] };

function searchService(proxy: ServiceProxy): Service {
  const idsIn = ({ body }: Seen) =>
    body
      .trim()
      .split('\n')
      .filter((_, index) => index % 2 === 0)
      .map((line): string => JSON.parse(line).index._id);
  const isBulk = ({ path }: Seen) => path.startsWith('/_bulk');
  const altered = (alter: (items: unknown[], ids: string[]) => unknown[]) => {
    proxy.conduct = (seen) =>
      isBulk(seen)
        ? {
            altered(reply) {
              const body: BulkItems = JSON.parse(reply.body);
              return json(200, { ...body, items: alter(body.items, idsIn(seen)) });
            },
          }
        : undefined;
  };
  const refusal = { index: { status: 400, error: { type: 'mapper_parsing_exception' } } };
  return {
    refusal: 'refused',
    calls: () => proxy.seen.filter(isBulk).map((seen) => ({ about: idsIn(seen), bytes: sizeOf(seen) })),
    refuse: (isRefused) =>
      altered((items, ids) => items.map((item, index) => (isRefused(ids[index] ?? '') ? refusal : item))),
    omitLast: () => altered((items) => items.slice(0, -1)),
    fallSilent() {
      proxy.conduct = () => json(200, {});
    },
    ...gone(proxy),
  };
}

type Put = { Put: { Item: Record<string, { S?: string }> } };

/** Audit trail and outbox: transactions of puts into a table of their own. What is parked goes into another. */
function rowsService(proxy: ServiceProxy, table: string): Service {
  const isPut = ({ operation, body }: Seen) =>
    operation === 'TransactWriteItems' && body.includes(`"${table}"`);
  const putsIn = ({ body }: Seen): Put[] => JSON.parse(body).TransactItems;
  const nameIn = ({ Put: { Item } }: Put) => Item.pk?.S ?? '';
  const cancelled = (CancellationReasons: unknown[]): Reply => ({
    status: 400,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify({ __type: 'TransactionCanceledException', CancellationReasons }),
  });
  return {
    refusal: 'refused',
    calls: () =>
      proxy.seen.filter(isPut).map((seen) => ({ about: putsIn(seen).map(nameIn), bytes: sizeOf(seen) })),
    refuse(isRefused) {
      proxy.conduct = (seen) => {
        const refused = isPut(seen) ? putsIn(seen).map((put) => isRefused(nameIn(put))) : [];
        const reasons = refused.map((is) => ({ Code: is ? 'ValidationError' : 'None' }));
        return refused.includes(true) ? cancelled(reasons) : undefined;
      };
    },
    omitLast() {
      // The others are said to be there already.
      const reasonFor = ({ Put: { Item } }: Put) => ({ Code: 'ConditionalCheckFailed', Item });
      proxy.conduct = (seen) =>
        isPut(seen) ? cancelled(putsIn(seen).slice(0, -1).map(reasonFor)) : undefined;
    },
    fallSilent() {
      proxy.conduct = towards(table, () => cancelled([]));
    },
    goAway() {
      proxy.conduct = towards(table, () => 'closed');
    },
    calm: proxy.calm,
  };
}

type Entries = { Entries: { Detail: string; DetailType: string; Source: string }[] };

function busService(proxy: ServiceProxy): Service {
  const entriesIn = ({ body }: Seen) => (JSON.parse(body) as Entries).Entries;
  const idIn = ({ Detail }: { Detail: string }): string => JSON.parse(Detail).meta.eventId;
  const sizeIn = ({ Source, DetailType, Detail }: Entries['Entries'][number]) =>
    Buffer.byteLength(Source + DetailType + Detail);
  const altered = (alter: (answers: unknown[], ids: string[]) => unknown[]) => {
    proxy.conduct = (seen) => ({
      altered(reply) {
        const { Entries }: { Entries: unknown[] } = JSON.parse(reply.body);
        return json(200, { Entries: alter(Entries, entriesIn(seen).map(idIn)) });
      },
    });
  };
  const refusal = { ErrorCode: 'MalformedDetail', ErrorMessage: 'no' };
  return {
    refusal: 'refused',
    calls: () =>
      proxy.seen.map((seen) => ({
        about: entriesIn(seen).map(idIn),
        bytes: entriesIn(seen).reduce((sum, entry) => sum + sizeIn(entry), 0),
      })),
    refuse: (isRefused) =>
      altered((answers, ids) => answers.map((one, index) => (isRefused(ids[index] ?? '') ? refusal : one))),
    omitLast: () => altered((answers) => answers.slice(0, -1)),
    fallSilent() {
      proxy.conduct = () => json(200, {});
    },
    ...gone(proxy),
  };
}

type Alter = (answers: (true | Error)[], keys: readonly string[]) => (true | Error)[];

/** The cache of these tests lies in memory: what stands in front of it is a port. */
function watchedCache(port: CachePort) {
  const calls: Call[] = [];
  const usual: Alter = (answers) => answers;
  let alter = usual;
  let isAway = false;
  const watched: CachePort = {
    ...port,
    async invalidate(keys) {
      calls.push({ about: [...keys], bytes: keys.join('').length });
      if (isAway) throw new Error('nobody listens');
      return alter(await port.invalidate(keys), keys);
    },
  };
  const service: Service = {
    refusal: 'waiting',
    calls: () => [...calls],
    refuse(isRefused) {
      alter = (answers, keys) =>
        answers.map((one, index) => (isRefused(keys[index] ?? '') ? new Error('no') : one));
    },
    omitLast() {
      alter = (answers) => answers.slice(0, -1);
    },
    fallSilent() {
      alter = () => [];
    },
    goAway() {
      isAway = true;
    },
    calm() {
      alter = usual;
      isAway = false;
      calls.length = 0;
    },
  };
  return { port: watched, service };
}

function gone(proxy: ServiceProxy) {
  return {
    goAway() {
      proxy.conduct = () => 'closed' as const;
    },
    calm: proxy.calm,
  };
}

function sizeOf({ body }: Seen): number {
  return Buffer.byteLength(body);
}
