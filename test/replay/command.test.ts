/** `sluice replay`, as it is typed. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { replayFiles } from '../../src/ops/replay.ts';
import { ada, customerAt, history, lamp, nameOf, orderAt, productAt, purchase } from '../sinks/items.ts';
import { openWorld } from '../sinks/world.ts';
import { copyOfProject } from '../support/project.ts';
import { recordOf } from '../support/records.ts';

const world = await openWorld();
const root = new URL('../..', import.meta.url).pathname;
const recorded = (name: string) => join(root, 'events/recorded', `${name}.json`);
const folder = mkdtempSync(join(tmpdir(), 'sluice-replay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

type Ended = { status: number; out: string[]; told: string[] };

const asConfigured = () => ({
  ...process.env,
  SLUICE_SEARCH_ENDPOINT: world.proxies.search.url,
  SLUICE_CACHE_ENDPOINT: 'memory:',
  SLUICE_LOG_LEVEL: 'error',
});

function replay(...args: string[]): Promise<Ended> {
  return replayIn(root, ...args);
}

/** As it is typed in the project, or in a copy of it. */
function replayIn(project: string, ...args: string[]): Promise<Ended> {
  const lines = (text: string) => text.split('\n').filter((line) => line !== '');
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(project, 'bin/sluice.js'), 'replay', ...args],
      { env: asConfigured() },
      (error, out, told) => resolve({ status: Number(error?.code ?? 0), out: lines(out), told: lines(told) }),
    );
  });
}

test('without --send it says of each record what would happen, and sends nothing', async () => {
  const { status, out } = await replay(recorded('order-placed'), recorded('unknown-item'));
  expect(status).toBe(0);
  expect(out.join('\n')).toMatch(
    /0 \+ Order\/USER#ada\/ORDER#\S+ {2}search document · cache order:\S+, \S+ · audit insert · email orderConfirmation · bus OrderPlaced/,
  );
  expect(out.join('\n')).toContain('ignored: no entity has _type missing or such a key');
  expect(out.at(-2)).toBe(
    '6 records (5 change, 1 ignored) would write: search 5, cache 10, audit 5, email 1, bus 3.',
  );
  expect(out.at(-1)).toBe('Nothing was sent.');
  for (const { seen } of Object.values(world.proxies)) expect(seen).toEqual([]);
});

describe('--json', () => {
  const kinds = {
    a_change: recordOf({ after: productAt(1, lamp('p1')) }),
    an_expiry: recordOf(
      { before: productAt(1, lamp('p1')) },
      { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } },
    ),
    no_change: recordOf({ before: productAt(1, lamp('p1')), after: productAt(1, lamp('p1')) }),
    a_stranger: recordOf({ after: { pk: 'X#1', sk: 'X#1' } }),
    a_misfit: recordOf({
      before: productAt(1, lamp('p1')),
      after: productAt(2, lamp('p1', { price: 'much' })),
    }),
    nothing: { eventSource: 'aws:dynamodb' },
  };

  test('is one line for each record, of one form', async () => {
    const file = fileOf('kinds.json', { Records: Object.values(kinds) });
    const { status, out } = await replay('--json', file);
    expect(status).toBe(0);
    const lines = out.map((line) => JSON.parse(line));
    const members = [
      'file',
      'record',
      'verdict',
      'kind',
      'expired',
      'entity',
      'id',
      'version',
      'exact',
      'reason',
      'plans',
    ];
    for (const [index, line] of lines.entries()) {
      expect(Object.keys(line)).toEqual(members);
      expect(line).toMatchObject({ file, record: index });
      expect(Object.keys(line.plans)).toEqual(['search', 'cache', 'audit', 'email', 'bus']);
    }
    const [change, expiry, unchanged, stranger, misfit, nothing] = lines;
    const name = nameOf(productAt(1, lamp('p1')));
    expect(change).toMatchObject({
      verdict: 'change',
      kind: 'insert',
      expired: false,
      entity: 'Product',
      exact: true,
      reason: null,
    });
    expect(change.id).toBe(`${name}/${change.version}`);
    expect(change.plans.search).toMatchObject([{ kind: 'document', id: name, version: change.version }]);
    expect(change.plans.cache).toContain('product:p1');
    expect(change.plans.audit).toMatchObject([{ pk: name, diff: { price: { after: 20 } } }]);
    expect(change.plans.bus).toMatchObject([{ name: 'ProductAdded', meta: { replay: false } }]);
    expect(expiry).toMatchObject({
      verdict: 'change',
      kind: 'remove',
      expired: true,
      exact: false,
      reason: 'removed by its time to live',
    });
    expect(unchanged).toMatchObject({ verdict: 'unchanged', plans: { search: [], audit: [] } });
    expect(stranger).toMatchObject({ verdict: 'ignored', kind: null, entity: null, id: null, version: null });
    expect(misfit).toMatchObject({
      verdict: 'parked',
      kind: 'modify',
      entity: 'Product',
      plans: { search: [], bus: [] },
    });
    expect(misfit.reason).toContain('price');
    expect(misfit.plans.audit).toHaveLength(1);
    expect(nothing).toMatchObject({ verdict: 'parked', kind: null, entity: null });
  });
});

