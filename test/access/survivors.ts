const HELD =
  'asked of an object that nobody but somebody signed in has got hold of; it only names the viewer';
const COORDINATORS = 'only a coordinator sets targets, and may see people wherever they may';

/**
 * Checks that may go without anything in the matrix telling it, each with the reason. `path: check → what it was switched to`.
 */
export const survivors: Readonly<Record<string, string>> = {
  'schema/attempt.ts: exams.listItems(… signedIn(context) …) → somebody': HELD,
  'schema/coverage.ts: coverage.listUncovered(… signedIn(context) …) → somebody': HELD,
  'schema/roster-doubt.ts: people.find(… signedIn(context) …) → somebody': HELD,
  'schema/roster.ts: roster.listRefusals(… signedIn(context) …) → somebody': HELD,
  'schema/roster.ts: t.field(… signedIn(context) …) → somebody':
    'the GraphQL door has refused the upload of nobody before',
  'schema/snapshot.ts: snapshots.find(… signedIn(context) …) → somebody': HELD,
  'schema/snapshot.ts: snapshots.findUnit(… signedIn(context) …) → somebody': HELD,
  "src/coverage/coverage.service.ts: read(… may(viewer, 'people.read', division) …) → true": COORDINATORS,
  "src/coverage/indicator.service.ts: may(viewer, 'people.read', division) → true": COORDINATORS,
  "src/coverage/staffing.service.ts: may(viewer, 'people.read', division) → true": COORDINATORS,
  'src/http/export/door.ts: requireViewer(ctx.req, services.sessions) → somebody':
    'it stands there twice, before the first page and at each; one does where the other is missing',
  'src/http/graphql.ts: viewer === undefined → false':
    'it spares reading what nobody uploads; the mutation refuses it as well',
};
