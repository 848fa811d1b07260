import { Conflict, InvalidInput, NotFound, NotSignedIn, PackageRefused } from '../src/errors.ts';
import type { H5pContent as ContentFacts } from '../src/h5p/content.ts';
import { builder, connectionOf, languageArg, pageComplexity, pageSize } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Division, H5pContent, H5pLibrary, Person } from './refs.ts';
import { PackageProblem } from './refusal.ts';

H5pLibrary.implement({
  description:
    'An H5P library (a content type, or what one is made of) at one full version. Its bytes are kept once for all contents that are played with it.',
  fields: (t) => ({
    machineName: t.exposeString('machineName', { description: 'e.g. `H5P.MultiChoice`.' }),
    version: t.string({
      description:
        'major.minor.patch. Contents name major and minor; which patch they get was fixed when they came.',
      resolve: ({ majorVersion, minorVersion, patchVersion }) =>
        `${majorVersion}.${minorVersion}.${patchVersion}`,
    }),
    title: t.exposeString('title', { description: 'As the library calls itself.' }),
    contentCount: t.int({
      description: 'How many of the contents that the viewer may see are played with it.',
      resolve: async ({ id }, _args, context) => context.services.h5p.countContents(id),
    }),
  }),
});

builder.node(H5pContent, {
  name: 'H5pContent',
  description:
    'An H5P content that was uploaded. It never changes: another upload, and an upgrade of its libraries, make another one. Visible to authors of its division.',
  id: { resolve: (content) => content.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.h5p.find(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'mainLibraryId' in value,
  fields: (t) => ({
    title: t.exposeString('title', { description: 'From its h5p.json.' }),
    contentLanguage: t.exposeString('contentLanguage', {
      description: 'Language code from its h5p.json; `und` where it does not say.',
    }),
    division: t.field({
      type: Division,
      description: 'For which it was uploaded.',
      resolve: async (content, _args, context) => (await context.load.division.load(content.divisionCode))!,
    }),
    hash: t.exposeString('hash', {
      description: 'Names it in addresses: over its own bytes and those of all its libraries.',
    }),
    size: t.float({
      description: 'Bytes of its own files, unpacked, without its libraries.',
      resolve: ({ size }) => size,
    }),
    mainLibrary: t.field({
      type: H5pLibrary,
      description: 'The content type that plays it.',
      resolve: async (content, _args, context) =>
        (await context.services.h5p.listLibraries(content.id)).find(
          ({ id }) => id === content.mainLibraryId,
        )!,
    }),
    libraries: t.field({
      type: [H5pLibrary],
      description: 'All that it is played with, by name.',
      resolve: async (content, _args, context) => context.services.h5p.listLibraries(content.id),
    }),
    upgrades: t.field({
      type: [H5pLibrary],
      description: 'Newer patches of its libraries that are known; `upgradeH5pContent` takes them.',
      resolve: async (content, _args, context) => context.services.h5p.listUpgrades(content.id),
    }),
    upgradedFrom: t.field({
      type: H5pContent,
      nullable: true,
      description: 'The same content with older libraries.',
      resolve: async (content, _args, context) =>
        content.upgradedFromId === null
          ? null
          : ((await context.services.h5p.find(signedIn(context), content.upgradedFromId)) ?? null),
    }),
    warnings: t.field({
      type: [PackageProblem],
      description: 'What did not stand in the way, and an author should look at.',
      resolve: ({ warnings }) => [...warnings],
    }),
    uploadedBy: t.field({
      type: Person,
      nullable: true,
      description: 'Who uploaded it, or asked for the upgrade.',
      resolve: async (content, _args, context) =>
        (await context.load.named.load(content.uploadedById)) ?? null,
    }),
    uploadedAt: t.expose('uploadedAt', { type: 'DateTime', description: 'When.' }),
    playerUrl: t.string({
      args: { language: t.arg(languageArg) },
      description: 'Page on the content origin that plays it, as in `Activity.playerUrl`.',
      resolve: ({ hash }, { language }, context) =>
        `${context.services.contentUrl}/player/${hash}?language=${language}`,
    }),
    exportUrl: t.string({
      description: 'Where it can be had as a `.h5p` that other H5P hosts take, by who may see it.',
      resolve: ({ id }, _args, context) => `${context.services.publicUrl}/h5p/${id}.h5p`,
    }),
  }),
});

builder.queryField('h5pContents', (t) =>
  t.connection({
    type: H5pContent,
    nullable: true,
    description:
      'Uploaded contents of a division and all below it, the latest first. null for a division that is not the viewer’s to author for.',
    complexity: pageComplexity,
    args: { divisionCode: t.arg.string({ required: true, description: 'Whose contents.' }) },
    resolve: async (_root, args, context) => {
      const size = pageSize(args);
      const after = args.after ?? undefined;
      if (after !== undefined && !/^\d{1,18}$/.test(after))
        throw new InvalidInput('after', 'This cursor is not one that contents were listed with.');
      const contents = await context.services.h5p.list(signedIn(context), args.divisionCode, {
        after,
        limit: size + 1,
      });
      return contents === undefined ? null : connectionOf(contents, size, (content) => content.id);
    },
  }),
);

const UploadH5pInput = builder.inputType('UploadH5pInput', {
  description: 'A package, and for whom.',
  fields: (t) => ({
    divisionCode: t.string({ required: true, description: 'The division whose authors are to have it.' }),
    file: t.field({
      type: 'File',
      required: true,
      description:
        'A `.h5p` as H5P editors and hosts export it. Libraries that it leaves out must be known here, in its major and minor version.',
    }),
  }),
});
const UploadH5pPayload = builder
  .objectRef<{ content: ContentFacts; added: boolean }>('UploadH5pPayload')
  .implement({
    description: 'The package was taken in.',
    fields: (t) => ({
      h5pContent: t.field({
        type: H5pContent,
        description: 'With its warnings.',
        resolve: ({ content }) => content,
      }),
      added: t.exposeBoolean('added', { description: 'false: the division had the very same content.' }),
    }),
  });

builder.mutationField('uploadH5p', (t) =>
  t.field({
    type: UploadH5pPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, PackageRefused] },
    description:
      'Takes in an H5P package, whole or not at all. It is judged by the H5P specification; what other H5P hosts mend or pass over is a warning. A library that claims a known version with other bytes is refused.',
    args: { input: t.arg({ type: UploadH5pInput, required: true, description: 'What, for whom.' }) },
    resolve: async (_root, { input }, context) =>
      context.services.h5p.upload(signedIn(context), {
        divisionCode: input.divisionCode,
        file: { name: input.file.name, size: input.file.size, stream: () => input.file.stream() },
      }),
  }),
);

const UpgradeH5pContentInput = builder.inputType('UpgradeH5pContentInput', {
  description: 'Which content is to be played with newer libraries.',
  fields: (t) => ({ h5pContentId: t.id({ required: true, description: 'The content.' }) }),
});
const UpgradeH5pContentPayload = builder
  .objectRef<{ content: ContentFacts }>('UpgradeH5pContentPayload')
  .implement({
    description: 'There is an upgraded content.',
    fields: (t) => ({
      h5pContent: t.field({
        type: H5pContent,
        description: 'A content of its own; `upgradedFrom` is the one before, which is played as it was.',
        resolve: ({ content }) => content,
      }),
    }),
  });

builder.mutationField('upgradeH5pContent', (t) =>
  t.field({
    type: UpgradeH5pContentPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict, PackageRefused] },
    description:
      'Gives a content the newest patch of each of its libraries: never by itself, and never another minor version, whose upgrade scripts need an editor. NO_UPGRADE where there is none.',
    args: { input: t.arg({ type: UpgradeH5pContentInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, context) => ({
      content: await context.services.h5p.upgrade(
        signedIn(context),
        localId(input.h5pContentId, 'H5pContent', 'input.h5pContentId'),
      ),
    }),
  }),
);
