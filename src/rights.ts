/** What code calls of AWS, said beside that code: each function's role is made of it, and holds no more. */

/** A thing that rights are given on; the stack knows what it is called. */
export type Place =
  | 'table'
  | 'table/index/*'
  | 'deliveries'
  | 'deliveries/index/due'
  | 'outbox'
  | 'outbox/index/due'
  | 'outbox/index/tag'
  | 'audit'
  | 'bus'
  | 'mail'
  | 'failures'
  | 'secret/search'
  | 'secret/cache'
  /** Of a sink of your own. */
  | `arn:${string}`;

/** An IAM action, such as `dynamodb:PutItem`: the parts of a transaction count one by one. */
export type Right = { action: `${string}:${string}`; on: Place };

export function rights(on: Place, ...actions: Right['action'][]): Right[] {
  return actions.map((action) => ({ action, on }));
}
