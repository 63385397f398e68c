/** `sluice preview`: what an email looks like, made of a recorded change that causes it. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plain } from '../local/live/plain.ts';
import { render } from '../mail/render.ts';
import type { App } from '../pipeline/app.ts';
import { decodeSafely } from '../pipeline/stream.ts';
import { parse, readRecorded } from '../replay/read.ts';
import { planRows } from '../sinks/email/sink.ts';

type Options = {
  email: string;
  /** Recordings, among which a change is looked for that causes the email. */
  folder: string;
  say(line: string): void;
};

/** Prints subject and text, and writes the HTML into a file to open. Gives the exit status. */
export function previewEmail(app: App, { email, folder, say }: Options): number {
  const declared = app.entities.flatMap((entity) =>
    Object.keys(entity.emails).map((name) => ({ entity, name })),
  );
  const found = declared.find(({ name }) => name === email);
  const template = found?.entity.emails[email]?.template;
  if (template === undefined)
    throw new Error(
      `There is no email ${plain(email)}. There are ${declared.map(({ name }) => name).join(', ')}.`,
    );
  const item = sampleFor(app, email, folder);
  if (item === undefined)
    throw new Error(
      `No recording in ${folder} causes ${email}. Record one with "sluice record", or name another --folder.`,
    );
  const mail = render(template, item);
  const path = join(mkdtempSync(join(tmpdir(), 'sluice-preview-')), `${email}.html`);
  writeFileSync(path, mail.html);
  say(`Subject: ${plain(mail.subject)}`);
  say('');
  for (const line of mail.text.trimEnd().split('\n')) say(plain(line, 500));
  say('');
  say(`HTML: ${path}`);
  return 0;
}

function sampleFor(app: App, email: string, folder: string): Readonly<Record<string, unknown>> | undefined {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.json')))
    for (const entry of readRecorded(parse(readFileSync(join(folder, name), 'utf8')))) {
      const decoded = decodeSafely(app, entry);
      const rows = decoded.verdict === 'change' ? planRows(decoded.change) : [];
      const row = rows.find((one) => one.email === email);
      if (row?.item !== undefined) return row.item;
    }
  return undefined;
}
