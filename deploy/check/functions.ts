/** The deployed functions: called, and asked for their logs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { functionNames } from '../../src/stack/rights.ts';
import { folder } from './mock.ts';

export type Functions = {
  invoke(name: string, event: unknown): Promise<unknown>;
  /** A request to the HTTP API, as it comes to the function; throws for any answer but 2xx. */
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Writes each function's log into a file, and says where. */
  saveLogs(): Promise<string>;
};

type Answer = { headers: Record<string, string>; body: Record<string, unknown> };

export function openFunctions(stackName: string): Functions {
  const lambda = new LambdaClient({ maxAttempts: 1 });
  const logs = new CloudWatchLogsClient({});
  const invoke = async (name: string, event: unknown) => {
    const FunctionName = `${stackName}-${name}`;
    const call = new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) });
    const { FunctionError, Payload = new Uint8Array() } = await lambda.send(call);
    const text = Buffer.from(Payload).toString();
    if (FunctionError !== undefined) throw new Error(`The function ${FunctionName} failed: ${text}`);
    return JSON.parse(text || 'null');
  };
  return {
    invoke,
    async request(method, path, body, headers = {}) {
      const answer = await invoke('api', eventOf(method, path, body, headers));
      const { statusCode, body: text = '', headers: given = {} } = Object(answer);
      if (statusCode < 200 || statusCode > 299)
        throw new Error(`${method} ${path} was answered with ${statusCode}: ${text}`);
      return { headers: given, body: JSON.parse(text || '{}') };
    },
    async saveLogs() {
      const place = join(folder, 'logs');
      mkdirSync(place, { recursive: true });
      for (const name of functionNames) {
        const logGroupName = `/aws/lambda/${stackName}-${name}`;
        const lines: string[] = [];
        for await (const page of paginateFilterLogEvents({ client: logs }, { logGroupName }))
          lines.push(...(page.events ?? []).map(({ message = '' }) => message));
        writeFileSync(join(place, `${stackName}-${name}.log`), `${lines.join('\n')}\n`);
      }
      return place;
    },
  };
}

/** Version 2.0, as an HTTP API sends it. */
function eventOf(method: string, address: string, body: unknown, headers: Record<string, string>) {
  const [path = '/', rawQueryString = ''] = address.split('?');
  const userArn = 'arn:aws:iam::000000000000:user/deploy-check';
  return {
    version: '2.0',
    routeKey: 'ANY /{proxy+}',
    rawPath: path,
    rawQueryString,
    queryStringParameters: Object.fromEntries(new URLSearchParams(rawQueryString)),
    headers: { host: 'check.example.com', 'content-type': 'application/json', ...headers },
    requestContext: {
      accountId: '000000000000',
      apiId: 'check',
      authorizer: { iam: { userArn } },
      domainName: 'check.example.com',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'deploy:check' },
      requestId: 'check',
      routeKey: 'ANY /{proxy+}',
      stage: '$default',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
}
