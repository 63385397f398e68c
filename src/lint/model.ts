/** What a document says about streams, in one form whichever tool it is written for. */
import type { Node } from './document.ts';

export type Resource = { id: string; type: string; node: Node; properties: Node | undefined };

/** The settings of a mapping, each where it is written. */
export type Settings = {
  stream?: Node | undefined;
  enabled?: Node | undefined;
  startingPosition?: Node | undefined;
  batchWindow?: Node | undefined;
  retries?: Node | undefined;
  recordAge?: Node | undefined;
  responseTypes?: Node | undefined;
  /** The ARN of the on-failure destination. */
  destination?: Node | undefined;
  /** What the destination is, where that is said apart. */
  destinationType?: Node | undefined;
  /** Patterns: objects, or JSON in a string. */
  filters?: readonly Node[] | undefined;
};

/** The rights of a function. */
export type Role = {
  statements: readonly Node[];
  /** Rights that are not in the document, by what grants them. */
  elsewhere: readonly Node[];
  /** Where statements are to be added, */
  at: string;
  /** and in which form. */
  asPolicy(statements: readonly unknown[]): readonly unknown[];
  /** Of the Serverless Framework: all functions share it, and it gets rights by itself. */
  shared: boolean;
};

/** Whose names the settings bear: the Serverless Framework's, or CloudFormation's (and SAM's). */
export type Form = 'serverless' | 'cloudformation';

export type Mapping = {
  form: Form;
  /** Where it stands. */
  at: Node;
  /** What it reads; `unknown` is a stream of one of the two kinds. */
  source: 'dynamodb' | 'kinesis' | 'unknown';
  settings: Settings;
  /** Absent where the role is not in the document. */
  role: Role | undefined;
  /** Whether the tool that deploys adds the right to send to this destination. */
  granted: boolean;
  /** The logical id that the Serverless Framework gives it: `resources.extensions` goes by it. */
  extension: string | undefined;
};

/** What sends to a queue by the queue's own policy. */
export type Sender = { service: 'events.amazonaws.com' | 'sns.amazonaws.com'; queue: Node };

export type Model = {
  json: boolean;
  /** Where resources can be added: the path of what holds `Resources` and `extensions`. */
  section: string;
  mappings: readonly Mapping[];
  resources: ReadonlyMap<string, Resource>;
  /** Queues and topics that functions read, by their ARNs. */
  consumed: readonly Node[];
  /** Other readers of table streams than functions: pipes. */
  pipes: readonly Node[];
  senders: readonly Sender[];
  /** Everywhere that something is set aside, by ARN. */
  parking: readonly Node[];
  /** Parts of which the document does not say enough, and why. */
  unclear: readonly { node: Node; why: string }[];
};
