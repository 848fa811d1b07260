import { Conflict, InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import { builder, connectionOf, languageArg, pageComplexity, pageSize } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Certification, Cohort, Division, RoleEnum } from './refs.ts';
import { Unit, unitOf } from './region.ts';

builder.node(Certification, {
  name: 'Certification',
  description: 'The rule: who must hold what, for how long. (The document a person holds is a Certificate.)',
  id: { resolve: (certification) => certification.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.load.certification.load(id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'courseSlug' in value,
  fields: (t) => ({
    code: t.exposeString('code', { description: 'Unique in its division.' }),
    title: t.string({
      args: { language: t.arg(languageArg) },
      description: 'Title, as certificates bear it.',
      resolve: (certification, { language }) => certification.title[language],
    }),
    roles: t.expose('roles', { type: [RoleEnum], description: 'Roles that must hold it.' }),
    validityMonths: t.exposeInt('validityMonths', {
      nullable: true,
      description: 'How long a certificate is valid; null = it does not expire.',
    }),
    renewalMonths: t.exposeInt('renewalMonths', {
      nullable: true,
      description:
        'The recertification window: so many months before a certificate runs out its holder is assigned anew, if they still hold one of the roles. null = nobody is on their own.',
    }),
    renewalCourseSlug: t.exposeString('renewalCourseSlug', {
      nullable: true,
      description: 'The course for renewing; null = the same as the first time.',
    }),
    division: t.field({
      type: Division,
      description: 'Who set the rule; it holds there and below.',
      resolve: async (certification, _args, context) =>
        (await context.load.division.load(certification.divisionCode))!,
    }),
    issuerName: t.exposeString('issuerName', { description: 'Who issues, as certificates bear it.' }),
    template: t.string({
      description: 'Template and version of its certificates, as `standard/2`.',
      resolve: ({ template, templateVersion }) => `${template}/${templateVersion}`,
    }),
    minimumHoursShare: t.exposeFloat('minimumHoursShare', {
      description:
        "How much of the course's declared time must be in the time ledger before a certificate is issued, from 0 to 1.",
    }),
    classHourMinutes: t.exposeInt('classHourMinutes', {
      description: 'How long a class hour 学时 is in this jurisdiction.',
    }),
  }),
});

builder.queryField('certifications', (t) =>
  t.connection({
    type: Certification,
    description: 'Certifications in force where the viewer may read coverage, oldest first.',
    complexity: pageComplexity,
    resolve: async (_root, args, context) => {
      const size = pageSize(args);
      const after = args.after ?? undefined;
      if (after !== undefined && !/^\d{1,18}$/.test(after))
        throw new InvalidInput('after', 'This cursor is not one of this list.');
      if (context.viewer === undefined) return connectionOf([], size, () => '');
      return connectionOf(
        await context.services.programmes.listForViewer(context.viewer, { after, limit: size + 1 }),
        size,
        (certification) => certification.id,
      );
    },
  }),
);

export const TextInput = builder.inputType('TextInput', {
  description: 'A text in both languages.',
  fields: (t) => ({
    zhCN: t.string({ required: true, description: 'Chinese.' }),
    en: t.string({ required: true, description: 'English.' }),
  }),
});

const PlanCertificationInput = builder.inputType('PlanCertificationInput', {
  description: 'The rule to set.',
  fields: (t) => ({
    code: t.string({
      required: true,
      description: 'Short name, unique in the division: lower-case letters, digits, hyphens.',
    }),
    title: t.field({ type: TextInput, required: true, description: 'As certificates will bear it.' }),
    courseSlug: t.string({ required: true, description: 'The course that leads to it.' }),
    roles: t.field({ type: [RoleEnum], required: true, description: 'Roles that must hold it.' }),
    validityMonths: t.int({ description: 'How long a certificate is valid; null = it does not expire.' }),
    renewalMonths: t.int({
      description:
        'The recertification window: so many months before a certificate runs out its holder is assigned anew, each night. From 1 to 24, fewer than `validityMonths`, which it takes beside it. null = nobody is on their own.',
    }),
    renewalCourseSlug: t.string({
      description:
        'The course for renewing, which may be shorter; null = the same one. It takes `renewalMonths` beside it.',
    }),
    divisionCode: t.string({ required: true, description: 'Who sets the rule; it holds there and below.' }),
    issuerName: t.string({ required: true, description: 'Who issues, as certificates will bear it.' }),
    template: t.string({
      description:
        'Name of a template of certificates/, taken in its latest version and kept for good; `standard` when left out. One of another jurisdiction is refused.',
    }),
    minimumHoursShare: t.float({
      description:
        "How much of the course's declared time must be in the time ledger before a certificate is issued, from 0 to 1; half when left out.",
    }),
    classHourMinutes: t.int({
      description: 'How long a class hour 学时 is, from 30 to 60 minutes; 45 when left out.',
    }),
  }),
});
const PlanCertificationPayload = builder
  .objectRef<{ certification: typeof Certification.$inferType }>('PlanCertificationPayload')
  .implement({
    description: 'The certification was planned.',
    fields: (t) => ({
      certification: t.field({
        type: Certification,
        description: 'The new certification.',
        resolve: (payload) => payload.certification,
      }),
    }),
  });

builder.mutationField('planCertification', (t) =>
  t.field({
    type: PlanCertificationPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Sets a rule for a division. Refused with CODE_TAKEN where the division has one of this code.',
    args: { input: t.arg({ type: PlanCertificationInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      certification: await context.services.programmes.plan(signedIn(context), {
        ...input,
        title: { 'zh-CN': input.title.zhCN, en: input.title.en },
        validityMonths: input.validityMonths ?? null,
        template: input.template ?? undefined,
        renewalMonths: input.renewalMonths ?? null,
        renewalCourseSlug: input.renewalCourseSlug ?? null,
        minimumHoursShare: input.minimumHoursShare ?? undefined,
        classHourMinutes: input.classHourMinutes ?? undefined,
      }),
    }),
  }),
);

builder.node(Cohort, {
  name: 'Cohort',
  description: 'People assigned together. Visible to those who may assign in its unit.',
  id: { resolve: (cohort) => cohort.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.programmes.findCohort(context.viewer, id)) ?? null),
  isTypeOf: (value) =>
    typeof value === 'object' &&
    value !== null &&
    'certificationId' in value &&
    'role' in value &&
    'dueOn' in value &&
    !('period' in value),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'For people.' }),
    role: t.expose('role', { type: RoleEnum, description: 'The role that was assigned.' }),
    certification: t.field({
      type: Certification,
      description: 'What is to be earned.',
      resolve: async (cohort, _args, context) =>
        (await context.load.certification.load(cohort.certificationId))!,
    }),
    unit: t.field({
      type: Unit,
      description: 'Where.',
      resolve: async (cohort, _args, context) =>
        cohort.divisionCode !== null
          ? (await context.load.division.load(cohort.divisionCode))!
          : (await context.load.organization.load(cohort.organizationId!))!,
    }),
    dueOn: t.expose('dueOn', { type: 'Date', nullable: true, description: 'By when.' }),
    assignmentCount: t.int({
      description: 'People whose assignment came with this cohort.',
      resolve: async (cohort, _args, context) => context.services.programmes.countAssignments(cohort.id),
    }),
  }),
});

