/**
 * Where an engine does otherwise than AWS, by the sentence of its scenario that is not so there, with what it does
 * instead. Sluice leans on none of it. A sentence that is listed here must fail.
 */
export type Service = 'table' | 'stream' | 'bus' | 'mail' | 'failures' | 'cache' | 'search';

const recordless = 'it gives a record, whose images are alike';

export const differences: Record<Service, Partial<Record<string, Readonly<Record<string, string>>>>> = {
  table: {},
  stream: {
    dynoxide: {
      'no record comes of putting what is there': recordless,
      'no record comes of putting its set in another order': recordless,
      'no record comes of putting its number in other digits': recordless,
      'no record comes of setting what is set': recordless,
      'no record comes of adding nothing': recordless,
      'no record comes of taking away what it lacks': recordless,
      'a page has no more than 1 MB': 'it has up to 1,000 records of any size',
      'a shard that is still written to has no last number': 'it has that of its newest record',
      'a table made again has another stream, and the former name never gives that':
        'the former name gives records of both',
    },
    dynamodb: {
      'a page has no more than 1 MB': 'it has up to 1,000 records of any size',
      'a place taken while a stream was empty is still its beginning later':
        'TrimmedDataAccessException, once any table of the server was written to in between',
      'a record says in which second it was made': 'it says in which minute',
    },
  },
  bus: {
    ministack: {
      'an event bears the time that it was put with, in whole seconds': 'it bears the time when it came',
      'a bad entry fails alone, in its own place': 'nothing is asked of an entry',
      'an entry that lacks one thing has its own result even when it is alone':
        'nothing is asked of an entry',
      'an entry that lacks something says what': 'nothing is asked of an entry',
      'a detail that is no object is malformed': 'nothing is asked of an entry',
      'a call without entries is refused': 'it is taken',
      'a call of 1 MB is refused': 'it is taken',
      'a rule goes only without its targets': 'its targets go with it',
      'a rule that is not there can be neither disabled nor given targets': 'nothing is said',
    },
    moto: {
      'an event says whose account it comes from': 'it does not',
      'a detail that is no object is malformed': 'it is taken',
      'a call without entries is refused': 'it is taken',
      'a call of 1 MB is refused': 'it is taken',
      'a disabled rule delivers nothing until it is enabled again': 'it delivers all the same',
      'a pattern can be tested against an event': 'it gives no result',
    },
  },
  mail: {
    'stand-in': {
      'a mail from an address that nobody verified is not sent, and can be tried again':
        'it goes out: a local run begins with nothing verified',
      'a mail that names a configuration set that is not there is not sent':
        'it goes out: there are none here',
    },
    ministack: {
      'its tags are kept': 'they are not',
      'a mail without a sender is refused': 'it is taken',
      'a mail without a recipient is refused': 'it is taken',
      'a mail to more than 50 is refused': 'it is taken',
      'a mail without a subject is refused': 'it is taken',
      'a mail without a body is refused': 'it is taken',
      'a mail with a line break in its subject is refused': 'its answer is no XML',
      'a mail with a bad address to reply to is refused': 'it is taken',
      'a mail with a tag of other characters is refused': 'it is taken',
    },
    moto: {
      'its text goes out beside its HTML': 'it keeps the HTML alone',
      'its tags are kept': 'they are not',
      'a mail that names a configuration set that is not there is not sent': 'it goes out',
      'a mail without a sender is refused': 'as MessageRejected, which the sender would try again',
      'a mail without a recipient is refused': 'it is taken',
      'a mail to more than 50 is refused': 'as MessageRejected, which the sender would try again',
      'a mail without a subject is refused': 'it is taken',
      'a mail without a body is refused': 'it is taken',
      'a mail with a line break in its subject is refused': 'it is taken',
      'a mail to an address with letters beyond ASCII is refused': 'it is taken',
      'a mail with a bad address to reply to is refused': 'it is taken',
      'a mail with a tag of other characters is refused': 'it is taken',
    },
  },
  failures: {},
  cache: {},
  search: {
    'stand-in': {
      'an index that is not there is made by a write that does not ask for an alias':
        'it is not: nobody here guesses mappings',
      'an index that is not there is made by a removal that names a version': 'it is not',
    },
  },
};
