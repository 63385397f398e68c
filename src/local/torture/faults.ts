/** What a service does wrong with a request: nothing is made up that AWS, OpenSearch or Redis do not do. */
import type { Chance } from '../play/step.ts';

export type ServiceName = 'dynamodb' | 'search' | 'cache' | 'bus' | 'mail';

export type Reply = { status: number; headers: Record<string, string>; body: string };

export type Conduct =
  | { kind: 'right' }
  /** The connection breaks and nothing is done. */
  | { kind: 'closed' }
  /** It is done; the connection breaks instead of an answer. */
  | { kind: 'lost' }
  /** It is done after so many milliseconds, whether anybody still waits for it or not; so late that leases are over. */
  | { kind: 'held'; milliseconds: number; pastLeases: boolean }
  /** It is done at once, and answered so much later. */
  | { kind: 'slow'; milliseconds: number }
  | { kind: 'refused'; reply: Reply };

export type Faults = {
  conductOf(service: ServiceName, label: string): Conduct;
  /** From now on everything goes right. */
  end(): void;
  isOver(): boolean;
  /** How many requests went wrong, of how many; and how often something was gone, or overloaded. */
  counts: { requests: number; faults: number; outages: number };
};

const right: Conduct = { kind: 'right' };

/** How long something is gone or overloaded, and how long it is well, milliseconds. */
const outage = { lasts: [500, 5_000], between: [2_000, 14_000] } as const;

/** How long a request can be on its way, milliseconds; a long one comes when it has been parked and tried again. */
const holds = { short: [50, 1_500], long: [4_000, 15_000] } as const;
/** Of those that are on their way for a while, so many are for long: each costs its batch all its time. */
const longHolds = 0.4;

/** What can be gone, or overloaded, as a whole: a service, or of DynamoDB one table. */
const losable = ['search', 'cache', 'bus', 'mail', 'audit', 'outbox', 'deliveries'] as const;

const kinds = ['closed', 'closed', 'lost', 'lost', 'held', 'slow', 'refused', 'throttled'] as const;
const kindsOf: Readonly<Record<ServiceName, readonly (typeof kinds)[number][]>> = {
  dynamodb: kinds,
  // A node that is busy queues what it is asked.
  search: [...kinds, 'held', 'held'],
  cache: kinds,
  bus: kinds,
  // What SES refuses most is too many mails a second.
  mail: [...kinds, 'throttled', 'throttled', 'throttled', 'throttled'],
};

/** One that is overloaded takes its time, so that much happens meanwhile, and takes not all. */
const overloaded = ['slow', 'slow', 'held', 'throttled'] as const;

/** A batch asks DynamoDB dozens of times: with more than this, hardly one would ever be done. */
const shareOfDynamoDB = 0.15;

export function openFaults(share: number, random: Chance, now: () => number): Faults {
  const counts = { requests: 0, faults: 0, outages: 0 };
  let ended = share === 0;
  const outages = new Map(
    losable.map((what) => [
      what as string,
      { from: now() + random.between(...outage.between), until: 0, isOverload: false },
    ]),
  );

  function stateOf(what: string): 'well' | 'gone' | 'overloaded' {
    const next = outages.get(what);
    if (next === undefined || now() < next.from) return 'well';
    if (next.until < next.from) {
      next.until = next.from + random.between(...outage.lasts);
      next.isOverload = random.chance(0.5);
      counts.outages += 1;
    }
    if (now() < next.until) return next.isOverload ? 'overloaded' : 'gone';
    next.from = now() + random.between(...outage.between);
    return 'well';
  }

  function conductOf(service: ServiceName, label: string): Conduct {
    counts.requests += 1;
    if (ended) return right;
    const chance = service === 'dynamodb' ? share * shareOfDynamoDB : share;
    const table = service === 'dynamodb' ? label.slice(label.indexOf(' ') + 1) : service;
    const state = stateOf(table);
    if (state === 'well' && !random.chance(chance)) return right;
    counts.faults += 1;
    const kind = random.pick(state === 'overloaded' ? overloaded : kindsOf[service]);
    if (kind === 'held' || kind === 'slow') {
      const isLong = random.chance(longHolds);
      const [least, most] = isLong ? holds.long : holds.short;
      const milliseconds = random.between(least, most);
      return kind === 'held' ? { kind, milliseconds, pastLeases: isLong } : { kind, milliseconds };
    }
    if (kind === 'closed' || kind === 'lost' || service === 'cache')
      return { kind: kind === 'lost' ? 'lost' : 'closed' };
    return { kind: 'refused', reply: replies[service][kind] };
  }

  return {
    conductOf,
    end() {
      ended = true;
    },
    isOver: () => ended,
    counts,
  };
}

const json = { 'content-type': 'application/x-amz-json-1.0' };
const aws = (status: number, type: string): Reply => ({
  status,
  headers: json,
  body: JSON.stringify({ __type: type, message: 'as torture has it' }),
});
const ses = (status: number, code: string): Reply => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>as torture has it</Message></Error></ErrorResponse>`,
});
const openSearch = (status: number, type: string): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ error: { type, reason: 'as torture has it' }, status }),
});

const replies: Record<Exclude<ServiceName, 'cache'>, Record<'refused' | 'throttled', Reply>> = {
  dynamodb: {
    refused: aws(500, 'InternalServerError'),
    throttled: aws(400, 'ProvisionedThroughputExceededException'),
  },
  bus: { refused: aws(500, 'InternalException'), throttled: aws(400, 'ThrottlingException') },
  mail: { refused: ses(503, 'ServiceUnavailable'), throttled: ses(400, 'Throttling') },
  search: {
    refused: openSearch(503, 'cluster_block_exception'),
    throttled: openSearch(429, 'circuit_breaking_exception'),
  },
};
