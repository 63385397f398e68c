export type Outcome =
  | { result: 'succeeded' }
  /** Everything before `from` is done; `from` and all that follows is not. */
  | { result: 'partial'; from: string }
  | { result: 'failed'; error: unknown };

/**
 * What a function's answer means for its batch, as AWS has it: developer guide, services-ddb-batchfailurereporting,
 * and the answers that LocalStack recorded on real AWS (test_dynamodb_report_batch_item_failure_scenarios).
 */
export function judge(answer: unknown, sequenceNumbers: string[]): Outcome {
  const reported = reportedFailures(answer);
  if (!reported) return failed(`the function answered ${show(answer)}, not { batchItemFailures: [...] }`);
  const inBatch = new Set(sequenceNumbers);
  const identifiers: string[] = [];
  for (const item of reported) {
    const identifier = isObject(item) ? item.itemIdentifier : undefined;
    if (typeof identifier !== 'string' || !inBatch.has(identifier)) {
      return failed(`batchItemFailures names ${show(item)}, which is no record of the batch`);
    }
    identifiers.push(identifier);
  }
  const from = lowest(identifiers);
  return from === undefined ? { result: 'succeeded' } : { result: 'partial', from };
}

function reportedFailures(answer: unknown): unknown[] | undefined {
  if (answer === null || answer === undefined) return [];
  if (Array.isArray(answer)) return answer.length === 0 ? [] : undefined;
  if (!isObject(answer)) return undefined;
  const reported = answer.batchItemFailures ?? [];
  return Array.isArray(reported) ? reported : undefined;
}

/** Sequence numbers have 21 to 40 digits and differ in length: neither numbers nor strings order them. */
function lowest(identifiers: string[]): string | undefined {
  return identifiers.reduce<string | undefined>(
    (least, one) => (least === undefined || BigInt(one) < BigInt(least) ? one : least),
    undefined,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function failed(message: string): Outcome {
  return { result: 'failed', error: new Error(message) };
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
