/** What a user has chosen in `deploy/settings.yml`, checked before anything is made of it. */
import { readConfig } from '../config.ts';
import type { Switched } from './rights.ts';

/** An empty text means: none. */
export type Settings = {
  /** Of the stack: its things are called after it. */
  name: string;
  sender: string;
  mailPerSecond: string;
  alarmEmail: string;
  table: string;
  stream: string;
  searchEndpoint: string;
  searchSecret: string;
  /** Of the domain or collection, where requests are signed. */
  searchArn: string;
  cacheEndpoint: string;
  cacheSecret: string;
  /** Separated by commas. */
  subnets: string;
  securityGroup: string;
  kmsKey: string;
  capacityMode: string;
  capacityUnits: string;
  keepData: string;
};

/** Throws for what would only be found out after the deployment. */
export function checkSettings(settings: Settings): Settings {
  const { name, capacityUnits } = settings;
  const problems = [
    ...must(
      /^[a-z][a-z0-9-]{1,39}$/.test(name),
      'service and stage must be lower-case and 39 letters at most.',
    ),
    ...must(/^[1-9]\d{0,5}$/.test(capacityUnits), 'capacityUnits must be a whole number from 1.'),
    ...together(settings, 'table', 'stream'),
    ...together(settings, 'subnets', 'securityGroup'),
    ...onlyWith(settings, 'searchSecret', 'searchEndpoint'),
    ...onlyWith(settings, 'searchArn', 'searchEndpoint'),
    ...signable(settings),
    ...onlyWith(settings, 'cacheSecret', 'cacheEndpoint'),
    ...withoutPassword(settings, 'searchEndpoint'),
    ...withoutPassword(settings, 'cacheEndpoint'),
    ...oneOf(settings, 'capacityMode', 'PAY_PER_REQUEST', 'PROVISIONED'),
    ...oneOf(settings, 'keepData', 'true', 'false'),
  ];
  if (problems.length > 0)
    throw new Error(problems.map((problem) => `deploy/settings.yml: ${problem}`).join('\n'));
  readAsFunctions(settings);
  return settings;
}

/** A name that is none would be passed over, and its sink stay off. */
export function checkNames(names: readonly string[], known: readonly string[]): void {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(
      `deploy/settings.yml: there is no setting ${unknown.join(', ')}. There are ${known.join(', ')}.`,
    );
}

const variables = {
  SLUICE_TABLE: 'table',
  SLUICE_SENDER: 'sender',
  SLUICE_MAIL_PER_SECOND: 'mailPerSecond',
  SLUICE_SEARCH_ENDPOINT: 'searchEndpoint',
  SLUICE_SEARCH_SECRET: 'searchSecret',
  SLUICE_CACHE_ENDPOINT: 'cacheEndpoint',
  SLUICE_CACHE_SECRET: 'cacheSecret',
} as const;

/** What the functions will read is read as they will read it; what is wrong is named as it was written. */
function readAsFunctions(settings: Settings): void {
  const names = Object.entries(variables);
  try {
    readConfig(Object.fromEntries(names.map(([variable, name]) => [variable, settings[name]])));
  } catch (error) {
    const told = (error as Error).message;
    const named = names.reduce(
      (text, [variable, name]) => text.replaceAll(new RegExp(`\\b${variable}\\b`, 'g'), name),
      told,
    );
    throw new Error(`deploy/settings.yml: ${named}`);
  }
}

/** How requests to OpenSearch are signed: the ARN says what it is. */
export function signingOf({ searchArn }: Settings): 'none' | 'es' | 'aoss' {
  const service = searchArn.split(':')[2];
  return service === 'es' || service === 'aoss' ? service : 'none';
}

export function switchedOn(settings: Settings): Switched {
  return {
    search: settings.searchEndpoint !== '',
    cache: settings.cacheEndpoint !== '',
    searchSecret: settings.searchSecret !== '',
    cacheSecret: settings.cacheSecret !== '',
  };
}

type Name = keyof Settings;

function must(holds: boolean, rule: string): string[] {
  return holds ? [] : [rule];
}

function together(settings: Settings, one: Name, other: Name): string[] {
  return must((settings[one] === '') === (settings[other] === ''), `${one} and ${other} go together.`);
}

function onlyWith(settings: Settings, one: Name, other: Name): string[] {
  return must(settings[one] === '' || settings[other] !== '', `${one} is named without ${other}.`);
}

function signable(settings: Settings): string[] {
  const { searchArn, searchSecret } = settings;
  if (searchArn === '') return [];
  const form = /^arn:[\w-]+:(?:es:[\w-]+:\d{12}:domain|aoss:[\w-]+:\d{12}:collection)\/[\w-]+$/;
  if (!form.test(searchArn)) return ['searchArn must be the ARN of an OpenSearch domain or of a collection.'];
  return searchSecret === '' ? [] : ['searchArn and searchSecret exclude each other.'];
}

/** The template shows what stands in it to whoever may read the stack. */
function withoutPassword(settings: Settings, name: Name): string[] {
  const { username = '', password = '' } = URL.parse(settings[name]) ?? {};
  return must(username + password === '', `${name} holds a password: put it into a secret, and name that.`);
}

function oneOf(settings: Settings, name: Name, ...values: string[]): string[] {
  return must(values.includes(settings[name]), `${name} must be ${values.join(' or ')}.`);
}
