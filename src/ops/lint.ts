/** `sluice lint`: what in a template loses data or hurts, when, and the line to write. */
import { readFile } from 'node:fs/promises';
import { type Finding, lint, type Unjudged, type Verdict } from '../lint/lint.ts';
import { plain } from '../local/live/plain.ts';

type Options = {
  json: boolean;
  say(line: string): void;
  complain(line: string): void;
};

const unreadable = 2;
const hasFindings = 1;

/** Gives the exit status: 2 where the file is no template, 1 where there is a finding. */
export async function lintFile(file: string, { json, say, complain }: Options): Promise<number> {
  let verdict: Verdict;
  try {
    verdict = lint(await readFile(file, 'utf8'));
  } catch (error) {
    complain(`${plain(file)}: ${plain(whyNot(error as NodeJS.ErrnoException), 300)}`);
    return unreadable;
  }
  const { findings, unjudged } = verdict;
  for (const finding of findings)
    if (json) say(JSON.stringify({ file, ...finding }));
    else for (const line of findingLines(file, finding)) say(line);
  const tell = json ? complain : say;
  if (unjudged.length > 0) tell('Not judged:');
  for (const one of unjudged) tell(unjudgedLine(one));
  tell(countLine(verdict));
  return findings.length === 0 ? 0 : hasFindings;
}

function whyNot({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'There is no such file; name a serverless.yml or a packaged template.';
  return code === 'EISDIR' ? 'It is a folder; name the template in it.' : message;
}

const places = {
  in: (at: string) => `Write in ${at}`,
  to: (at: string) => `Add to ${at}`,
  instead: (at: string) => `Write instead of ${at}`,
} as const;

function findingLines(file: string, { rule, severity, path, line, happens, when, write }: Finding): string[] {
  return [
    `${plain(file)}:${line}  ${rule} (${severity})  ${plain(path, 500)}`,
    `  ${plain(happens, 500)}`,
    `  When: ${plain(when, 300)}.`,
    ...write.flatMap(({ how, at, lines }) => [
      `  ${places[how](plain(at, 500))}:`,
      ...lines.split('\n').map((text) => `      ${plain(text, 5000)}`),
    ]),
    '',
  ];
}

function unjudgedLine({ rule, path, line, why }: Unjudged): string {
  return `  line ${line}  ${rule}  ${plain(path, 500)}: ${plain(why, 300)}`;
}

function countLine({ mappings, findings, unjudged }: Verdict): string {
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  const of = (severity: string) => findings.filter((finding) => finding.severity === severity).length;
  const told =
    findings.length === 0
      ? 'no findings'
      : `${count(findings.length, 'finding')} (${of('loses')} loses, ${of('hurts')} hurts)`;
  return `${count(mappings, 'stream mapping')}: ${told}, ${unjudged.length} not judged.`;
}
