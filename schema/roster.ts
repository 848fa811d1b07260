import { Conflict, InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import type { Progress } from '../src/people/roster/import.repository.ts';
import { builder, connectionOf, languageArg, pageComplexity, pageSize } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { rowsPerSecond, secondsLeft, type Pace } from './pace.ts';
import { Division, RosterImport, RosterRefusal } from './refs.ts';

const StateEnum = builder.enumType('RosterImportState', {
  description:
    'QUEUED until the worker has done it; CHECKED when it was a dry run; REFUSED when a file was not what it says or would end too much, CANCELLED when somebody stopped it: then nothing was written.',
  values: {
    QUEUED: { value: 'queued' },
    APPLIED: { value: 'applied' },
    CHECKED: { value: 'checked' },
    REFUSED: { value: 'refused' },
    CANCELLED: { value: 'cancelled' },
  } as const,
});

RosterRefusal.implement({
  description: 'A row, or a part of one, that did not go in.',
  fields: (t) => ({
    file: t.exposeString('file', { description: 'File name.' }),
    line: t.exposeInt('line', { description: 'Line on which the row begins; the header is line 1.' }),
    column: t.exposeString('column', {
      nullable: true,
      description: 'Column; null when the whole row is meant.',
    }),
    value: t.exposeString('value', {
      nullable: true,
      description: 'What stood there; identity numbers are masked.',
    }),
    reason: t.string({
      description: 'Why, for a person.',
      args: { language: t.arg(languageArg) },
      resolve: ({ reason }, { language }) => reason[language],
    }),
  }),
});

const PhaseEnum = builder.enumType('RosterImportPhase', {
  description:
    'What an import is doing: reading the files, comparing with what is known, writing, counting coverage.',
  values: {
    READING: { value: 'reading' },
    MATCHING: { value: 'matching' },
    WRITING: { value: 'writing' },
    COUNTING: { value: 'counting' },
  } as const,
});

const ImportProgress = builder.objectRef<Progress>('RosterImportProgress').implement({
  description: 'How far an import is. A crash takes it back to its beginning, and nothing is done twice.',
  fields: (t) => ({
    phase: t.expose('phase', { type: PhaseEnum, description: 'What it is doing.' }),
    rowsDone: t.exposeInt('rowsDone', { description: 'Rows done in this phase.' }),
    rowsTotal: t.exposeInt('rowsTotal', {
      description: 'Rows of this phase; at most so many while the files are being read.',
    }),
    rowsPerSecond: t.float({
      nullable: true,
      description: 'Since the phase began; null in its first moment.',
      resolve: (progress) => rowsPerSecond(paceOf(progress)),
    }),
    secondsLeft: t.float({
      nullable: true,
      description: 'Until this phase is over, at the rate it had so far.',
      resolve: (progress) => secondsLeft(paceOf(progress)),
    }),
  }),
});

function paceOf(progress: Progress): Pace {
  return { ...progress, beganAt: progress.phaseBeganAt, beganWith: 0 };
}

builder.node(RosterImport, {
  name: 'RosterImport',
  description: 'One upload of a roster. Visible to those who may import for its division.',
  id: { resolve: (rosterImport) => rosterImport.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.roster.find(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'rowsRead' in value,
  fields: (t) => ({
    state: t.expose('state', { type: StateEnum, description: 'Ask again while it is QUEUED.' }),
    division: t.field({
      type: Division,
      description: 'What it was for; rows outside were refused.',
      resolve: async (rosterImport, _args, context) =>
        (await context.load.division.load(rosterImport.divisionCode))!,
    }),
    source: t.exposeString('source', { description: 'Whose numbering the sourcedIds belong to.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was taken in.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was over, however it ended.',
    }),
    reason: t.string({
      nullable: true,
      description: 'Why the whole import was refused.',
      args: { language: t.arg(languageArg) },
      resolve: ({ reason }, { language }) => reason?.[language] ?? null,
    }),
    refusalsUrl: t.string({
      nullable: true,
      description:
        'Where the refused rows can be downloaded as a workbook, the cells at fault marked: GET with the same Authorization header, `?language=en` for English. null where none was refused.',
      resolve: (rosterImport, _args, context) =>
        rosterImport.rowsRefused === 0
          ? null
          : `${context.services.publicUrl}/roster-imports/${rosterImport.id}/refusals.xlsx`,
    }),
    rowsRead: t.exposeInt('rowsRead', { description: 'Rows of all its files, or sheets.' }),
    rowsIgnored: t.exposeInt('rowsIgnored', {
      description: 'Students and parents: read over and never stored.',
    }),
    rowsRefused: t.exposeInt('rowsRefused', { description: 'Rows with at least one refusal.' }),
    organizationsAdded: t.exposeInt('organizationsAdded', { description: 'New organizations.' }),
    organizationsChanged: t.exposeInt('organizationsChanged', {
      description: 'Known organizations that changed.',
    }),
    peopleAdded: t.exposeInt('peopleAdded', { description: 'New people.' }),
    peopleChanged: t.exposeInt('peopleChanged', { description: 'Known people that changed.' }),
    postsAdded: t.exposeInt('postsAdded', { description: 'New posts.' }),
    postsChanged: t.exposeInt('postsChanged', { description: 'Posts that ended or changed.' }),
    postsEnded: t.exposeInt('postsEnded', { description: 'Of these, the open posts that ended.' }),
    peopleMissing: t.exposeInt('peopleMissing', {
      description: 'People whose posts ended because the file, which lists everybody, leaves them out.',
    }),
    progress: t.field({
      type: ImportProgress,
      nullable: true,
      description: 'While it is being worked on; null before and after.',
      resolve: (rosterImport) => rosterImport.progress,
    }),
    cancelRequested: t.exposeBoolean('cancelRequested', {
      description:
        'Somebody has asked it to stop. It does when the step in hand is over or, while it waits for another import of its source, when its turn comes; unless it is done by then.',
    }),
    hasFiles: t.exposeBoolean('hasFiles', {
      description:
        'Whether `repeatRosterImport` can do it again without another upload: not once applied, nor after a day.',
    }),
    dryRun: t.exposeBoolean('dryRun', {
      description: 'Whether the numbers tell what would have been done; nothing was.',
    }),
    refusals: t.connection({
      type: RosterRefusal,
      description: 'What did not go in, in file and line order.',
      complexity: pageComplexity,
      resolve: async (rosterImport, args, context) => {
        const size = pageSize(args);
        const after = args.after ?? undefined;
        if (after !== undefined && !/^\d{1,18}$/.test(after))
          throw new InvalidInput('after', 'This cursor is not one of this list.');
        return connectionOf(
          await context.services.roster.listRefusals(signedIn(context), rosterImport.id, {
            after,
            limit: size + 1,
          }),
          size,
          (refusal) => refusal.id,
        );
      },
    }),
  }),
});

const ImportRosterInput = builder.inputType('ImportRosterInput', {
  description: 'A roster, and whose it is.',
  fields: (t) => ({
    divisionCode: t.string({
      required: true,
      description: 'The division whose roster this is; rows outside it are refused.',
    }),
    source: t.string({
      description:
        "Whose numbering the sourcedIds belong to; by default the division's own. Keep it the same from import to import.",
    }),
    dryRun: t.boolean({
      defaultValue: false,
      required: true,
      description: 'Tell what would be added, changed, ended and refused, and write nothing.',
    }),
    mostEnded: t.float({
      description:
        'The share of open posts, 0 to 1, that the import may end; 0.2 when left out. One that would end more is refused whole and says how many: a file that was cut off looks like that.',
    }),
    endMissing: t.boolean({
      description:
        'Whether whoever holds a post at an organization that the file lists with staff, and is not in the file, has left. When left out, as the file says: a manifest.csv with bulk files lists everybody, other files only tell of those they name.',
    }),
    files: t.field({
      type: ['File'],
      required: true,
      description:
        'OneRoster 1.1 or 1.2 CSV, bulk or delta: one zip, or the files of it that are read (manifest.csv, orgs.csv, users.csv, and in 1.2 roles.csv). Or one workbook (.xlsx) with the columns of `/roster-template.xlsx`.',
    }),
  }),
});
const ImportRosterPayload = builder
  .objectRef<{ rosterImport: typeof RosterImport.$inferType }>('ImportRosterPayload')
  .implement({
    description: 'The upload was taken in.',
    fields: (t) => ({
      rosterImport: t.field({
        type: RosterImport,
        description: 'QUEUED; ask `node(id:)` until it is done.',
        resolve: (payload) => payload.rosterImport,
      }),
    }),
  });

builder.mutationField('importRoster', (t) =>
  t.field({
    type: ImportRosterPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput] },
    description:
      'Takes in a roster. The worker applies it in one transaction: what is faulty in a row is refused with its place and reason, and the rest goes in. The same files twice change nothing.',
    args: { input: t.arg({ type: ImportRosterInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const viewer = signedIn(context);
      const files = input.files.map((file) => ({
        name: file.name,
        size: file.size,
        stream: () => file.stream(),
      }));
      return {
        rosterImport: await context.services.roster.request(viewer, {
          divisionCode: input.divisionCode,
          source: input.source ?? null,
          dryRun: input.dryRun,
          mostEnded: input.mostEnded ?? null,
          endMissing: input.endMissing ?? null,
          files,
        }),
      };
    },
  }),
);

const CancelRosterImportInput = builder.inputType('CancelRosterImportInput', {
  description: 'Which import is to stop.',
  fields: (t) => ({ rosterImportId: t.id({ required: true, description: 'The import.' }) }),
});
const CancelRosterImportPayload = builder
  .objectRef<{ rosterImport: typeof RosterImport.$inferType }>('CancelRosterImportPayload')
  .implement({
    description: 'The import was asked to stop, or was over already.',
    fields: (t) => ({
      rosterImport: t.field({
        type: RosterImport,
        description: 'CANCELLED soon; as it ended, where it was over.',
        resolve: (payload) => payload.rosterImport,
      }),
    }),
  });

builder.mutationField('cancelRosterImport', (t) =>
  t.field({
    type: CancelRosterImportPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput] },
    description:
      'Stops an import that is not over. It writes nothing then, and can be repeated. One that takes in a row that was decided (`decideRosterDoubt`) goes on.',
    args: { input: t.arg({ type: CancelRosterImportInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, context) => ({
      rosterImport: await context.services.roster.cancel(
        signedIn(context),
        localId(input.rosterImportId, 'RosterImport', 'input.rosterImportId'),
      ),
    }),
  }),
);

const RepeatRosterImportInput = builder.inputType('RepeatRosterImportInput', {
  description: 'Which import is to be done again, and how.',
  fields: (t) => ({
    rosterImportId: t.id({
      required: true,
      description: 'One that was checked, refused or cancelled, and still has its files.',
    }),
    dryRun: t.boolean({
      defaultValue: false,
      required: true,
      description: 'Only tell, again; by default it is applied.',
    }),
    mostEnded: t.float({ description: 'As in `ImportRosterInput`; as before when left out.' }),
    endMissing: t.boolean({ description: 'As in `ImportRosterInput`; as before when left out.' }),
  }),
});
const RepeatRosterImportPayload = builder
  .objectRef<{ rosterImport: typeof RosterImport.$inferType }>('RepeatRosterImportPayload')
  .implement({
    description: 'The import was begun again.',
    fields: (t) => ({
      rosterImport: t.field({
        type: RosterImport,
        description: 'A new one, QUEUED. The earlier one stays as it ended, and has its files no more.',
        resolve: (payload) => payload.rosterImport,
      }),
    }),
  });

builder.mutationField('repeatRosterImport', (t) =>
  t.field({
    type: RepeatRosterImportPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Does an import again with the files it was given: the way on from a dry run, or after one that stopped and asked. NO_FILES where they are gone.',
    args: { input: t.arg({ type: RepeatRosterImportInput, required: true, description: 'Which and how.' }) },
    resolve: async (_root, { input }, context) => ({
      rosterImport: await context.services.roster.repeat(
        signedIn(context),
        localId(input.rosterImportId, 'RosterImport', 'input.rosterImportId'),
        { dryRun: input.dryRun, mostEnded: input.mostEnded ?? null, endMissing: input.endMissing ?? null },
      ),
    }),
  }),
);
