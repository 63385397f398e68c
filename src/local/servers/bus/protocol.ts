import { ZodError } from 'zod';
import type { Answer, Request } from '../http.ts';
import { InvalidEventPatternException } from '../pattern.ts';
import { Fault } from './fault.ts';

export type Operation = (input: unknown) => object;

/** AWS JSON 1.1: the operation stands in a header, an error is a name and a message. */
export function answer(operations: Record<string, Operation>, request: Request): Answer {
  const [, name = ''] = String(request.headers['x-amz-target']).split('AWSEvents.');
  const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
  try {
    if (operation === undefined) throw new Fault('UnknownOperationException', `Unknown operation ${name}`);
    return reply(200, operation(JSON.parse(request.body)));
  } catch (error) {
    const { code, message } = faultOf(error);
    return reply(400, { __type: code, message });
  }
}

const reply = (status: number, body: object): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(body),
});

function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof InvalidEventPatternException) return new Fault(error.name, error.message);
  if (error instanceof ZodError)
    return new Fault('ValidationException', error.issues.map(readIssue).join('; '));
  if (error instanceof SyntaxError) return new Fault('SerializationException', error.message);
  throw error;
}

const readIssue = ({ path, message }: ZodError['issues'][number]) => `${path.join('.')}: ${message}`;
