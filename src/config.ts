/** Every variable that Sluice reads, once: name, form, default, meaning. The README's table comes from it. */
import { type Level, levels } from './log.ts';

type Form<Value> = { expected: string; example: string; read(text: string): Value | undefined };

export type Variable<Value> = Form<Value> & { meaning: string; default?: Value };

const eventSource: Form<string> = {
  expected: 'a text without spaces that does not begin with "aws."',
  example: 'sluice.shop',
  read: matching(/^(?!aws\.)\S{1,256}$/),
};

const name: Form<string> = {
  expected: '3 to 255 letters, digits, ".", "_" or "-"',
  example: 'shop-table',
  read: matching(/^[A-Za-z0-9._-]{3,255}$/),
};

const indexPrefix: Form<string> = {
  expected: 'lower-case letters, digits or "-", a letter or digit first',
  example: 'staging-',
  read: matching(/^[a-z0-9][a-z0-9-]*$/),
};

const keyPrefix: Form<string> = {
  expected: 'lower-case letters, digits, "-" or ":"',
  example: 'staging:',
  read: matching(/^[a-z0-9:-]+$/),
};

const address: Form<string> = {
  expected: 'one email address',
  example: 'shop@example.com',
  read: matching(/^[^\s@<>,;]+@[^\s@<>,;]+$/),
};

const configurationSet: Form<string> = {
  expected: '1 to 64 letters, digits, "_" or "-"',
  example: 'shop-mail',
  read: matching(/^[A-Za-z0-9_-]{1,64}$/),
};

const namespace: Form<string> = {
  expected: '1 to 255 letters, digits, ".", "_", "-" or "/", and not AWS/ in front',
  example: 'Sluice/staging',
  read: matching(/^(?!AWS\/)[A-Za-z0-9._/-]{1,255}$/),
};

const secret: Form<string> = {
  expected: 'the name or ARN of a secret in Secrets Manager',
  example: 'shop/search',
  read: matching(/^[A-Za-z0-9/_+=.@:-]{1,2048}$/),
};

const endpoint: Form<string> = {
  expected: 'an http or https URL',
  example: 'https://search.example.com',
  read: url('http:', 'https:'),
};

const cache: Form<string> = {
  expected: 'a redis or rediss URL (of a cluster redis+cluster or rediss+cluster), or memory:',
  example: 'redis://127.0.0.1:6379',
  read: url('redis:', 'rediss:', 'redis+cluster:', 'rediss+cluster:', 'memory:'),
};

const signing: Form<'none' | 'es' | 'aoss'> = {
  expected: 'none, es or aoss',
  example: 'es',
  read: (text) => (['none', 'es', 'aoss'] as const).find((one) => one === text),
};

const level: Form<Level> = {
  expected: levels.join(', '),
  example: 'warn',
  read: (text) => levels.find((one) => one === text),
};

const seconds: Form<string> = {
  expected: 'seconds, from 1 to 600',
  example: '10',
  read: matching(/^(?:[1-9]\d?|[1-5]\d\d|600)$/),
};

const perSecond: Form<string> = {
  expected: 'a whole number from 1 to 1000',
  example: '14',
  read: matching(/^(?:[1-9]\d{0,2}|1000)$/),
};

const time: Form<string> = {
  expected: 'a time in ISO 8601',
  example: '2026-11-20T08:00:00Z',
  read: (text) => (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined),
};

const place: Form<string> = {
  expected: 's3://bucket/prefix or file:///folder',
  example: 's3://shop-failures/',
  read: url('s3:', 'file:'),
};

const servers: Form<string> = {
  expected: 'name=URL, several with a space between',
  example: 'opensearch=http://127.0.0.1:9200',
  read: matching(/^[a-z-]+=\S+(?: [a-z-]+=\S+)*$/),
};

const set: Form<string> = {
  expected: 'lower-case letters and digits',
  example: 'torture',
  read: matching(/^[a-z0-9]+$/),
};

const engine: Form<'dynoxide' | 'dynamodb-local'> = {
  expected: 'dynoxide or dynamodb-local',
  example: 'dynamodb-local',
  read: (text) => (['dynoxide', 'dynamodb-local'] as const).find((one) => one === text),
};

const folder: Form<string> = { expected: 'a path', example: '/tmp/streams', read: matching(/^.+$/) };

