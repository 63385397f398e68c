import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readConfig, variables } from '../src/config.ts';

test('without any variable everything has its default, and what has an endpoint is off', () => {
  const config = readConfig({});
  expect(config.SLUICE_TABLE).toBe('sluice-shop');
  expect(config.SLUICE_SEARCH_ENDPOINT).toBeUndefined();
  expect(config.SLUICE_CACHE_ENDPOINT).toBeUndefined();
});

test.each([
  ['SLUICE_TABLE', 'a table', 'shop-table'],
  ['SLUICE_SENDER', 'nobody', 'shop@example.com'],
  ['SLUICE_SENDER', 'a@example.com, b@example.com', 'shop@example.com'],
  ['SLUICE_SEARCH_ENDPOINT', 'localhost:9200', 'https://search.example.com'],
  ['SLUICE_CACHE_ENDPOINT', 'http://localhost', 'redis://127.0.0.1:6379'],
])('a wrong %s is named with an example, and its value %s is not shown', (name, value, example) => {
  const attempt = () => readConfig({ [name]: value });
  expect(attempt).toThrow(`${name} must be `);
  expect(attempt).toThrow(`for example ${example}`);
  expect(attempt).not.toThrow(value);
});

test('a misspelt variable is an error, since it would be ignored', () => {
  expect(() => readConfig({ SLUICE_TABEL: 'orders' })).toThrow('SLUICE_TABEL is no variable of Sluice');
});

test('all that is wrong is said at once', () => {
  const attempt = () => readConfig({ SLUICE_SENDER: 'nobody', SLUICE_BUS: '!' });
  expect(attempt).toThrow(/SLUICE_SENDER[\s\S]*SLUICE_BUS|SLUICE_BUS[\s\S]*SLUICE_SENDER/);
});

test('every example is of the form that it shows', () => {
  for (const [name, { example, read }] of Object.entries(variables))
    expect(read(example), name).toBe(example);
});

test('an empty variable counts as unset', () => {
  expect(readConfig({ SLUICE_TABLE: '' }).SLUICE_TABLE).toBe('sluice-shop');
});

test('the table of variables in the README says what the list says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  for (const [name, variable] of Object.entries(variables)) {
    const byDefault = 'default' in variable && variable.default !== '' ? `\`${variable.default}\`` : '';
    expect(readme).toContain(`| \`${name}\` | ${variable.expected} | ${byDefault} | ${variable.meaning} |`);
  }
});

test('two tables of one name are refused: each holds one kind of row', () => {
  const attempt = () => readConfig({ SLUICE_TABLE: 'one-table', SLUICE_AUDIT_TABLE: 'one-table' });
  expect(attempt).toThrow('SLUICE_AUDIT_TABLE and SLUICE_TABLE name one table');
});

test.each([
  ['SLUICE_SEARCH_PREFIX', 'x:'],
  ['SLUICE_SEARCH_PREFIX', '-'],
  ['SLUICE_EVENT_SOURCE', 'aws.shop'],
])('what the service would refuse is refused here: %s=%s', (name, value) => {
  expect(() => readConfig({ [name]: value })).toThrow(`${name} must be `);
});
