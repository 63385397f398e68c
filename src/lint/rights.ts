/** Whether a role may do what a destination needs. */
import { type Answer, covers, glob, identityOf, type Resources } from './arn.ts';
import type { Node } from './document.ts';
import type { Role } from './model.ts';
import { isOpen, isVariable, items, member, textOf } from './node.ts';

/** One action on one thing; `within` a bucket, not on itself. */
export type Need = { action: string; on: string; within: boolean };

export function needed(identity: string, service: string | undefined): Need[] {
  if (service === 'sqs') return [{ action: 'sqs:SendMessage', on: identity, within: false }];
  if (service === 'sns') return [{ action: 'sns:Publish', on: identity, within: false }];
  if (service !== 's3') return [];
  return [
    { action: 's3:PutObject', on: `${identity}/aws/lambda/batch`, within: true },
    { action: 's3:ListBucket', on: identity, within: false },
  ];
}

export function allowed(resources: Resources, role: Role, { action, on }: Need): Answer {
  const answers = role.statements.map((one): Answer => {
    if (isVariable(one)) return 'maybe';
    if (textOf(member(one, 'Effect')) !== 'Allow') return 'no';
    return both(
      covering(member(one, 'Action'), (text) => {
        if (glob(text.toLowerCase(), action.toLowerCase())) return 'yes';
        return isOpen(text) ? 'maybe' : 'no';
      }),
      covering(member(one, 'Resource'), (text) => covers(identityOf(text, resources), on)),
    );
  });
  return best([...answers, ...role.elsewhere.map((policy) => managed(textOf(policy), action))]);
}

function covering(node: Node | undefined, answer: (text: string) => Answer): Answer {
  // NotAction and NotResource are nothing to guess at.
  return node === undefined ? 'maybe' : best(items(node).map((one) => answer(textOf(one))));
}

function best(answers: readonly Answer[]): Answer {
  return answers.includes('yes') ? 'yes' : answers.includes('maybe') ? 'maybe' : 'no';
}

function both(one: Answer, other: Answer): Answer {
  return one === 'no' || other === 'no' ? 'no' : one === 'yes' && other === 'yes' ? 'yes' : 'maybe';
}

/** Of AWS's own policies, those that are known to allow it, and those that are known not to. */
function managed(arn: string, action: string): Answer {
  const name = arn.split('/').at(-1) ?? '';
  const service = action.split(':')[0]?.toUpperCase();
  if (['AdministratorAccess', 'PowerUserAccess', `Amazon${service}FullAccess`].includes(name)) return 'yes';
  return /^AWSLambda(Basic|VPCAccess|DynamoDB|Kinesis)\w*Role$/.test(name) ? 'no' : 'maybe';
}
