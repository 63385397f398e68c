import { randomUUID } from 'node:crypto';
import { judge, type Outcome } from './answer.ts';
import type { LambdaContext } from './options.ts';
import type { Entry } from './record.ts';
import type { Run } from './run.ts';

/** Invokes the function once with these records, and tells what came of it. */
export async function invokeOnce(run: Run, entries: Entry[]): Promise<Outcome> {
  const payload = `{"Records":[${entries.map(({ text }) => text).join(',')}]}`;
  const outcome = await answerTo(run, payload).then(
    (answer) => meaning(run, answer, entries),
    (error: unknown): Outcome => ({ result: 'failed', error }),
  );
  run.onInvocation({ event: JSON.parse(payload), outcome });
  return outcome;
}

function meaning(run: Run, answer: unknown, entries: Entry[]): Outcome {
  // Without FunctionResponseTypes the returned object is ignored.
  if (!run.reportBatchItemFailures) return { result: 'succeeded' };
  return judge(
    answer,
    entries.map(({ sequenceNumber }) => sequenceNumber),
  );
}

/** A function that outlives its time cannot be killed here as Lambda kills it: its answer is ignored. */
async function answerTo(run: Run, payload: string): Promise<unknown> {
  const context = contextFor(run);
  const answered = new AbortController();
  const invoked = (async () => asJson(await run.invoke(JSON.parse(payload), context)))();
  const expired = run.clock.sleep(run.functionTimeoutMilliseconds, answered.signal).then(() => {
    const seconds = (run.functionTimeoutMilliseconds / 1000).toFixed(2);
    throw new Error(`${context.awsRequestId} Task timed out after ${seconds} seconds`);
  });
  try {
    return await Promise.race([invoked, expired]);
  } finally {
    answered.abort();
  }
}

/** An answer travels as JSON: undefined members are gone, and what has no JSON is the function's error. */
function asJson(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer) ?? 'null');
}

function contextFor(run: Run): LambdaContext {
  const deadline = run.clock.now() + run.functionTimeoutMilliseconds;
  return {
    functionName: run.name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:${run.region}:000000000000:function:${run.name}`,
    memoryLimitInMB: '1024',
    awsRequestId: randomUUID(),
    logGroupName: `/aws/lambda/${run.name}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - run.clock.now())),
    done: callbackStyle,
    fail: callbackStyle,
    succeed: callbackStyle,
  };
}

/** Only the type still asks for these three. */
function callbackStyle(): never {
  throw new Error('Node 24 on Lambda has no callback handlers: return the answer, or throw');
}