describe('what is no batch', () => {
  const foreign: [string, unknown, string][] = [
    ['an SQS event', { Records: [{ messageId: '1', eventSource: 'aws:sqs', body: '{}' }] }, 'an SQS event'],
    ['a scheduled event', { source: 'aws.events', 'detail-type': 'Scheduled Event' }, 'a scheduled event'],
    [
      'a failed batch’s message',
      { requestContext: {}, DDBStreamBatchInfo: {} },
      'the metadata message of a failed batch',
    ],
    [
      'truncated JSON',
      JSON.stringify({ Records: [recordOf({ after: productAt(1, lamp('p1')) })] }).slice(0, 300),
      'truncated JSON',
    ],
    ['JSON cut after a value', '{"Records":[]', 'truncated JSON'],
    ['no JSON', 'Records: all', 'no JSON'],
    ['nothing', '', 'It is empty'],
    [
      'an object with names that nobody knows',
      { 'ada@example.com': 1, Records: 'none', other: 2 },
      'it looks like an object with "Records", 2 other members.',
    ],
    ['an object with one such name', { 'ada@example.com': 1 }, 'it looks like an object with 1 member.'],
    [
      'an event of a source that nobody knows',
      { Records: [{ eventSource: 'ada@example.com' }] },
      'it looks like an event of another source.',
    ],
    ['a number', '7', 'a number'],
  ];

  test.each(foreign)('%s is named in one line, with status 2', async (_what, content, name) => {
    const file = fileOf('foreign.json', content);
    const { status, out, told } = await replay(file);
    expect({ status, out }).toEqual({ status: 2, out: [] });
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(`${file}: `);
    expect(told[0]).toContain(name);
    expect(told[0]).not.toContain('ada@');
  });

  test('a file that is not there is named; the others are shown all the same', async () => {
    const { status, out, told } = await replay(join(folder, 'none.json'), recorded('order-paid'));
    expect(status).toBe(2);
    expect(told).toEqual([expect.stringContaining('none.json')]);
    expect(out.join()).toContain('OrderPaid');
  });
});

