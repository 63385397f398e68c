/** A choice that cannot work is refused before anything is deployed, and says why. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { checkNames, checkSettings, type Settings } from '../../src/stack/settings.ts';
import { summaryLines, summaryOf } from '../../src/stack/summary.ts';
import { root } from '../support/processes.ts';

const settings: Settings = {
  name: 'sluice-dev',
  sender: 'shop@example.com',
  mailPerSecond: '10',
  alarmEmail: '',
  table: '',
  stream: '',
  searchEndpoint: '',
  searchSecret: '',
  searchArn: '',
  cacheEndpoint: '',
  cacheSecret: '',
  subnets: '',
  securityGroup: '',
  kmsKey: '',
  capacityMode: 'PAY_PER_REQUEST',
  capacityUnits: '5',
  keepData: 'true',
};

const domain = 'arn:aws:es:eu-central-1:123456789012:domain/shop';
const signed = { searchEndpoint: 'https://search.example.com', searchArn: domain };

test('the file as it comes names every choice, and is accepted', () => {
  const text = readFileSync(join(root, 'deploy/settings.yml'), 'utf8');
  const names = [...text.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name);
  const known = Object.keys(settings).filter((name) => name !== 'name');
  expect(new Set(names)).toEqual(new Set([...known, 'region']));
  expect(checkSettings(settings)).toEqual(settings);
});

test.each<[Partial<Settings>, string]>([
  [{ name: 'sluice-Staging' }, 'service and stage must be lower-case'],
  [{ name: `sluice-${'long'.repeat(9)}` }, '39 letters at most'],
  [{ table: 'shop-table' }, 'table and stream go together'],
  [{ subnets: 'subnet-1' }, 'subnets and securityGroup go together'],
  [{ searchSecret: 'shop/search' }, 'searchSecret is named without searchEndpoint'],
  [{ searchArn: domain }, 'searchArn is named without searchEndpoint'],
  [{ ...signed, searchSecret: 'shop/search' }, 'searchArn and searchSecret exclude each other'],
  [{ ...signed, searchArn: 'arn:aws:s3:::shop' }, 'searchArn must be the ARN of an OpenSearch domain'],
  [{ cacheEndpoint: 'rediss://:hush@cache.example.com' }, 'cacheEndpoint holds a password'],
  [{ searchEndpoint: 'https://sluice:hush@search.example.com' }, 'searchEndpoint holds a password'],
  [
    { searchEndpoint: 'search.example.com' },
    'deploy/settings.yml: searchEndpoint must be an http or https URL',
  ],
  [{ sender: 'nobody' }, 'sender must be one email address'],
  [{ mailPerSecond: '0' }, 'mailPerSecond must be'],
  [{ capacityMode: 'CHEAP' }, 'capacityMode must be PAY_PER_REQUEST or PROVISIONED'],
  [{ capacityUnits: '-1' }, 'capacityUnits must be a whole number from 1'],
  [{ keepData: 'yes' }, 'keepData must be true or false'],
])('%j', (choice, message) => {
  const attempt = () => checkSettings({ ...settings, ...choice });
  expect(attempt).toThrow(message);
  expect(attempt).not.toThrow('hush');
});

test('a misspelt name is told, with those that there are', () => {
  const attempt = () => checkNames(['sender', 'searchEndpoit'], ['sender', 'searchEndpoint']);
  expect(attempt).toThrow('there is no setting searchEndpoit. There are sender, searchEndpoint.');
  expect(() => checkNames(['sender'], ['sender', 'searchEndpoint'])).not.toThrow();
});

test('after a deployment it is said on the terminal', async () => {
  const { default: Plugin } = await import(pathToFileURL(join(root, 'deploy/plugin.js')).href);
  const said: string[] = [];
  const serverless = { service: { custom: { summary: summaryLines(summaryOf(settings)) } } };
  const { hooks } = new Plugin(serverless, {}, { log: { notice: (line: string) => said.push(line) } });
  hooks['after:deploy:deploy']();
  expect(said[0]).toBe('On:');
  expect(said).toEqual(serverless.service.custom.summary);
});

test('what is off is said with the way to turn it on, and nothing of it once it is on', () => {
  const off = summaryLines(summaryOf(settings));
  expect(off).toContain('Off:');
  expect(off.join('\n')).toMatch(/search: name searchEndpoint .*backfill/);
  const on = { ...settings, searchEndpoint: 'https://search.example.com', cacheEndpoint: 'rediss://c:6379' };
  expect(summaryLines(summaryOf(on))).not.toContain('Off:');
});
