/** Every server by the name it is asked for. */
import { dynamodb } from './dynamodb.ts';
import { ministack, moto } from './mocks.ts';
import { opensearch } from './opensearch.ts';
import { redis, redisCluster } from './redis.ts';
import type { Server } from './server.ts';

export const all: Readonly<Record<string, Server>> = {
  opensearch,
  dynamodb,
  redis,
  'redis-cluster': redisCluster,
  ministack,
  moto,
};
