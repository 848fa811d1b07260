import { NotFound } from '../src/errors.ts';
import { gapOf, rateOf } from '../src/coverage/coverage.ts';
import { builder } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Certification, Coverage, RoleEnum } from './refs.ts';
import { Unit, unitOf } from './region.ts';

Coverage.implement({
  description:
    'Coverage 覆盖率 of a certification, for roles, in a unit, on a day: distinct people who hold the role there that day and a certificate valid that day ÷ distinct people who hold the role there that day. An expired or revoked certificate covers nobody.',
  fields: (t) => ({
    certification: t.field({
      type: Certification,
      description: 'Of what.',
      resolve: ({ certification }) => certification,
    }),
    unit: t.field({ type: Unit, description: 'Where.', resolve: ({ unit }) => unit }),
    roles: t.field({
      type: [RoleEnum],
      description: 'Of whom; a person with two of these roles counts once.',
      resolve: ({ roles }) => [...roles],
    }),
    day: t.expose('day', { type: 'Date', description: 'On which day, in China.' }),
    covered: t.exposeInt('covered', { description: 'The numerator, in people.' }),
    total: t.exposeInt('total', { description: 'The denominator, in people.' }),
    gap: t.int({ description: 'People to go.', resolve: gapOf }),
    rate: t.float({
      nullable: true,
      description: '0 to 1; null where nobody holds the role.',
      resolve: (coverage) => rateOf(coverage) ?? null,
    }),
    children: t.field({
      type: [Coverage],
      description:
        'The units right below (prefectures, counties, then organizations); those where nobody holds the role are left out. Empty for an organization.',
      complexity: { field: 20, multiplier: 20 },
      resolve: async (coverage, _args, context) => context.services.coverage.listChildren(coverage),
    }),
  }),
});

builder.queryField('coverage', (t) =>
  t.field({
    type: Coverage,
    nullable: true,
    description:
      "Who is covered. null for a unit or certification that is not there or not the viewer's to see.",
    complexity: 10,
    args: {
      certificationId: t.arg.id({ required: true, description: 'Of what.' }),
      unitId: t.arg.id({ required: true, description: 'A Division (with all below it) or an Organization.' }),
      role: t.arg({ type: RoleEnum, description: 'Of whom; all roles of the certification when left out.' }),
      on: t.arg({ type: 'Date', description: 'Any past day, or today when left out.' }),
    },
    resolve: async (_root, { certificationId, unitId, role, on }, context) => {
      try {
        return await context.services.coverage.get(signedIn(context), {
          certificationId: localId(certificationId, 'Certification', 'certificationId'),
          unit: unitOf(unitId, 'unitId'),
          role: role ?? null,
          day: on ?? null,
        });
      } catch (error) {
        if (error instanceof NotFound) return null;
        throw error;
      }
    },
  }),
);
