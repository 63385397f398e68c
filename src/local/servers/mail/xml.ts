import { randomUUID } from 'node:crypto';
import type { Answer } from '../http.ts';

type Node = string | number | Node[] | { [name: string]: Node | undefined };

const NAMESPACE = 'http://ses.amazonaws.com/doc/2010-12-01/';

/** The AWS query protocol: an answer is named after its action. */
export const result = (action: string, content: Node): Answer =>
  answer(200, `${action}Response`, {
    [`${action}Result`]: content,
    ResponseMetadata: { RequestId: randomUUID() },
  });

export const refusal = (status: number, code: string, message: string): Answer =>
  answer(status, 'ErrorResponse', {
    Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message },
    RequestId: randomUUID(),
  });

const answer = (status: number, root: string, content: Node): Answer => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<${root} xmlns="${NAMESPACE}">${write(content)}</${root}>`,
});

function write(node: Node): string {
  if (Array.isArray(node)) return node.map((one) => `<member>${write(one)}</member>`).join('');
  if (typeof node !== 'object') return escapeMarkup(String(node));
  return Object.entries(node)
    .map(([name, value]) => (value === undefined ? '' : `<${name}>${write(value)}</${name}>`))
    .join('');
}

/** Text as it may stand in HTML or XML, also inside quotes. */
export const escapeMarkup = (text: string): string =>
  text.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
