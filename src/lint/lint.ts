/** A template's text, judged: what loses data or hurts, and what cannot be told by it. */
import { parse } from './document.ts';
import type { Model } from './model.ts';
import { type Finding, isFinding, type Outcome, type Unjudged, unjudged } from './outcome.ts';
import { readModel } from './read/model.ts';
import { metadataOnly, missingRights, noDestination } from './rules/destination.ts';
import { parkedExpires } from './rules/expiry.ts';
import { filters } from './rules/filters.ts';
import { queuePolicy } from './rules/queues.ts';
import { tooManyReaders } from './rules/readers.ts';
import {
  batchWindow,
  endlessRetries,
  partialFailures,
  recordAge,
  startingPosition,
} from './rules/settings.ts';

export type { Finding, Unjudged };
export type Verdict = { mappings: number; findings: Finding[]; unjudged: Unjudged[] };

const rules: readonly ((model: Model) => Outcome[])[] = [
  startingPosition,
  noDestination,
  metadataOnly,
  missingRights,
  endlessRetries,
  partialFailures,
  recordAge,
  tooManyReaders,
  batchWindow,
  filters,
  queuePolicy,
  parkedExpires,
];

/** Throws an error of one line where the text is no such document. */
export function lint(text: string): Verdict {
  const model = readModel(parse(text));
  const outcomes = [
    ...rules.flatMap((rule) => rule(model)),
    ...model.unclear.map(({ node, why }) => unjudged('every-rule', node, why)),
  ].sort((one, other) => one.line - other.line);
  return {
    mappings: model.mappings.length,
    findings: outcomes.filter(isFinding),
    unjudged: outcomes.filter((outcome): outcome is Unjudged => !isFinding(outcome)),
  };
}
