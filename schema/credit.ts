import { builder, connectionOf, pageComplexity, pageSize } from './builder.ts';
import { CertificatePathEnum } from './certificate.ts';
import { signedIn } from './context.ts';
import { CreditRecord } from './refs.ts';

const KindEnum = builder.enumType('CreditRecordKind', {
  description: 'EARNED by a certificate; WITHDRAWN when that certificate is revoked.',
  values: { EARNED: { value: 'earned' }, WITHDRAWN: { value: 'withdrawn' } } as const,
});

CreditRecord.implement({
  description: 'A credit record 学时记录, as the title system books it.',
  fields: (t) => ({
    kind: t.expose('kind', { type: KindEnum, description: 'Earned or withdrawn.' }),
    certificateNumber: t.exposeString('certificateNumber', {
      description: 'The certificate it stands on; with `kind` the idempotency key.',
    }),
    certificatePath: t.expose('certificatePath', {
      type: CertificatePathEnum,
      description:
        'How that certificate came about; hours of one that was not earned are as people recognized.',
    }),
    evidenceGrade: t.exposeString('evidenceGrade', {
      nullable: true,
      description: 'How well it is backed: A, B or C, as the certificate says; null where it says none.',
    }),
    personName: t.exposeString('personName', { description: "The holder's name at issue." }),
    staffNumber: t.exposeString('staffNumber', {
      nullable: true,
      description: 'For matching in the title system.',
    }),
    certificationCode: t.exposeString('certificationCode', { description: 'Of the certification.' }),
    certificationTitle: t.exposeString('certificationTitle', { description: 'In Chinese.' }),
    organizationName: t.exposeString('organizationName', {
      nullable: true,
      description: 'Where the holder worked at issue.',
    }),
    countyCode: t.exposeString('countyCode', { nullable: true, description: 'County of that organization.' }),
    classHours: t.exposeFloat('classHours', { description: 'Class hours 学时.' }),
    earnedOn: t.expose('earnedOn', { type: 'Date', description: 'Day of issue.' }),
    recordedAt: t.expose('recordedAt', { type: 'DateTime', description: 'When the record was made.' }),
  }),
});

builder.queryField('creditRecords', (t) =>
  t.connection({
    type: CreditRecord,
    description:
      'The feed for title systems, oldest first. Keep `endCursor` and ask again after it: nothing is missed and nothing comes twice. For HR verifiers.',
    complexity: pageComplexity,
    resolve: async (_root, args, context) => {
      const size = pageSize(args);
      const records = await context.services.titles.listFeed(signedIn(context), {
        after: args.after ?? undefined,
        limit: size + 1,
      });
      return connectionOf(records, size, (record) => record.cursor);
    },
  }),
);