describe('what else holds recorded changes', () => {
  const record = recordOf({ after: productAt(1, lamp('p1')) });
  const kinesis = {
    eventSource: 'aws:kinesis',
    kinesis: { sequenceNumber: '1', data: Buffer.from(JSON.stringify(record)).toString('base64') },
  };
  const batch = { Records: [record] };
  test.each<[string, unknown]>([
    ['a bare record', record],
    ['a list of records', [record]],
    ['a list of batches', [batch]],
    ['a batch of Kinesis', { Records: [kinesis] }],
    ['a record of Kinesis', kinesis],
    ['one record on each line', `${JSON.stringify(record)}\n${JSON.stringify({ Records: [] })}\n`],
    ['a file with a byte order mark', `\uFEFF${JSON.stringify(batch)}`],
    [
      'what an on-failure destination in S3 holds',
      { requestContext: {}, DDBStreamBatchInfo: {}, payload: JSON.stringify(batch) },
    ],
  ])('%s', async (_what, content) => {
    const { status, out } = await replay('--json', fileOf('other.json', content));
    expect(status).toBe(0);
    expect(out.map((line) => JSON.parse(line))).toMatchObject([
      { verdict: 'change', entity: 'Product', kind: 'insert' },
    ]);
  });
});

describe('--send', () => {
  const [order, customer] = [purchase('replayed'), ada('replayed')];
  const batch = {
    Records: [...history(undefined, orderAt(1, order)), ...history(undefined, customerAt(1, customer))],
  };

  test('without a run or --aws it asks where to', async () => {
    // A run of this project may be going: it is somebody's own.
    const copy = copyOfProject(join(folder, 'project'));
    const { status, told } = await replayIn(copy, '--send', fileOf('sent.json', batch));
    expect(status).toBe(1);
    expect(told.join()).toMatch(/No local run is going.*--aws/);
  });

  test('delivers to search, cache and audit trail, and to no act', async () => {
    const { status, out } = await replay('--send', '--aws', fileOf('sent.json', batch));
    expect(status).toBe(0);
    expect(out.join('\n')).toMatch(/would write.*This goes to .*Sent:.*search +2 applied/s);
    expect(await world.document('customers', nameOf(customerAt(1, customer)))).toBeDefined();
    expect(await world.auditRows(orderAt(1, order))).toHaveLength(1);
    expect(await world.outboxRows(nameOf(orderAt(1, order)))).toEqual([]);
    expect(world.bus.events()).toEqual([]);
  });

  test('with --acts mails and events go as well, marked as a replay, and never a second mail', async () => {
    const file = fileOf('sent.json', batch);
    for (let time = 0; time < 2; time++)
      expect((await replay('--send', '--acts', '--aws', file)).status).toBe(0);
    expect(await world.outboxRows(nameOf(orderAt(1, order)))).toMatchObject([
      { email: 'orderConfirmation', replay: true },
    ]);
    const published = world.bus.events().map(({ detail }) => detail.meta);
    expect(published).toHaveLength(4);
    for (const meta of published) expect(meta).toMatchObject({ replay: true, late: true });
  });

  test.each([
    [true, 1],
    [false, 0],
  ])('whoever is asked before --acts (%j) and says no has sent nothing', async (acts, status) => {
    const said: string[] = [];
    const asked: string[] = [];
    const options = { json: false, send: true, acts, aws: true, environment: asConfigured() };
    const refusing = {
      say: (line: string) => void said.push(line),
      complain: (line: string) => void said.push(line),
      ask: async (question: string) => asked.push(question) === 0,
    };
    const file = fileOf('asked.json', batch);
    expect(await replayFiles(world.app, [file], { ...options, ...refusing })).toBe(status);
    expect(asked).toEqual(acts ? [expect.stringContaining('marked as a replay')] : []);
    expect(said.at(-1) === 'Nothing was sent.').toBe(acts);
    const seen = Object.values(world.proxies).flatMap((one) => one.seen);
    expect(seen.length > 0).toBe(!acts);
  });

  test('what is not taken is told, and the status says so', async () => {
    world.proxies.search.conduct = () => ({ status: 503, body: '{}' });
    const { status, out } = await replay('--send', '--aws', fileOf('sent.json', batch));
    expect(status).toBe(1);
    expect(out.join('\n')).toMatch(/! search: Customer/);
  });
});
