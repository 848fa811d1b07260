import type { Accommodation as AccommodationFacts } from '../src/assessment/accommodation.ts';
import { Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn } from '../src/errors.ts';
import { builder } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Accommodation, Certification, Person } from './refs.ts';

builder.node(Accommodation, {
  name: 'Accommodation',
  description:
    'More time or attempts for one person in the exam of a certification: for who may give such where the person works. The learner sees what it gives at `exam { extraMinutes attemptsAllowed }`. Of several that hold at once, the most counts, never their sum.',
  id: { resolve: (accommodation) => accommodation.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.accommodations.find(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'extraTimePercent' in value,
  fields: (t) => ({
    person: t.field({
      type: Person,
      nullable: true,
      description: 'For whom.',
      resolve: async (of, _args, context) => (await context.load.named.load(of.personId)) ?? null,
    }),
    certification: t.field({
      type: Certification,
      description: 'In the exam of which.',
      resolve: async (of, _args, context) => (await context.load.certification.load(of.certificationId))!,
    }),
    extraTimePercent: t.exposeInt('extraTimePercent', {
      description: 'Of the minutes of the exam, rounded up to whole ones; 0 = none.',
    }),
    extraAttempts: t.exposeInt('extraAttempts', { description: 'Beyond those of the course.' }),
    reason: t.exposeString('reason', { description: 'Why; for those who may give such, and nobody else.' }),
    startsOn: t.expose('startsOn', { type: 'Date', description: 'First day.' }),
    endsOn: t.expose('endsOn', {
      type: 'Date',
      nullable: true,
      description: 'Last day on which an attempt may begin with it; null = until it is revoked.',
    }),
    grantedBy: t.field({
      type: Person,
      nullable: true,
      description: 'Who gave it.',
      resolve: async (of, _args, context) => (await context.load.named.load(of.grantedBy)) ?? null,
    }),
    grantedAt: t.expose('grantedAt', { type: 'DateTime', description: 'When it was given.' }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when no attempt begins with it any more; null unless it was revoked.',
    }),
  }),
});

builder.queryField('accommodations', (t) =>
  t.field({
    type: [Accommodation],
    nullable: true,
    description:
      "Somebody's accommodations, newest first, for who may give such where the person works today (ACCOMMODATION_GRANT). null for all others.",
    args: { personId: t.arg.id({ required: true, description: 'Whose.' }) },
    resolve: async (_root, { personId }, context) =>
      context.viewer === undefined
        ? null
        : ((await context.services.accommodations.listOf(
            context.viewer,
            localId(personId, 'Person', 'personId'),
          )) ?? null),
  }),
);

const payload = (name: string, description: string) =>
  builder.objectRef<{ accommodation: AccommodationFacts }>(name).implement({
    description,
    fields: (t) => ({
      accommodation: t.field({
        type: Accommodation,
        description: 'As it is now.',
        resolve: (each) => each.accommodation,
      }),
    }),
  });

const GrantAccommodationInput = builder.inputType('GrantAccommodationInput', {
  description: 'More time, more attempts or both, for whom, where, how long and why.',
  fields: (t) => ({
    personId: t.id({ required: true, description: 'For whom; never for oneself.' }),
    certificationId: t.id({ required: true, description: 'In the exam of which.' }),
    extraTimePercent: t.int({ description: '10 to 200 percent of its minutes; left out or 0 = none.' }),
    extraAttempts: t.int({ description: 'From 0 to 3; left out = none.' }),
    reason: t.string({
      required: true,
      description:
        'Why, in 1 to 200 characters: what the person needs, no more about their health than that takes.',
    }),
    startsOn: t.field({ type: 'Date', description: 'First day: today or later; left out = today.' }),
    endsOn: t.field({ type: 'Date', description: 'Last day, inclusive; left out = until it is revoked.' }),
  }),
});
builder.mutationField('grantAccommodation', (t) =>
  t.field({
    type: payload('GrantAccommodationPayload', 'Attempts that begin from then on have it.'),
    errors: { types: [NotSignedIn, NotFound, NotAllowed, InvalidInput] },
    description:
      'Gives a person more time or attempts in an exam, for coordinators where the person works today. An attempt that is open keeps its deadline.',
    args: { input: t.arg({ type: GrantAccommodationInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      accommodation: await context.services.accommodations.grant(signedIn(context), {
        personId: localId(input.personId, 'Person', 'input.personId'),
        certificationId: localId(input.certificationId, 'Certification', 'input.certificationId'),
        extraTimePercent: input.extraTimePercent ?? 0,
        extraAttempts: input.extraAttempts ?? 0,
        reason: input.reason,
        startsOn: input.startsOn ?? null,
        endsOn: input.endsOn ?? null,
      }),
    }),
  }),
);

const RevokeAccommodationInput = builder.inputType('RevokeAccommodationInput', {
  description: 'Which one ends.',
  fields: (t) => ({ accommodationId: t.id({ required: true, description: 'Which Accommodation.' }) }),
});
builder.mutationField('revokeAccommodation', (t) =>
  t.field({
    type: payload('RevokeAccommodationPayload', 'Attempts that begin from now on are without it.'),
    errors: { types: [NotSignedIn, NotFound, NotAllowed, InvalidInput, Conflict] },
    description:
      'Ends an accommodation at once; an attempt that is open keeps its deadline. ACCOMMODATION_REVOKED when it was before.',
    args: { input: t.arg({ type: RevokeAccommodationInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      accommodation: await context.services.accommodations.revoke(
        signedIn(context),
        localId(input.accommodationId, 'Accommodation', 'input.accommodationId'),
      ),
    }),
  }),
);
