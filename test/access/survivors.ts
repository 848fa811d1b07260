const HELD =
  'asked of an object that nobody but somebody signed in has got hold of; it only names the viewer';
const COORDINATORS = 'only a coordinator sets targets, and may see people wherever they may';
/** The second lock (src/db/lock.ts) stands behind it: what is switched off here, the policy of the table still refuses. */
const locked = (table: string, sees: string): string =>
  `the policy of ${table} gives these rows to nobody but ${sees}`;
const nobody = (table: string): string => `the policy of ${table} gives no row to nobody`;

/**
 * Checks that may go without anything in the matrix telling it, each with the reason. `path: check → what it was switched to`.
 */
export const survivors: Readonly<Record<string, string>> = {
  'schema/attempt.ts: exams.getSat(… signedIn(context) …) → somebody': HELD,
  'schema/attempt.ts: practice.list(… signedIn(context) …) → somebody': HELD,
  'schema/attempt.ts: practice.listResults(… signedIn(context) …) → somebody': HELD,
  'schema/accommodation.ts: builder.node(… context.viewer === undefined …) → false': nobody('accommodations'),
  'schema/accommodation.ts: t.field(… context.viewer === undefined …) → false': nobody('posts'),
  'src/assessment/exam.service.ts: isSelf(viewer, sitting.personId) → true': locked(
    'attempts',
    'whose they are, a token only with SELF',
  ),
  'src/assessment/accommodation.service.ts: input.personId === viewer.personId → false':
    'no coordinator of this world works as a teacher (test/assessment/accommodation.test.ts has one); the policy and the table refuse it too',
  'src/assessment/accommodation.service.ts: found.personId === viewer.personId → false':
    'no coordinator of this world works as a teacher; the policy of accommodations refuses it too',
  'schema/coverage.ts: coverage.listUncovered(… signedIn(context) …) → somebody': HELD,
  'schema/efficacy.ts: efficacy.findOwn(… signedIn(context) …) → somebody': HELD,
  'schema/roster-doubt.ts: people.find(… signedIn(context) …) → somebody': HELD,
  'schema/roster.ts: roster.listRefusals(… signedIn(context) …) → somebody': HELD,
  'schema/roster.ts: t.field(… signedIn(context) …) → somebody':
    'the GraphQL door has refused the upload of nobody before',
  'schema/simulation.ts: simulations.findOwn(… signedIn(context) …) → somebody': HELD,
  'schema/snapshot.ts: snapshots.find(… signedIn(context) …) → somebody': HELD,
  'schema/snapshot.ts: snapshots.findUnit(… signedIn(context) …) → somebody': HELD,
  "src/coverage/indicator.service.ts: may(viewer, 'people.read', division) → true": COORDINATORS,
  "src/coverage/staffing.service.ts: may(viewer, 'people.read', division) → true": COORDINATORS,
  'src/http/graphql.ts: viewer === undefined → false':
    'it spares reading what nobody uploads; the mutation refuses it as well',
  'schema/attempt.ts: builder.node(… context.viewer === undefined …) → false': nobody('attempts'),
  'schema/simulation.ts: builder.node(… context.viewer === undefined …) → false': nobody('simulation_runs'),
  'schema/certificate.ts: builder.node(… context.viewer === undefined …) → false': nobody('certificates'),
  'schema/certificate.ts: t.field(… context.viewer === undefined …) → false': nobody('certificates'),
  'schema/context.ts: viewer === undefined → false': HELD,
  'schema/grant.ts: builder.node(… context.viewer === undefined …) → false': nobody('role_grants'),
  'schema/issue-request.ts: builder.node(… context.viewer === undefined …) → false': nobody('issue_requests'),
  'schema/issue-request.ts: issueRequests.importOld(… signedIn(context) …) → somebody':
    'the GraphQL door has refused the upload of nobody before',
  'schema/journal.ts: people.find(… signedIn(context) …) → somebody': HELD,
  'schema/people.ts: builder.node(… context.viewer === undefined …) → false': nobody('people'),
  'schema/programme.ts: builder.node(… context.viewer === undefined …) → false': nobody('cohorts'),
  'schema/roster-doubt.ts: builder.node(… context.viewer === undefined …) → false': nobody('roster_doubts'),
  'schema/roster.ts: builder.node(… context.viewer === undefined …) → false': nobody('roster_imports'),
  'schema/time.ts: builder.node(… context.viewer === undefined …) → false': nobody('time_flags'),
  'schema/snapshot.ts: builder.node(… context.viewer === undefined …) → false': nobody('snapshots'),
  'src/access/grant.service.ts: isSelf(viewer, viewer.personId) → true': locked(
    'role_grants',
    'the person, a token only with SELF, and who reads or gives grants there',
  ),
  "src/audit/audit.service.ts: scopesOf(viewer, 'journal.read') → nation": locked(
    'journal_entries',
    'auditors of the units that they concern',
  ),
  'src/learning/flag.service.ts: isSelf(viewer, flag.personId) → true': locked(
    'time_flags',
    'whom it is about, a token only with SELF, and who judges where they work',
  ),
  'src/learning/flag.service.ts: mayJudge(viewer, flag.personId) → true': locked(
    'time_flags',
    'whom it is about, a token only with SELF, and who judges where they work',
  ),
  'src/learning/flag.service.ts: found.personId === viewer.personId → false':
    'no coordinator here has a flag of their own, and the policy of time_flags lets nobody write about themselves; test/learning/flag.test.ts asks as one',
  'src/certification/certificate.service.ts: isSelf(viewer, certificate.personId) → true': locked(
    'certificates',
    'the holder and who reads certificates where the holder works or it was issued',
  ),
  "src/certification/certificate.service.ts: mayWith(viewer, 'certificate.read', certificate) → true": locked(
    'certificates',
    'the holder and who reads certificates where the holder works or it was issued',
  ),
  'src/certification/certificate.service.ts: isSelf(viewer, viewer.personId) → true': locked(
    'certificates',
    'the holder, a token only with SELF',
  ),
  "src/coverage/coverage.service.ts: may(viewer, 'people.read', division) → true": COORDINATORS,
  "src/coverage/snapshot.service.ts: may(viewer, 'coverage.read', place) → true": locked(
    'snapshots',
    'who sees coverage of the unit or of one that it holds',
  ),
  'src/db/apply-lock.ts: viewer === undefined → false':
    'nobody who asks: the rights of a role on a table, which test/db/lock.test.ts asks for',
  'src/http/graphql.ts: mayIntrospect(introspection, viewer) → true':
    'the contract is told to everybody where there are samples; test/http/rates.test.ts asks where it is not',
  'src/http/graphql.ts: viewer !== undefined → true':
    'the contract is told to everybody where there are samples; test/http/rates.test.ts asks where it is not',
  'src/http/session.ts: viewer === undefined → false':
    'it asks again who was let in before, for a session that ends meanwhile',
  'src/people/acting.ts: scopesOf(viewer,permission).map(… scopesOf(viewer, permission) …) → nation':
    'it is the second lock itself: the services refuse before; test/db/lock.test.ts asks it alone',
  'src/people/acting.ts: JSON.stringify(… isSelf(viewer, viewer.personId) …) → true':
    'it is the second lock itself: the services refuse before; test/db/lock.test.ts asks it alone',
  'src/people/contact.service.ts: isSelf(viewer, viewer.personId) → true': locked(
    'person_contacts',
    'the person, a token only with SELF, and who reads people there',
  ),
  "src/people/contact.service.ts: posts.filter(… may(viewer, 'people.read', place) …) → true": locked(
    'person_contacts',
    'the person and who reads people there',
  ),
  'src/people/contact.service.ts: personIds.filter(… isSelf(viewer, id) …) → true': locked(
    'person_contacts',
    'the person and who reads people there',
  ),
  'src/people/people.service.ts: isSelf(viewer, viewer.personId) → true': locked(
    'posts',
    'the person, a token only with SELF, and who works with people there',
  ),
  "src/people/roster/import.service.ts: may(viewer, 'roster.import', division) → true": locked(
    'roster_imports',
    'who imports rosters of the division',
  ),
  "src/programmes/programme.service.ts: may(viewer, 'cohort.assign', place) → true": locked(
    'cohorts',
    'who assigns cohorts of the unit',
  ),
  'src/programmes/programme.service.ts: isSelf(viewer, viewer.personId) → true': locked(
    'assignments',
    'the person, a token only with SELF, and who assigns the cohort',
  ),
  'src/certification/verification.service.ts: certificates.filter(… isSelf(viewer, personId) …) → true':
    'the matrix hears that a list is answered, not whether a name in it is masked; test/certification/verification.test.ts asks as the holder, a colleague and HR',
  'src/certification/verification.service.ts: certificates.filter(… isSelf(viewer, personId) …) → false':
    'the matrix hears that a list is answered, not whether a name in it is masked; test/certification/verification.test.ts asks as the holder, a colleague and HR',
  "src/certification/verification.service.ts: get(organizationId)),issuer,].some(… may(viewer, 'certificate.read', place) …) → true":
    'the matrix hears that a list is answered, not whether a name in it is masked; test/certification/verification.test.ts asks as the holder, a colleague and HR',
  'src/certification/verification.service.ts: isSelf(viewer, certificate.personId) → true': locked(
    'verification_counts',
    'the holder',
  ),
  'src/http/verification.ts: Math.ceil(… viewer === undefined …) → false':
    'it makes lists dearer for strangers; test/certification/verification.test.ts runs out of them',
  "src/lti/account.service.ts: may(viewer, 'lti.link', place.division) → true": locked(
    'lti_accounts',
    'who links accounts of the platform',
  ),
  "src/lti/account.service.ts: may(viewer, 'lti.link', (await placeOf(account)).division) → true": locked(
    'lti_accounts',
    'who links accounts of the platform',
  ),
  "src/lti/account.service.ts: may(viewer, 'people.read', division) → true":
    'only a coordinator links accounts, and may see people wherever they may',
  "src/lti/registration.service.ts: may(viewer, 'lti.register', division) → true": locked(
    'lti_registrations',
    'who registers platforms or links accounts there',
  ),
  "src/lti/registration.service.ts: may(viewer, 'lti.link', division) → true": locked(
    'lti_registrations',
    'who registers platforms or links accounts there',
  ),
  'schema/certificate.ts: t.string(… context.viewer !== undefined …) → true': HELD,
  'schema/h5p.ts: builder.node(… context.viewer === undefined …) → false': nobody('h5p_contents'),
  'schema/h5p.ts: h5p.find(… signedIn(context) …) → somebody': HELD,
  'schema/h5p.ts: h5p.upload(… signedIn(context) …) → somebody':
    'the GraphQL door has refused the upload of nobody before',
  'schema/lti-account.ts: builder.node(… context.viewer === undefined …) → false': nobody('lti_accounts'),
  'schema/lti-account.ts: platforms.find(… signedIn(context) …) → somebody': HELD,
  'schema/lti-account.ts: platformAccounts.listCandidates(… signedIn(context) …) → somebody': HELD,
  'schema/lti-account.ts: people.find(… signedIn(context) …) → somebody': HELD,
  'schema/lti-grade.ts: builder.node(… context.viewer === undefined …) → false': nobody('assignments'),
  'schema/lti-grade.ts: t.field(… context.viewer === undefined …) → false': HELD,
  'schema/lti-registration.ts: builder.node(… context.viewer === undefined …) → false':
    nobody('lti_registrations'),
  'schema/lti-roster.ts: platformRosters.listContexts(… signedIn(context) …) → somebody': HELD,
  'schema/lti-roster.ts: platformRosters.listOf(… signedIn(context) …) → somebody': HELD,
};
