/** Mail from templates. Eta escapes what goes into HTML; text and subject are plain. */
import { Eta } from 'eta';
import type { EmailTemplate } from '../table/entity.ts';

export type Rendered = { subject: string; text: string; html: string };

const html = new Eta({ autoEscape: true });
const plain = new Eta({ autoEscape: false });

export function render(template: EmailTemplate, item: Readonly<Record<string, unknown>>): Rendered {
  return {
    // One line: a line break in a field must not begin a header of its own.
    subject: plain.renderString(template.subject, item).replaceAll(/\s+/g, ' ').trim(),
    text: plain.renderString(template.text, item),
    html: html.renderString(template.html, item),
  };
}