const AssignCohortInput = builder.inputType('AssignCohortInput', {
  description: 'Whom to assign, to what, until when.',
  fields: (t) => ({
    certificationId: t.id({ required: true, description: 'What is to be earned.' }),
    unitId: t.id({ required: true, description: 'A Division (with all below it) or an Organization.' }),
    role: t.field({
      type: RoleEnum,
      required: true,
      description: 'Everybody who holds this role there today.',
    }),
    dueOn: t.field({ type: 'Date', description: 'By when.' }),
    name: t.string({ description: 'For people; made from unit, role and day when left out.' }),
  }),
});
const AssignCohortPayload = builder
  .objectRef<{ cohort: typeof Cohort.$inferType; assigned: number; alreadyAssigned: number }>(
    'AssignCohortPayload',
  )
  .implement({
    description: 'The cohort was assigned.',
    fields: (t) => ({
      cohort: t.field({ type: Cohort, description: 'The new cohort.', resolve: (payload) => payload.cohort }),
      assigned: t.exposeInt('assigned', {
        description: 'People newly assigned, for the first time or anew.',
      }),
      alreadyAssigned: t.exposeInt('alreadyAssigned', {
        description: 'People who had this assignment already and keep it.',
      }),
    }),
  });

builder.mutationField('assignCohort', (t) =>
  t.field({
    type: AssignCohortPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput] },
    description:
      'Assigns everybody who holds a role in a unit today. Doing it again adds those who came since, and nobody twice; but whose certificate was revoked, has expired or ends within the recertification window is assigned anew.',
    args: { input: t.arg({ type: AssignCohortInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      context.services.programmes.assignCohort(signedIn(context), {
        certificationId: localId(input.certificationId, 'Certification', 'input.certificationId'),
        unit: unitOf(input.unitId, 'input.unitId'),
        role: input.role,
        dueOn: input.dueOn ?? null,
        name: input.name ?? null,
      }),
  }),
);
