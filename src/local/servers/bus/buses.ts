import { compilePattern } from '../pattern.ts';
import { Fault, notFound } from './fault.ts';

export type BusEvent = {
  version: '0';
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  time: string;
  region: string;
  resources: string[];
  detail: Record<string, unknown>;
};
type Target = { Id: string; Arn: string };
export type Rule = {
  name: string;
  arn: string;
  pattern: string;
  matches: (event: unknown) => boolean;
  state: string;
  description?: string | undefined;
  targets: Map<string, Target>;
};
export type Bus = { name: string; arn: string; rules: Map<string, Rule> };
type NewRule = Pick<Rule, 'name' | 'pattern' | 'state' | 'description'>;

export const ACCOUNT = '000000000000';

/** The buses with their rules; the default bus is always there. */
export function createBuses(region: string) {
  const arn = (resource: string) => `arn:aws:events:${region}:${ACCOUNT}:${resource}`;
  const buses = new Map<string, Bus>();

  const create = (name: string): Bus => {
    if (buses.has(name))
      throw new Fault('ResourceAlreadyExistsException', `Event bus ${name} already exists.`);
    const bus = { name, arn: arn(`event-bus/${name}`), rules: new Map() };
    buses.set(name, bus);
    return bus;
  };

  const busOf = (nameOrArn = 'default'): Bus => {
    const name = nameOrArn.replace(/^arn:.*:event-bus\//, '');
    const bus = buses.get(name);
    if (bus === undefined) throw notFound(`Event bus ${name} does not exist.`);
    return bus;
  };

  const ruleOf = (name: string, busName?: string): Rule => {
    const bus = busOf(busName);
    const rule = bus.rules.get(name);
    if (rule === undefined) throw notFound(`Rule ${name} does not exist on EventBus ${bus.name}.`);
    return rule;
  };

  const putRule = (busName: string | undefined, given: NewRule): Rule => {
    const bus = busOf(busName);
    const path = bus.name === 'default' ? given.name : `${bus.name}/${given.name}`;
    const rule = {
      ...given,
      arn: arn(`rule/${path}`),
      matches: compilePattern(given.pattern),
      targets: bus.rules.get(given.name)?.targets ?? new Map(),
    };
    bus.rules.set(rule.name, rule);
    return rule;
  };

  create('default');
  return { create, busOf, ruleOf, putRule };
}

export type Buses = ReturnType<typeof createBuses>;
