/** The edge: clients, clock and randomness, made once from the configuration. Everything behind takes them as given. */
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SESClient } from '@aws-sdk/client-ses';
import type { Client } from '@opensearch-project/opensearch';
import type { Config } from './config.ts';
import { type Log, openLog } from './log.ts';
import { type Metrics, noMetrics, openMetrics } from './metrics.ts';
import { openSecret } from './secret.ts';
import { openCache } from './sinks/cache/open.ts';
import type { CachePort } from './sinks/cache/port.ts';
import { bySecret, bySignature, openSearch } from './sinks/search/open.ts';

export type Connections = {
  config: Config;
  dynamodb: DynamoDBClient;
  eventbridge: EventBridgeClient;
  ses: SESClient;
  /** Absent where no endpoint is configured: that sink is off. */
  search?: Client;
  cache?: CachePort;
  log: Log;
  /** Counters for CloudWatch; elsewhere than on Lambda they go nowhere. */
  metrics: Metrics;
  /** Epoch milliseconds. */
  now(): number;
  /** Aborts after so many milliseconds. */
  deadline(milliseconds: number): AbortSignal;
  wait(milliseconds: number): Promise<void>;
};

const connectMilliseconds = 1_000;
const requestMilliseconds = 5_000;

/** Region, credentials and AWS endpoints come from the SDK's own environment variables. */
export function connect(config: Config): Connections {
  const requestHandler = {
    connectionTimeout: connectMilliseconds,
    requestTimeout: requestMilliseconds,
    throwOnRequestTimeout: true,
  };
  const secretOf = (id: string | undefined) =>
    id === undefined ? undefined : openSecret(new SecretsManagerClient({ requestHandler }), id);
  const { SLUICE_SEARCH_ENDPOINT: searchEndpoint, SLUICE_CACHE_ENDPOINT: cacheEndpoint } = config;
  const dynamodb = new DynamoDBClient({ requestHandler });
  const { SLUICE_SEARCH_SIGNING: signing } = config;
  const searchSecret = secretOf(config.SLUICE_SEARCH_SECRET);
  const signed = signing === 'none' ? undefined : bySignature(signing, dynamodb.config, Date.now);
  const onLambda = process.env.AWS_LAMBDA_FUNCTION_NAME !== undefined;
  return {
    config,
    dynamodb,
    eventbridge: new EventBridgeClient({ requestHandler }),
    // SES has no idempotency token: a repeat by the client could be a second mail.
    ses: new SESClient({ requestHandler, maxAttempts: 1 }),
    ...(searchEndpoint !== undefined && {
      search: openSearch(searchEndpoint, requestMilliseconds, searchSecret ? bySecret(searchSecret) : signed),
    }),
    ...(cacheEndpoint !== undefined && {
      cache: openCache(cacheEndpoint, config.SLUICE_CACHE_PREFIX, secretOf(config.SLUICE_CACHE_SECRET)),
    }),
    log: openLog({
      level: config.SLUICE_LOG_LEVEL,
      json: onLambda,
      now: Date.now,
      // On a terminal the log keeps out of the way of what a command prints.
      write: onLambda ? console.log : console.error,
    }),
    metrics: onLambda
      ? openMetrics({ namespace: config.SLUICE_METRICS_NAMESPACE, now: Date.now, write: console.log })
      : noMetrics,
    now: Date.now,
    // It takes whole milliseconds only.
    deadline: (milliseconds) => AbortSignal.timeout(Math.max(0, Math.floor(milliseconds))),
    wait: (milliseconds) => setTimeout(milliseconds),
  };
}

/** Ends what keeps connections open. */
export async function disconnect(connections: Connections): Promise<void> {
  connections.dynamodb.destroy();
  connections.eventbridge.destroy();
  connections.ses.destroy();
  await connections.search?.close();
  await connections.cache?.close();
}
