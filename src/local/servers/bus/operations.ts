import { z } from 'zod';
import { compilePattern } from '../pattern.ts';
import type { Buses, Rule } from './buses.ts';
import { notValid } from './fault.ts';
import type { Operation } from './protocol.ts';

const onBus = z.object({ EventBusName: z.string().optional() });
const named = onBus.extend({ Name: z.string() });
const ofRule = onBus.extend({ Rule: z.string() });
const target = z.object({
  Id: z.string(),
  Arn: z.string(),
  Input: z.string().optional(),
  InputPath: z.string().optional(),
  InputTransformer: z.unknown().optional(),
});
const ruleInput = named.extend({
  EventPattern: z.string().optional(),
  ScheduleExpression: z.string().optional(),
  State: z.string().default('ENABLED'),
  Description: z.string().optional(),
});

/** The operations on buses and rules, as the API names them; each takes the request and gives the answer. */
export function busOperations(buses: Buses): Record<string, Operation> {
  return {
    CreateEventBus: (input) => ({
      EventBusArn: buses.create(z.object({ Name: z.string() }).parse(input).Name).arn,
    }),
    DescribeEventBus: (input) => {
      const { name, arn } = buses.busOf(z.object({ Name: z.string().optional() }).parse(input).Name);
      return { Name: name, Arn: arn };
    },
    TestEventPattern: (input) => {
      const { EventPattern, Event } = z.object({ EventPattern: z.string(), Event: z.string() }).parse(input);
      return { Result: compilePattern(EventPattern)(readEvent(Event)) };
    },
    ...ruleOperations(buses),
    ...targetOperations(buses),
  };
}

function ruleOperations(buses: Buses): Record<string, Operation> {
  const setState = (input: unknown, state: string) => {
    const { Name, EventBusName } = named.parse(input);
    buses.ruleOf(Name, EventBusName).state = state;
    return {};
  };
  return {
    PutRule: (input) => {
      const { Name, EventBusName, EventPattern, ScheduleExpression, State, Description } =
        ruleInput.parse(input);
      if (ScheduleExpression !== undefined)
        throw notValid('This stand-in has no clock: ScheduleExpression is not supported.');
      if (EventPattern === undefined)
        throw notValid('Parameter(s) EventPattern or ScheduleExpression must be specified.');
      const given = { name: Name, pattern: EventPattern, state: State, description: Description };
      return { RuleArn: buses.putRule(EventBusName, given).arn };
    },
    EnableRule: (input) => setState(input, 'ENABLED'),
    DisableRule: (input) => setState(input, 'DISABLED'),
    DeleteRule: (input) => {
      const { Name, EventBusName } = named.parse(input);
      const { rules } = buses.busOf(EventBusName);
      if ((rules.get(Name)?.targets.size ?? 0) > 0)
        throw notValid("Rule can't be deleted since it has targets.");
      rules.delete(Name);
      return {};
    },
    ListRules: (input) => {
      const { EventBusName, NamePrefix } = onBus.extend({ NamePrefix: z.string().default('') }).parse(input);
      const { name, rules } = buses.busOf(EventBusName);
      const listed = [...rules.values()].filter((rule) => rule.name.startsWith(NamePrefix));
      return { Rules: listed.map((rule) => describe(rule, name)) };
    },
  };
}

function targetOperations(buses: Buses): Record<string, Operation> {
  return {
    PutTargets: (input) => {
      const { Rule, EventBusName, Targets } = ofRule.extend({ Targets: z.array(target) }).parse(input);
      const { targets } = buses.ruleOf(Rule, EventBusName);
      for (const { Id, Arn, ...shaping } of Targets) {
        const [unsupported] = Object.keys(shaping);
        if (unsupported !== undefined)
          throw notValid(`This stand-in delivers whole events: ${unsupported} is not supported.`);
        targets.set(Id, { Id, Arn });
      }
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
    RemoveTargets: (input) => {
      const { Rule, EventBusName, Ids } = ofRule.extend({ Ids: z.array(z.string()) }).parse(input);
      const { targets } = buses.ruleOf(Rule, EventBusName);
      for (const id of Ids) targets.delete(id);
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
    ListTargetsByRule: (input) => {
      const { Rule, EventBusName } = ofRule.parse(input);
      return { Targets: [...buses.ruleOf(Rule, EventBusName).targets.values()] };
    },
  };
}

const describe = (rule: Rule, busName: string) => ({
  Name: rule.name,
  Arn: rule.arn,
  EventPattern: rule.pattern,
  State: rule.state,
  Description: rule.description,
  EventBusName: busName,
});

function readEvent(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notValid('Parameter Event is not valid.');
  }
}
