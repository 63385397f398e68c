/** The first thing to read after a deployment: what is on, what is off and how it is turned on, what costs money. */
import type { Settings } from './settings.ts';

export type Summary = { on: string[]; off: string[]; idle: string[]; next: string[] };

export function summaryOf(settings: Settings): Summary {
  const { searchEndpoint, cacheEndpoint, kmsKey, subnets, capacityMode, table } = settings;
  const search = searchEndpoint === '';
  const cache = cacheEndpoint === '';
  const secrets = [settings.searchSecret, settings.cacheSecret].filter((name) => name !== '').length;
  return {
    on: [
      'audit trail: every version from the first change on',
      'events: from this deployment on',
      `mail: from ${settings.sender}, once SES knows that address`,
      ...(search ? [] : [`search: ${searchEndpoint}`]),
      ...(cache ? [] : ['cache: as readers fill it']),
    ],
    off: [
      ...(search
        ? [
            'search: name searchEndpoint in deploy/settings.yml and deploy; before and after, "npx sluice backfill --aws" makes the indices and brings what the table holds',
          ]
        : []),
      ...(cache
        ? [
            'cache: name cacheEndpoint and its subnets in deploy/settings.yml and deploy; there is nothing to backfill',
          ]
        : []),
    ],
    idle: [
      'mail and redrive run once a minute: about 90,000 short invocations a month, and a few reads each',
      'alarms, and the two metrics that are always told: by the alarm and metric, a month',
      'what is kept, with point-in-time recovery: by the GB',
      ...(capacityMode === 'PROVISIONED' ? ['provisioned capacity: by the hour, used or not'] : []),
      ...(secrets > 0 ? [`${secrets} secret${secrets > 1 ? 's' : ''}: by the month`] : []),
      ...(kmsKey === '' ? [] : ['your KMS key: by the month']),
      ...(subnets === '' ? [] : ['interface endpoints or a NAT gateway of your VPC: by the hour']),
    ],
    next: [
      ...(table === '' ? [] : [`the table ${table} stays yours: the stack neither changes nor removes it`]),
      'SES: verify the address, leave the sandbox (docs/deploying.md)',
    ],
  };
}

export function summaryLines({ on, off, idle, next }: Summary): string[] {
  const section = (title: string, lines: string[]) =>
    lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
  return [
    ...section('On:', on),
    ...section('Off:', off),
    ...section('Costs money when idle:', idle),
    ...section('Next:', next),
  ];
}
