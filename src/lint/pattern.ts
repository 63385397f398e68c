/** A filter's pattern against the records of a table's stream: what in it never matches, or leaves records out. */
import { isOpen } from './node.ts';

/** `better` is the pattern without the fault. */
export type Fault = {
  severity: 'loses' | 'hurts';
  path: string;
  happens: string;
  better: Pattern;
};
export type Pattern = { [name: string]: unknown };

type Path = readonly string[];
type Fix = (value: unknown) => unknown;
type Report = (
  path: Path,
  happens: string,
  fix: Fix,
  how?: { severity?: Fault['severity']; fixed?: Path },
) => void;

/** Matches every record. */
export const everything = { eventName: ['INSERT', 'MODIFY', 'REMOVE'] };

const ofRecords = [
  'eventID',
  'eventName',
  'eventVersion',
  'eventSource',
  'awsRegion',
  'eventSourceARN',
  'userIdentity',
];
const images = ['NewImage', 'OldImage'];
const ofChanges = ['ApproximateCreationDateTime', 'SequenceNumber', 'SizeBytes', 'StreamViewType'];
const belongsBelow = [...images, ...ofChanges, 'Keys'];
const changes = everything.eventName;
const texts = ['S', 'N', 'B', 'SS', 'NS', 'BS'];
const types = [...texts, 'BOOL', 'NULL', 'L', 'M'];

export function faultsIn(pattern: Pattern): Fault[] {
  const faults: Fault[] = [];
  const report: Report = (path, happens, fix, { severity = 'loses', fixed = path } = {}) => {
    const better = changed(pattern, fixed, fix) as Pattern;
    const empty = Object.keys(better).length === 0;
    faults.push({ severity, path: path.join('.'), happens, better: empty ? everything : better });
  };
  judgeRecord(pattern, [], report);
  return faults;
}

const remove: Fix = () => undefined;
const never = 'never matches, and every record is skipped';

function judgeRecord(pattern: Pattern, path: Path, report: Report): void {
  for (const [name, value] of Object.entries(pattern)) {
    const at = [...path, name];
    if (name === '$or' && Array.isArray(value))
      value.forEach((one, index) => {
        if (isPattern(one)) judgeRecord(one, [...at, String(index)], report);
      });
    else if (name === 'dynamodb') judgeChange(value, at, report);
    else if (name === 'userIdentity') leaves(value, at, report);
    else if (belongsBelow.includes(name))
      report(at, `Only below "dynamodb" does a record have it: it ${never}.`, below(name), { fixed: path });
    else if (!ofRecords.includes(name)) report(at, `No record has it: it ${never}.`, remove);
    else if (isList(value, at, report) && name === 'eventName') judgeNames(value, at, report);
  }
}

function below(name: string): Fix {
  return (record) => {
    const { [name]: moved, dynamodb, ...others } = record as Pattern;
    return { ...others, dynamodb: { ...(isPattern(dynamodb) ? dynamodb : {}), [name]: moved } };
  };
}

function judgeNames(value: readonly unknown[], path: Path, report: Report): void {
  const wrong = value.filter((one) => typeof one === 'string' && !isOpen(one) && !changes.includes(one));
  if (wrong.length > 0)
    report(path, `No change is called ${wrong.join(', ')}; there are ${changes.join(', ')}.`, () => changes);
}

function judgeChange(value: unknown, path: Path, report: Report): void {
  if (!isPattern(value)) {
    if (!isOpenText(value))
      report(path, `It holds Keys, NewImage and OldImage: as it stands it ${never}.`, remove);
    return;
  }
  for (const [name, below] of Object.entries(value)) {
    const at = [...path, name];
    if (name === 'Keys' || images.includes(name)) judgeItem(below, at, report);
    else if (ofChanges.includes(name)) isList(below, at, report);
    else report(at, `No record has it: it ${never}.`, remove);
  }
}

function judgeItem(value: unknown, path: Path, report: Report): void {
  if (!isPattern(value)) {
    if (!isOpenText(value)) report(path, `It holds attributes: as it stands it ${never}.`, remove);
    return;
  }
  for (const [name, below] of Object.entries(value)) judgeAttribute(below, [...path, name], report);
}

function judgeAttribute(value: unknown, path: Path, report: Report): void {
  if (isOpenText(value)) return;
  if (!isPattern(value)) {
    const exists = Array.isArray(value) && value.some((one) => isPattern(one) && 'exists' in one);
    if (exists)
      report(path, 'An attribute is an object, and "exists" asks only the ends: ask its type.', (list) => ({
        S: list,
      }));
    else report(path, `It names no type (S, N, …): it ${never}.`, (list) => ({ S: asTexts(list) }));
    return;
  }
  for (const [type, below] of Object.entries(value)) {
    const at = [...path, type];
    if (!types.includes(type)) report(at, `There is no type ${type} (but S, N, …): it ${never}.`, remove);
    else if (type === 'M') judgeItem(below, at, report);
    else if (type === 'L') judgeAttribute(below, at, report);
    else if (isList(below, at, report)) judgeValues(type, below, at, report);
  }
}

function judgeValues(type: string, values: readonly unknown[], path: Path, report: Report): void {
  const numeric = values.some((one) => isPattern(one) && 'numeric' in one);
  if (numeric && texts.includes(type)) {
    report(
      path.slice(0, -1),
      `A table’s numbers come as texts: "numeric" ${never}. Compare in the function.`,
      remove,
    );
    return;
  }
  if (texts.includes(type) && values.some((one) => typeof one === 'number' || typeof one === 'boolean')) {
    report(path, `The values of ${type} come as texts: a bare number ${never}.`, asTexts);
    return;
  }
  const absent = values.some((one) => isPattern(one) && one.exists === false);
  const image = path.find((name) => images.includes(name));
  if (image === undefined || absent) return;
  const lacks = image === 'NewImage' ? 'a removal' : 'an insertion';
  report(
    path,
    `Skips ${lacks}, which has no ${image}, and every item without this attribute, such as those that others wrote.`,
    (list) => [...(list as unknown[]), { exists: false }],
  );
}

/** The ends of a pattern are lists. */
function leaves(value: unknown, path: Path, report: Report): void {
  if (!isPattern(value)) return void isList(value, path, report);
  for (const [name, below] of Object.entries(value)) leaves(below, [...path, name], report);
}

function isList(value: unknown, path: Path, report: Report): value is readonly unknown[] {
  if (Array.isArray(value)) return true;
  if (isOpenText(value)) return false;
  const fix: Fix = (one) => (isPattern(one) ? undefined : [one]);
  report(path, 'Its values are no list: the filter is refused when it is deployed.', fix, {
    severity: 'hurts',
  });
  return false;
}

export function isPattern(value: unknown): value is Pattern {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOpenText(value: unknown): boolean {
  return typeof value === 'string' && isOpen(value);
}

function asTexts(values: unknown): unknown {
  const one = (value: unknown) =>
    typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  return Array.isArray(values) ? values.map(one) : [one(values)];
}

/** A copy with one place changed; what is left empty goes, too. */
function changed(value: unknown, [name, ...rest]: Path, fix: Fix): unknown {
  if (name === undefined) return fix(value);
  if (Array.isArray(value))
    return value.map((one, index) => (String(index) === name ? changed(one, rest, fix) : one));
  if (!isPattern(value)) return value;
  const entries = Object.entries(value).map(
    ([key, one]) => [key, key === name ? changed(one, rest, fix) : one] as const,
  );
  const left = entries.filter(
    ([, one]) => one !== undefined && !(isPattern(one) && Object.keys(one).length === 0),
  );
  return Object.fromEntries(left);
}
