import type { DynamoDBRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { app as shopApp } from '../../src/app.ts';
import {
  anonymise as anonymiseBy,
  hashStandIn as hashBy,
  standIn as standInBy,
} from '../../src/ops/record/anonymise.ts';
import { kindsOf } from '../../src/ops/record/kinds.ts';
import { decodeImage, type Image } from '../../src/table/attributes.ts';
import { decoder } from '../../src/table/decode.ts';
import { defineEntity, type Entity, type Fields } from '../../src/table/entity.ts';
import { defineTable } from '../../src/table/table.ts';
import { inputHash } from '../../src/table/write/stamps.ts';
import { recordOf } from '../support/records.ts';

const secret = 'of this test';
const anonymise = (records: DynamoDBRecord[], parts: Parameters<typeof anonymiseBy>[1]) =>
  anonymiseBy(records, parts, secret);
const standIn = (value: string) => standInBy(value, secret);
const hashStandIn = (value: string) => hashBy(value, secret);

const version = 1_800_000_000_000_000;
const stamps = (name: string, at = version) => ({ _type: name, version: at, _born: version, _request: 'r1' });

const ada = {
  ...stamps('Customer'),
  pk: 'USER#ada',
  sk: 'PROFILE',
  gsi1pk: 'EMAIL#ada@somewhere.org',
  gsi1sk: 'USER#ada',
  userId: 'ada',
  name: 'Ada Ayoub',
  email: 'ada@somewhere.org',
  marketing: true,
  createdAt: '2027-01-15T08:00:00.000Z',
  updatedAt: '2027-01-15T08:00:00.000Z',
};
const tombstone = (fields: Fields) => ({
  pk: fields.pk,
  sk: fields.sk,
  _type: fields._type,
  version: version + 1,
  _removed: '2027-01-15T08:00:00.000Z',
  _request: 'r2',
});

const order = {
  ...stamps('Order'),
  pk: 'USER#ada',
  sk: 'ORDER#o1',
  orderId: 'o1',
  userId: 'ada',
  email: 'ada@somewhere.org',
  status: 'pending',
  items: [{ productId: 'tea', name: 'Tea', quantity: 1, price: 2 }],
  total: 2,
  currency: 'EUR',
  createdAt: '2027-01-15T08:00:00.000Z',
};

const after = (record: DynamoDBRecord | undefined) => decodeImage(record?.dynamodb?.NewImage as Image);
const before = (record: DynamoDBRecord | undefined) => decodeImage(record?.dynamodb?.OldImage as Image);

test('the same value has the same stand-in, another value another; an email stays one', () => {
  expect(standIn('ada@somewhere.org')).toBe(standIn('ada@somewhere.org'));
  expect(standIn('ada@somewhere.org')).toMatch(/^email-[0-9a-f]{10}@example\.com$/);
  expect(standIn('Ada Ayoub')).toMatch(/^name-[0-9a-f]{10}$/);
  expect(standIn('Ada Ayoub')).not.toBe(standIn('Ada Ayoub '));
});

test('each recording has stand-ins of its own, made with a secret that nobody keeps', () => {
  const phone = { ...eve, phone: 4_917_612_345, portrait: new Uint8Array([1, 2, 3]) };
  const made = [1, 2].map(() => after(anonymiseBy([recordOf({ after: phone })], club).records[0]));
  for (const name of ['email', 'pk', 'phone', 'portrait', 'gsi1pk'])
    expect(made[0]?.[name]).not.toEqual(made[1]?.[name]);
});

test('a personal value is replaced within longer texts, in why and by whom as well', () => {
  const noted = {
    ...order,
    note: 'Call Ada Ayoub, ada@somewhere.org; she asked for Al',
    _reason: 'Ada Ayoub called',
    _actor: 'clerk:ada@somewhere.org',
    _request: 'import/ada@somewhere.org/1',
  };
  const records = [noted, ada, { ...ada, name: 'Al', email: 'al@somewhere.org' }];
  const found = anonymise(
    records.map((one) => recordOf({ after: one })),
    shopApp,
  );
  expect(found.leftOut).toBe(0);
  const [name, email] = [standIn('Ada Ayoub'), standIn('ada@somewhere.org')];
  expect(after(found.records[0])).toMatchObject({
    // Two characters stand in too many texts by chance.
    note: `Call ${name}, ${email}; she asked for Al`,
    _reason: `${name} called`,
    _actor: `clerk:${email}`,
    _request: `import/${email}/1`,
  });
});

test('of two values that begin alike the longer one is replaced whole', () => {
  const names = [
    { ...ada, name: 'Ada' },
    { ...ada, name: 'Ada Ayoub' },
    { ...order, note: 'For Ada Ayoub' },
  ];
  const { records } = anonymise(
    names.map((one) => recordOf({ after: one })),
    shopApp,
  );
  expect(after(records[2])).toMatchObject({ note: `For ${standIn('Ada Ayoub')}` });
});

test('hashes of what was asked for are replaced too: whoever guesses the input could tell', () => {
  const hash = inputHash({ ...ada });
  const marked = { ...ada, _hash: hash, _created: hash, _requests: [`r1#${hash.slice(0, 12)}`, 'r0#abc'] };
  const { records, leftOut } = anonymise([recordOf({ after: marked })], shopApp);
  expect(leftOut).toBe(0);
  const shown = after(records[0]);
  expect(JSON.stringify(shown)).not.toContain(hash.slice(0, 12));
  expect(shown).toMatchObject({
    _hash: hashStandIn(hash),
    _created: hashStandIn(hash),
    _requests: [`r1#${hashStandIn(hash).slice(0, 12)}`, `r0#${hashStandIn('abc')}`],
  });
  expect(hashStandIn(hash)).toHaveLength(hash.length);
});

test('a schema that throws loses nothing but its own records', () => {
  const throwing = {
    ...shopApp,
    decode(record: Parameters<typeof shopApp.decode>[0]) {
      if (JSON.stringify(record.dynamodb?.Keys).includes('PROFILE')) return shopApp.decode(record);
      throw new Error('a schema of somebody else');
    },
  };
  const recorded = [recordOf({ after: order }), recordOf({ after: ada })];
  const { records, leftOut } = anonymise(recorded, throwing);
  expect(records).toHaveLength(1);
  expect(leftOut).toBe(1);
  expect(kindsOf(recorded, throwing.decode)).toBe('1 undecodable, 1 Customer insert');
});

test('personal fields and the index keys made of them are replaced, in both images; all else stays', () => {
  const changed = {
    ...ada,
    email: 'new@somewhere.org',
    gsi1pk: 'EMAIL#new@somewhere.org',
    version: version + 1,
  };
  const given = recordOf({ before: ada, after: changed });
  const { records, leftOut } = anonymise([given], shopApp);
  expect(leftOut).toBe(0);
  expect(before(records[0])).toEqual({
    ...ada,
    name: standIn('Ada Ayoub'),
    email: standIn('ada@somewhere.org'),
    gsi1pk: `EMAIL#${standIn('ada@somewhere.org')}`,
  });
  expect(after(records[0])).toMatchObject({
    email: standIn('new@somewhere.org'),
    gsi1pk: `EMAIL#${standIn('new@somewhere.org')}`,
  });
  expect({ ...records[0], dynamodb: undefined }).toEqual({ ...given, dynamodb: undefined });
  expect(records[0]?.dynamodb?.Keys).toEqual(given.dynamodb?.Keys);
});

test('a value that is personal in one record is replaced in all, nested and in sets too, and as the name of a map', () => {
  const noted = {
    ...order,
    _actor: 'ada@somewhere.org',
    sharedWith: { 'Ada Ayoub': ['ada@somewhere.org', new Set(['Ada Ayoub', 'Tea'])] },
  };
  const { records } = anonymise([recordOf({ after: noted }), recordOf({ after: ada })], shopApp);
  expect(after(records[0])).toMatchObject({
    _actor: standIn('ada@somewhere.org'),
    email: standIn('ada@somewhere.org'),
    sharedWith: {
      [standIn('Ada Ayoub')]: [standIn('ada@somewhere.org'), new Set([standIn('Ada Ayoub'), 'Tea'])],
    },
    items: [{ name: 'Tea' }],
  });
});

test('what cannot be decoded is left out and counted: nobody knows what is personal in it', () => {
  const poison = recordOf({ after: { ...ada, marketing: 'perhaps' } });
  const foreign = recordOf({ after: { pk: 'SESSION#1', sk: 'x', mail: 'ada@somewhere.org' } });
  const { records, leftOut } = anonymise([poison, recordOf({ after: ada }), foreign], shopApp);
  expect(records).toHaveLength(1);
  expect(leftOut).toBe(2);
});

test('a name that is also a word of the schema cannot make poison', () => {
  const { records, leftOut } = anonymise(
    [recordOf({ after: { ...ada, name: 'pending' } }), recordOf({ after: order })],
    shopApp,
  );
  expect(records.map((record) => after(record)._type)).toEqual(['Customer']);
  expect(leftOut).toBe(1);
  const named = anonymise([recordOf({ after: { ...ada, name: 'Customer' } })], shopApp);
  expect(after(named.records[0])).toMatchObject({ _type: 'Customer', name: standIn('Customer') });
});

const table = defineTable({
  pk: 'pk',
  sk: 'sk',
  type: '_type',
  version: 'version',
  indexes: { gsi1: { pk: 'gsi1pk', sk: 'gsi1sk' } },
});
const member = defineEntity({
  name: 'Member',
  schema: z.object({
    email: z.string(),
    club: z.string(),
    phone: z.optional(z.number()),
    portrait: z.optional(z.custom<Uint8Array>()),
    address: z.optional(z.object({ street: z.string(), number: z.number() })),
    smokes: z.optional(z.boolean()),
    aliases: z.optional(z.set(z.string())),
  }),
  key: { pk: 'CLUB#{club}#MEMBER#{email}', sk: '{email}', from: 'natural' },
  indexes: { gsi1: { pk: 'MAIL#{email}', sk: '{club}' } },
  personal: ['email', 'phone', 'portrait', 'address', 'smokes', 'aliases'],
});
const entities = [member] as unknown as Entity[];
const club = { table, entities, decode: decoder(table, entities) };

const eve = {
  ...stamps('Member'),
  pk: 'CLUB#chess#MEMBER#eve@somewhere.org',
  sk: 'eve@somewhere.org',
  gsi1pk: 'MAIL#eve@somewhere.org',
  gsi1sk: 'chess',
  email: 'eve@somewhere.org',
  club: 'chess',
};

test('a primary key made of a personal field is made again, also that of a tombstone, which has no fields', () => {
  const made = recordOf({ after: eve });
  const removed = recordOf({ before: eve, after: tombstone(eve) });
  const expired = recordOf({ before: tombstone(eve) });
  const { records, leftOut } = anonymise([made, removed, expired], club);
  expect(leftOut).toBe(0);
  const email = standIn('eve@somewhere.org');
  const Keys = { pk: { S: `CLUB#chess#MEMBER#${email}` }, sk: { S: email } };
  expect(records.map(({ dynamodb }) => dynamodb?.Keys)).toEqual([Keys, Keys, Keys]);
  expect(JSON.stringify(records)).not.toContain('somewhere.org');
  expect(after(records[0])).toMatchObject({ gsi1pk: `MAIL#${email}`, gsi1sk: 'chess' });
});

test('a tombstone alone is enough to know what is personal in its key', () => {
  const { records } = anonymise([recordOf({ before: tombstone(eve) })], club);
  expect(JSON.stringify(records)).not.toContain('somewhere.org');
});

test('what is personal and no text says nothing any more, and keeps its type', () => {
  const whole = {
    ...eve,
    phone: 4_917_612_345,
    portrait: new Uint8Array([1, 2, 3]),
    address: { street: 'Long Lane', number: 17 },
    smokes: true,
    aliases: new Set(['Evie', 'Eva']),
  };
  const { records, leftOut } = anonymise([recordOf({ after: whole })], club);
  expect(leftOut).toBe(0);
  const shown = after(records[0]);
  expect(shown.phone).not.toBe(whole.phone);
  expect(String(shown.phone)).toMatch(/^\d{10}$/);
  expect(shown.portrait).not.toEqual(whole.portrait);
  expect(shown.portrait).toHaveLength(3);
  expect(shown.address).toMatchObject({ street: standIn('Long Lane') });
  expect(shown.smokes).toBe(false);
  expect(shown.aliases).toEqual(new Set([standIn('Evie'), standIn('Eva')]));
});

test('what it is given is not changed, and nothing but the value makes a stand-in', () => {
  const given = recordOf({ after: ada });
  const copy = structuredClone(given);
  const first = anonymise([given], shopApp).records[0];
  const second = anonymise([recordOf({ after: order }), given], shopApp).records[1];
  expect(given).toEqual(copy);
  expect(second).toEqual(first);
});
