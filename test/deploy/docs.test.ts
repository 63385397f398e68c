/** What the guide says of the stack is so. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/processes.ts';

const guide = readFileSync(join(root, 'docs/deploying.md'), 'utf8');
const fragments = [
  'serverless.yml',
  'deploy/functions.yml',
  'deploy/resources/stores.yml',
  'deploy/resources/events.yml',
  'deploy/resources/mail.yml',
];
const stack = fragments.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');

test('the deployer’s rights are JSON, and name every service that the stack has things of', () => {
  const [, json = '[]'] = /```json\n([\s\S]*?)```/.exec(guide) ?? [];
  const services = new Set((JSON.parse(json) as string[]).map((right) => right.split(':')[0]));
  const prefixes: Record<string, string> = { ApiGatewayV2: 'apigateway', CloudWatch: 'cloudwatch' };
  const derived = [
    'DynamoDB',
    'IAM',
    'CloudWatch',
    'SNS',
    'Lambda',
    'Logs',
    'ApiGatewayV2',
    'CloudFormation',
  ];
  const types = [...stack.matchAll(/AWS::(\w+)::\w+/g)].map(([, service = '']) => service);
  for (const service of [...types, ...derived])
    if (service !== 'AccountId')
      expect(services, service).toContain(prefixes[service] ?? service.toLowerCase());
});

test('every file that it names is there', () => {
  const named = [...guide.matchAll(/`((?:deploy|src|serverless)[\w./-]*)`/g)].map(([, file = '']) => file);
  expect(named.length).toBeGreaterThan(4);
  for (const file of named) expect(existsSync(join(root, file)), file).toBe(true);
});

test('no fragment holds an account, a key or an address of anybody', () => {
  const settings = readFileSync(join(root, 'deploy/settings.yml'), 'utf8');
  expect(`${stack}${settings}`).not.toMatch(/\b\d{12}\b|AKIA[A-Z0-9]{12}/);
  const addresses = [...`${stack}${settings}`.matchAll(/[\w.]+@[\w.]+/g)].map(([address]) => address);
  expect(addresses.every((address) => address.endsWith('@example.com'))).toBe(true);
});
