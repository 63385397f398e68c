/** A batch exactly as Lambda delivers it from a stream with NEW_AND_OLD_IMAGES, and nothing else. */
import { z } from 'zod';

const number = z.string().regex(/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/);
const binary = z.base64();

const attribute: z.ZodType = z.lazy(() =>
  z.union([
    z.strictObject({ S: z.string() }),
    z.strictObject({ N: number }),
    z.strictObject({ B: binary }),
    z.strictObject({ BOOL: z.boolean() }),
    z.strictObject({ NULL: z.literal(true) }),
    z.strictObject({ SS: z.array(z.string()).min(1) }),
    z.strictObject({ NS: z.array(number).min(1) }),
    z.strictObject({ BS: z.array(binary).min(1) }),
    z.strictObject({ L: z.array(attribute) }),
    z.strictObject({ M: image }),
  ]),
);
const image = z.record(z.string(), attribute);

const keyAttribute = z.union([
  z.strictObject({ S: z.string().min(1) }),
  z.strictObject({ N: number }),
  z.strictObject({ B: binary }),
]);

const streamRecord = {
  ApproximateCreationDateTime: z.int().min(1_700_000_000).max(2_500_000_000),
  Keys: z.record(z.string(), keyAttribute).refine((keys) => [1, 2].includes(Object.keys(keys).length)),
  SequenceNumber: z.string().regex(/^\d{21,40}$/),
  SizeBytes: z.int().positive(),
  StreamViewType: z.literal('NEW_AND_OLD_IMAGES'),
};

const record = {
  eventID: z.string().regex(/^[0-9a-f]{32}$/),
  eventVersion: z.literal('1.1'),
  eventSource: z.literal('aws:dynamodb'),
  awsRegion: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  eventSourceARN: z
    .string()
    .regex(
      /^arn:aws:dynamodb:[a-z0-9-]+:\d{12}:table\/[A-Za-z0-9._-]{3,255}\/stream\/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/,
    ),
};

const byEvent = [
  z.strictObject({
    ...record,
    eventName: z.literal('INSERT'),
    dynamodb: z.strictObject({ ...streamRecord, NewImage: image }),
  }),
  z.strictObject({
    ...record,
    eventName: z.literal('MODIFY'),
    dynamodb: z.strictObject({ ...streamRecord, NewImage: image, OldImage: image }),
  }),
  z.strictObject({
    ...record,
    eventName: z.literal('REMOVE'),
    dynamodb: z.strictObject({ ...streamRecord, OldImage: image }),
    userIdentity: z.optional(
      z.strictObject({ type: z.literal('Service'), principalId: z.literal('dynamodb.amazonaws.com') }),
    ),
  }),
] as const;

export const recordingSchema = z.strictObject({
  Records: z.array(z.discriminatedUnion('eventName', byEvent)).min(1).max(10_000),
});