export const variables = {
  SLUICE_TABLE: { ...name, default: 'sluice-shop', meaning: 'the table whose changes are taken' },
  SLUICE_DELIVERIES_TABLE: { ...name, default: 'sluice-deliveries', meaning: 'where deliveries are parked' },
  SLUICE_OUTBOX_TABLE: { ...name, default: 'sluice-outbox', meaning: 'rows of mail to send' },
  SLUICE_AUDIT_TABLE: { ...name, default: 'sluice-audit', meaning: 'the audit trail' },
  SLUICE_BUS: { ...name, default: 'sluice-bus', meaning: 'the EventBridge bus for domain events' },
  SLUICE_EVENT_SOURCE: { ...eventSource, default: 'sluice.shop', meaning: 'the source of domain events' },
  SLUICE_SENDER: { ...address, default: 'shop@example.com', meaning: 'the address that mail comes from' },
  SLUICE_SES_CONFIGURATION_SET: {
    ...configurationSet,
    meaning: 'the SES configuration set whose reports reach the feedback function; unset: none is named',
  },
  SLUICE_MAIL_PER_SECOND: {
    ...perSecond,
    default: '10',
    meaning: 'mails a second that this application may send: its share of the SES quota',
  },
  SLUICE_SEARCH_ENDPOINT: { ...endpoint, meaning: 'OpenSearch; unset: search is off' },
  SLUICE_SEARCH_SECRET: {
    ...secret,
    meaning: 'holds `username` and `password` for OpenSearch as JSON; unset: none are sent',
  },
  SLUICE_SEARCH_SIGNING: {
    ...signing,
    default: 'none',
    meaning:
      'how requests to OpenSearch are signed with the credentials of AWS: `es` for a domain, `aoss` for a Serverless collection',
  },
  SLUICE_SEARCH_PREFIX: { ...indexPrefix, default: '', meaning: 'put before the name of every search index' },
  SLUICE_CACHE_ENDPOINT: { ...cache, meaning: 'Redis or Valkey; unset: the cache is off' },
  SLUICE_CACHE_SECRET: {
    ...secret,
    meaning:
      'holds `password`, and `username` if there is one, for the cache as JSON; unset: what the endpoint says',
  },
  SLUICE_CACHE_PREFIX: { ...keyPrefix, default: '', meaning: 'put before every cache key' },
  SLUICE_DYNAMODB_ENDPOINT: {
    ...endpoint,
    meaning: 'local runs: a DynamoDB with streams to use, instead of the embedded one',
  },
  SLUICE_SINK_SECONDS: {
    ...seconds,
    default: '10',
    meaning: 'how long one sink may take for a batch; what it has not done by then is parked',
  },
  SLUICE_SINCE: {
    ...time,
    meaning:
      'mail and events: what happened before causes none; unset: five minutes before the first batch. Kept once it was used',
  },
  SLUICE_FAILURES: {
    ...place,
    meaning: 'the on-failure destination that redrive takes up; unset: none',
  },
  SLUICE_METRICS_NAMESPACE: {
    ...namespace,
    default: 'Sluice',
    meaning: 'the CloudWatch namespace that the functions count under',
  },
  SLUICE_LOG_LEVEL: { ...level, default: 'info', meaning: 'what is logged, and all that is graver' },
  SLUICE_CORPUS: { ...folder, meaning: 'tests: a folder of foreign stream payloads' },
  SLUICE_TEST_SERVERS: { ...servers, meaning: 'tests: real servers, as `npm run servers` prints them' },
  SLUICE_SERVERS_SET: {
    ...set,
    meaning: 'names a second set of servers for `npm run servers` and `sluice torture`',
  },
  SLUICE_TEST_ENGINE: {
    ...engine,
    default: 'dynoxide',
    meaning:
      'tests: the DynamoDB that their own tables lie on; dynamodb-local is that of `SLUICE_TEST_SERVERS`',
  },
} satisfies Record<string, Variable<string>>;

type Variables = typeof variables;
type VariableName = keyof Variables;

type ValueOf<Name extends VariableName> = NonNullable<ReturnType<Variables[Name]['read']>>;
type WithDefault = {
  [Name in VariableName]: Variables[Name] extends { default: string } ? Name : never;
}[VariableName];

/** Each variable under its name; one without a value and without a default is absent. */
export type Config = { [Name in WithDefault]: ValueOf<Name> } & {
  [Name in Exclude<VariableName, WithDefault>]?: ValueOf<Name>;
};

/** Reads the environment. A wrong or misspelt variable is an error that names it; its value is never shown. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems = Object.keys(environment)
    .filter((name) => name.startsWith('SLUICE_') && !(name in variables))
    .map((name) => `${name} is no variable of Sluice. There are ${Object.keys(variables).join(', ')}.`);
  const config: Record<string, string> = {};
  for (const [name, variable] of Object.entries<Variable<string>>(variables)) {
    const given = environment[name];
    if (given === undefined || given === '') {
      if (variable.default !== undefined) config[name] = variable.default;
      continue;
    }
    const value = variable.read(given);
    if (value === undefined)
      problems.push(`${name} must be ${variable.expected}, for example ${variable.example}.`);
    else config[name] = value;
  }
  problems.push(...sameTables(config), ...signedTwice(config));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return config as Config;
}

/** A request bears one proof of who sends it. */
function signedTwice({
  SLUICE_SEARCH_SECRET: secret,
  SLUICE_SEARCH_SIGNING: signing,
}: Readonly<Record<string, string>>): string[] {
  if (secret === undefined || signing === undefined || signing === 'none') return [];
  return [
    'SLUICE_SEARCH_SECRET and SLUICE_SEARCH_SIGNING exclude each other: OpenSearch takes one or the other.',
  ];
}

/** Each table holds one kind of row. */
function sameTables(config: Readonly<Record<string, string>>): string[] {
  const tables = Object.keys(variables).filter((name) => name.endsWith('_TABLE'));
  return tables.flatMap((name, index) => {
    const other = tables.slice(0, index).find((earlier) => config[earlier] === config[name]);
    return other === undefined || config[name] === undefined
      ? []
      : [`${name} and ${other} name one table; each needs its own.`];
  });
}

function matching(pattern: RegExp): (text: string) => string | undefined {
  return (value) => (pattern.test(value) ? value : undefined);
}

function url(...protocols: string[]): (text: string) => string | undefined {
  return (value) => (protocols.includes(URL.parse(value)?.protocol ?? '') ? value : undefined);
}
