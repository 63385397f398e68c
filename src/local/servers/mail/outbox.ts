import type { Answer, Request } from '../http.ts';
import type { SentMessage } from './draft.ts';
import { escapeMarkup } from './xml.ts';

/** Pages on which a person can look at what was sent. */
export function outbox(request: Request, sent: readonly SentMessage[]): Answer {
  const [first, id] = request.path;
  if (first === undefined) return page('Outbox', listOf(sent));
  if (first === 'messages.json') {
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(sent) };
  }
  const message = first === 'messages' ? sent.find(({ messageId }) => messageId === id) : undefined;
  return message === undefined
    ? { ...page('Not found', ''), status: 404 }
    : page(message.subject, show(message));
}

function listOf(sent: readonly SentMessage[]): string {
  const rows = sent.toReversed().map(
    (message) => `<tr><td>${when(message)}<td>${escapeMarkup(recipients(message))}
      <td><a href="/messages/${encodeURIComponent(message.messageId)}">${escapeMarkup(message.subject)}</a>`,
  );
  return sent.length === 0 ? '<p>Nothing was sent yet.' : `<table>${rows.join('')}</table>`;
}

function show(message: SentMessage): string {
  const { source, html, text = '', tags } = message;
  const facts = [
    `From ${source}`,
    `To ${recipients(message)}`,
    `Sent ${when(message)}`,
    `Tags ${JSON.stringify(tags)}`,
  ];
  // Sandboxed and without scripts: a mail's HTML is as foreign here as in a mailbox.
  const body =
    html === undefined
      ? `<pre>${escapeMarkup(text)}</pre>`
      : `<iframe sandbox srcdoc="${escapeMarkup(html)}"></iframe>`;
  return `<p><a href="/">Outbox</a><p>${facts.map(escapeMarkup).join('<br>')}${body}`;
}

const when = ({ at }: SentMessage): string => new Date(at).toISOString();
const recipients = ({ to, cc, bcc }: SentMessage): string => [...to, ...cc, ...bcc].join(', ');

const STYLE =
  'body{font:15px system-ui;margin:2em}td{padding:.3em 1em .3em 0}iframe{width:100%;height:70vh;border:1px solid #ccc}';

const page = (title: string, content: string): Answer => ({
  status: 200,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
  },
  body: `<!doctype html><title>${escapeMarkup(title)}</title><style>${STYLE}</style><h1>${escapeMarkup(title)}</h1>${content}`,
});
