import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessData } from '../../src/access/personal-data.repository.ts';
import { assessmentData } from '../../src/assessment/personal-data.repository.ts';
import { simulationData } from '../../src/assessment/simulation-data.repository.ts';
import { certificateData } from '../../src/certification/personal-data.repository.ts';
import { projectFolder, usualRetentionDays } from '../../src/config.ts';
import { coverageData } from '../../src/coverage/personal-data.repository.ts';
import { learningData } from '../../src/learning/personal-data.repository.ts';
import { ltiData } from '../../src/lti/personal-data.repository.ts';
import { partTitles } from '../../src/people/personal-data-page.ts';
import { makePeopleData } from '../../src/people/personal-data.repository.ts';
import { ERASED_NAME } from '../../src/people/personal-data.ts';
import { makeSeal } from '../../src/people/sealing.ts';
import { fileOf } from '../../src/people/roster/upload.ts';
import { h5pData } from '../../src/h5p/personal-data.repository.ts';
import { programmeData } from '../../src/programmes/personal-data.repository.ts';
import { openZip } from '../../src/sheets/zip.ts';
import { titleData } from '../../src/titles/personal-data.repository.ts';
import { findInDatabase } from '../support/search.ts';
import {
  answerKeys,
  assignTeachers,
  finishActivities,
  importRoster,
  sitExam,
  smallRoster,
  startService,
  SUBMIT,
  TestClock,
  until,
  type Learner,
  type TestService,
} from '../support/service.ts';

const keepers = [
  makePeopleData(makeSeal([{ id: '1', key: Buffer.alloc(32) }], 'contacts')),
  accessData,
  h5pData,
  programmeData,
  learningData,
  assessmentData,
  simulationData,
  certificateData,
  titleData,
  coverageData,
  ltiData,
];
const parts = keepers.flatMap((keeper) => keeper.parts);
const gid = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64');

const PREVIEW = `blocked erasedAt confirmation parts { name rows fate }`;
const OWN_PREVIEW = `{ viewer { erasurePreview { ${PREVIEW} } } }`;
const THEIR_PREVIEW = `query ($id: ID!) { erasurePreview(personId: $id) { ${PREVIEW} } }`;
const ERASE_OWN = `mutation ($confirmation: String!) { eraseOwnData(input: { confirmation: $confirmation }) { __typename
  ... on EraseOwnDataPayload { erasure { state ground } } ... on Refusal { code message } } }`;
const ERASE = `mutation ($input: ErasePersonalDataInput!) { erasePersonalData(input: $input) { __typename
  ... on ErasePersonalDataPayload { erasure { state ground } } ... on Refusal { code message } } }`;

/** The files of a zip by their names, which are told in small letters. */
async function unzip(bytes: Buffer): Promise<Map<string, Buffer>> {
  const limits = { files: 100, bytes: 100 * 1024 * 1024, ratio: 1_000 };
  const zip = await openZip(fileOf({ name: 'my-data.zip', bytes }), limits);
  const files = new Map<string, Buffer>();
  for (const path of zip.paths) files.set(path, await buffer(zip.open(path)));
  return files;
}

describe('what is held about people', () => {
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  let certificate: { number: string; verificationCode: string };

  const query = async <T = Record<string, string>>(sql: string, values: unknown[] = []): Promise<T[]> =>
    (await service.database.pool.query(sql, values)).rows as T[];
  const personId = async (sourceId: string): Promise<string> =>
    (await query('select person_id from person_sources where source_id = $1', [sourceId]))[0]!['person_id']!;
  const signIn = async (key: string): Promise<string> =>
    (
      await service.ask(
        null,
        `mutation ($key: String!) { signInSample(input: { key: $key }) { ... on SignInSamplePayload { token } } }`,
        { key },
      )
    ).data.signInSample.token;
  const saveState = async (learner: Learner): Promise<void> => {
    const { data } = await service.ask(
      learner.key,
      `query ($id: ID!) { node(id: $id) { ... on Assignment { activities { activity { key } } } } }`,
      { id: learner.assignmentId },
    );
    await service.ask(
      learner.key,
      `mutation ($input: SaveUserStateInput!) { saveUserState(input: $input) { __typename } }`,
      {
        input: {
          assignmentId: learner.assignmentId,
          activityKey: data.node.activities[0].activity.key,
          language: 'zh_CN',
          baseVersion: 0,
          data: `{"slide":"marked-state-${learner.key}"}`,
        },
      },
    );
  };
  const answerScale = async (learner: Learner): Promise<void> => {
    const { data } = await service.ask(
      learner.key,
      `query ($id: ID!) { node(id: $id) { ... on Assignment { efficacy { scale { items { key } } } } } }`,
      { id: learner.assignmentId },
    );
    await service.ask(
      learner.key,
      `mutation ($input: AnswerEfficacyInput!) { answerEfficacy(input: $input) { __typename } }`,
      {
        input: {
          assignmentId: learner.assignmentId,
          wave: 'BEFORE',
          answers: (data.node.efficacy.scale.items as { key: string }[]).map(({ key }) => ({
            itemKey: key,
            answer: 2,
          })),
        },
      },
    );
  };
  /** Ends the posts that somebody holds, as a roster does that lists others. */
  const leave = async (id: string): Promise<void> => {
    await query(`update posts set ends_on = $2 where ends_on is null and person_id = $1`, [id, '2030-03-03']);
    await service.app.ledger.rebuild();
  };
  const erased = async (id: string): Promise<void> => {
    await until(async () =>
      (await query(`select from erasures where person_id = $1 and state <> 'queued'`, [id])).length > 0
        ? true
        : undefined,
    );
  };

  beforeAll(async () => {
    clock = new TestClock('2030-03-04T04:00:00Z');
    service = await startService({ clock });
    ({ learners } = await assignTeachers(service, ['t1', 't2', 't3']));
    for (const learner of learners.slice(0, 2)) {
      await answerScale(learner);
      await saveState(learner);
      await finishActivities(service, learner);
    }
    const [one, two] = learners as [Learner, Learner];
    await service.ask(one.key, SUBMIT, { id: await sitExam(service, one, { right: true }) });
    await service.ask(two.key, SUBMIT, { id: await sitExam(service, two, { right: false }) });
    certificate = await until(
      async () =>
        (
          await query<{ number: string; verificationCode: string }>(
            'select number, verification_code as "verificationCode" from certificates',
          )
        )[0],
    );
    await service.ask(
      't1',
      `mutation { setOwnContacts(input: { email: "marked@mail.cn", mobile: "13812340000" }) { __typename } }`,
    );
    await signIn('t1');
    await importRoster(
      service,
      smallRoster([{ id: 't1', family: '王', given: '小明', orgs: 's9', roles: 'nothing' }]),
    );
    await query(
      `insert into role_grants (person_id, role, division_code, starts_on, ends_on, reason) select $1, 'auditor', '430121', '2028-01-01', '2029-01-01', '王小明marked-reason'`,
      [await personId('t1')],
    );
    await query(
      `insert into roster_doubts (source, source_id, division_code, kind, import_id, line, name, staff_number, leaves, complete, posts, candidate_ids, state, person_id, reason, decided_at)
       select 'division:430121', 't1-old', '430121', 'namesake', (select max(id) from roster_imports), 2, '王小明', 'T-77', false, true, '[{"organization_ref": "s1", "role": "class_teacher"}]', array[$1::bigint], 'decided', $1, 'marked-decision', '2030-01-01'`,
      [await personId('t1')],
    );
  });
  afterAll(async () => service.stop());

  describe('is mapped', () => {
    it('table by table: whatever hangs on a person is in a part of the export', async () => {
      const keys = await query<{ from: string; to: string; column: string }>(`
        select k.conrelid::regclass::text as from, k.confrelid::regclass::text as to, a.attname as column
        from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any(k.conkey)
        join pg_class c on c.oid = k.conrelid and not c.relispartition where k.contype = 'f'`);
      const named = await query<{ table: string }>(`
        select table_name as table from information_schema.columns
        where table_schema = 'public' and table_name not like 'kysely%' and (column_name ~ 'person|people_id|candidate|^actor$|_by$|holder|email|phone|mobile|staff_number|identity' or column_name in ('cells'))`);
      // What hangs on what is a person's own: an attempt on an assignment.
      const own = new Set(['people']);
      for (let size = 0; size < own.size;) {
        size = own.size;
        for (const { from, to, column } of keys)
          if (own.has(to) && !column.endsWith('_by') && column !== 'doubt_id') own.add(from);
      }
      const all = new Set([
        ...own,
        ...named.map(({ table }) => table),
        ...keys.filter(({ to }) => to === 'people').map(({ from }) => from),
      ]);
      // Counts of people, by unit and role.
      all.delete('coverage_totals');
      const mapped = new Set(parts.flatMap((part) => part.tables));
      expect(all.size).toBeGreaterThan(25);
      expect([...all].filter((table) => !mapped.has(table))).toEqual([]);
    });

    it('for people to read: each part has a name in both languages, once', () => {
      const names = parts.map((part) => part.name);
      expect(new Set(names).size).toBe(names.length);
      expect(Object.keys(partTitles).toSorted()).toEqual(names.toSorted());
    });

    it('in DATA.md: every table of the database, with the columns it has, and how long what is kept is kept', () => {
      const read = (file: string): string => readFileSync(join(projectFolder, file), 'utf8');
      const shape = new Map(
        read('migrations/shape.txt')
          .split('\n\n')
          .map((block) => {
            const [head = '', ...lines] = block.split('\n');
            const columns = lines.flatMap((line) => /^ {2}([a-z_0-9]+) [a-z]/.exec(line)?.[1] ?? []);
            return [/^table (\w+)/.exec(head)![1]!, columns] as const;
          }),
      );
      const page = read('src/people/DATA.md');
      const lines = [...page.slice(0, page.indexOf('## How long')).matchAll(/^\| `(\w+)` +\| (.+?) \|/gm)];
      const none = /Tables without personal data:([\s\S]+?)\n\n/.exec(page)![1]!;
      const withNone = [...none.matchAll(/`(\w+)`/g)].map((match) => match[1]!);
      const withSome = lines.map((match) => match[1]!).filter((table) => shape.has(table));
      expect([...withSome, ...withNone].toSorted()).toEqual([...shape.keys()].toSorted());
      for (const [, table, columns] of lines) {
        if (!shape.has(table!)) continue;
        const named = [...columns!.matchAll(/`(\w+)`/g)].map((match) => match[1]!);
        expect({ table, missing: named.filter((name) => !shape.get(table!)!.includes(name)) }).toEqual({
          table,
          missing: [],
        });
        expect({ table, columns: named.length > 0 }).toEqual({ table, columns: true });
      }
      // What is mapped there is what is exported.
      const exported = new Set(parts.flatMap((part) => part.tables));
      // An upload is nobody’s own, and gone within a day.
      expect(withSome.filter((table) => table !== 'roster_import_files').toSorted()).toEqual(
        [...exported].toSorted(),
      );
      for (const [rule, days] of Object.entries(usualRetentionDays))
        expect(page).toMatch(new RegExp(`^\\| \`${rule}\` +\\| ${days} +\\|`, 'm'));
      const rules = keepers.flatMap((keeper) => keeper.retention ?? []).map((rule) => rule.name);
      expect([...rules, 'people'].toSorted()).toEqual(Object.keys(usualRetentionDays).toSorted());
    });
  });

  describe('can be taken away by the person', () => {
    let files: Map<string, Buffer>;
    let data: Record<string, Record<string, unknown>[]>;
    beforeAll(async () => {
      const answer = await service.fetch('/my-data.zip', 't1');
      if (answer.headers.get('content-type') !== 'application/zip') throw new Error(await answer.text());
      files = await unzip(Buffer.from(await answer.arrayBuffer()));
      data = JSON.parse(files.get('data.json')!.toString()) as typeof data;
    });

    it('as JSON with every part, a page, and the certificates as they were issued', async () => {
      expect(Object.keys(data)).toEqual(['format', 'exportedAt', ...parts.map((part) => part.name)]);
      expect(data).toMatchObject({
        person: [{ name: '王小明', has_identity_hash: false }],
        sources: [{ source: 'division:430121', source_id: 't1' }],
        contacts: [
          { kind: 'email', value: 'marked@mail.cn', told_by: 'person' },
          { kind: 'mobile', value: '13812340000', told_by: 'person' },
        ],
        posts: [{ role: 'class_teacher', ends_on: null }],
        grants: [{ role: 'auditor', reason: '王小明marked-reason' }],
        roster_doubts: [{ name: '王小明', staff_number: 'T-77', reason: 'marked-decision' }],
        certificates: [{ number: certificate.number, claims: { holderName: '王小明' } }],
        credit_records: [{ kind: 'earned', certificate: certificate.number }],
        attempts: [{ number: 1, passed: true }],
        efficacy_answers: [
          { wave: 'before', scale: 'gatekeeper-confidence', answers: Array.from({ length: 10 }, () => 2) },
        ],
      });
      expect(data['sessions']!.length).toBeGreaterThan(0);
      expect(data['progress']!.length).toBeGreaterThan(0);
      // Conversations are had with the service: no statements tell of them.
      expect(data['conversations']!.length).toBe(4);
      expect(data['conversation_moves']!.length).toBeGreaterThan(10);
      expect(data['statements']!.length).toBe(data['progress']!.length - data['conversations']!.length);
      expect(data['saved_states']).toMatchObject([{ data: '{"slide":"marked-state-t1"}' }]);
      expect(data['responses']!.length).toBeGreaterThan(5);
      expect(data['journal']!.map((entry) => entry['action'])).toEqual(
        expect.arrayContaining([
          'attempt.start',
          'attempt.grade',
          'certificate.issue',
          'contacts.set',
          'person.export',
        ]),
      );
      expect(data['roster_refusals']).toMatchObject([
        { cells: expect.arrayContaining(['t1', '王', '小明']) },
      ]);
      const pdf = files.get(`certificates/${certificate.number.toLowerCase()}.pdf`)!;
      const [kept] = await query<{ pdf_digest: string }>('select pdf_digest from certificates');
      expect(createHash('sha256').update(pdf).digest('hex')).toBe(kept!.pdf_digest);
      const page = files.get('index.html')!.toString();
      for (const text of ['王小明', 'marked@mail.cn', '学时记录', 'Credit records', 'marked-state'])
        expect(page).toContain(text);
      expect(page).not.toContain('indicator_imports');
    });

    it('with no answer key, no secret of a session, and nothing of anybody else', async () => {
      const text = [...files.values()].map((file) => file.toString('latin1')).join('\n');
      for (const [key, right] of await answerKeys(service)) {
        expect(right.length).toBeGreaterThan(0);
        expect(text).not.toContain(`"${key}","correct"`);
      }
      expect(text).not.toMatch(/"(correct|isRight|rationale|seed|token_hash|identity_hash|sealed)"/);
      const hashes = await query(`select encode(token_hash, 'hex') as hash from sessions`);
      for (const { hash } of hashes) expect(text).not.toContain(hash);
      const json = files.get('data.json')!.toString();
      expect(json).not.toContain('小红');
      expect(json).not.toContain(`person:${await personId('t2')}`);
    });

    it('by nobody else, and not without a session', async () => {
      expect((await service.fetch('/my-data.zip')).status).toBe(401);
      const other = await unzip(Buffer.from(await (await service.fetch('/my-data.zip', 't3')).arrayBuffer()));
      expect(other.get('data.json')!.toString()).not.toContain('marked');
      expect([...other.keys()]).toEqual(['data.json', 'index.html']);
    });

    it('page by page, however many rows there are', async () => {
      await query(
        `insert into statements (assignment_id, id, activity_key, verb, statement, stored_at)
         select a.id, gen_random_uuid(), 'x', 'x', jsonb_build_object('n', n), now() from assignments a, generate_series(1, 450) n where person_id = $1`,
        [await personId('t3')],
      );
      const { statements } = JSON.parse(
        (await unzip(Buffer.from(await (await service.fetch('/my-data.zip', 't3')).arrayBuffer())))
          .get('data.json')!
          .toString(),
      ) as { statements: { statement: { n: number } }[] };
      expect(new Set(statements.map(({ statement }) => statement.n)).size).toBe(450);
    });
  });

  describe('can be erased', () => {
    const own = async (as: string) => (await service.ask(as, OWN_PREVIEW)).data.viewer.erasurePreview;

    it('not while a post is held, a grant holds, or a row waits that may be about the person', async () => {
      const preview = await own('t1');
      expect(preview).toMatchObject({ blocked: 'POST_OPEN', erasedAt: null });
      expect(
        (await service.ask('t1', ERASE_OWN, { confirmation: preview.confirmation })).data.eraseOwnData,
      ).toMatchObject({ __typename: 'Conflict', code: 'POST_OPEN' });
      expect((await own('coordinator')).blocked).toBe('GRANT_OPEN');
      const id = await personId('t3');
      await leave(id);
      await query(
        `update roster_doubts set state = 'open', decided_at = null, person_id = null, candidate_ids = array[$1::bigint] where source_id = 't1-old'`,
        [id],
      );
      expect((await own('t3')).blocked).toBe('DOUBT_OPEN');
      await query(
        `update roster_doubts set state = 'decided', decided_at = '2030-01-01', person_id = $1 where source_id = 't1-old'`,
        [await personId('t1')],
      );
      expect((await own('t3')).blocked).toBeNull();
    });

    it('after a look at what goes and what stays, and only as it was seen', async () => {
      await leave(await personId('t1'));
      const preview = await own('t1');
      const fates = Object.fromEntries(
        (preview.parts as { name: string; fate: string }[]).map(({ name, fate }) => [name, fate]),
      );
      expect(fates).toMatchObject({
        person: 'STRIPPED',
        sources: 'REMOVED',
        contacts: 'REMOVED',
        posts: 'KEPT',
        statements: 'REMOVED',
        responses: 'REMOVED',
        certificates: 'KEPT',
        credit_records: 'KEPT',
        sessions: 'REMOVED',
        roster_refusals: 'REMOVED',
      });
      await signIn('t1');
      expect(
        (await service.ask('t1', ERASE_OWN, { confirmation: preview.confirmation })).data.eraseOwnData.code,
      ).toBe('PREVIEW_CHANGED');
    });

    it('by coordinators of where the person worked last, and for all others the person is not there', async () => {
      const id = gid('Person', await personId('t3'));
      const preview = async (as: string) =>
        (await service.ask(as, THEIR_PREVIEW, { id })).data?.erasurePreview;
      expect(await preview('coordinator')).toMatchObject({ blocked: null });
      for (const as of ['t2', 'hr', 'issuer']) expect(await preview(as)).toBeNull();
      const { confirmation } = await preview('coordinator');
      const erase = async (as: string) =>
        (await service.ask(as, ERASE, { input: { personId: id, ground: 'CONSENT_WITHDRAWN', confirmation } }))
          .data.erasePersonalData;
      expect(await erase('hr')).toMatchObject({ __typename: 'NotFound' });
      // Twice at once is one.
      const answers = await Promise.all([erase('coordinator'), erase('coordinator')]);
      expect(answers.map((answer) => answer.__typename)).toEqual(
        expect.arrayContaining(['ErasePersonalDataPayload']),
      );
      await erased(await idOf(id));
      expect(
        await query(`select state, ground from erasures where person_id = $1`, [await idOf(id)]),
      ).toEqual([{ state: 'done', ground: 'consent_withdrawn' }]);
      expect(await erase('coordinator')).toMatchObject({ code: 'ALREADY_ERASED' });
    });
    const idOf = async (id: string): Promise<string> => Buffer.from(id, 'base64').toString().split(':')[1]!;

    it('whole: nothing tells who it was but the certificate, which is verified as before', async () => {
      const id = await personId('t1');
      const coverage = async () =>
        query(`select * from coverage_totals where people <> 0 order by unit, role_set, certification_id`);
      await service.app.ledger.rebuild();
      const before = await coverage();
      const past = async () =>
        query(
          `select organization_id, role, starts_on::text, ends_on::text from posts where person_id = $1 order by id`,
          [id],
        );
      const posts = await past();
      const { confirmation } = await own('t1');
      const token = await signIn('t1');
      const again = (await own('t1')).confirmation as string;
      expect(again).not.toBe(confirmation);
      expect((await service.ask('t1', ERASE_OWN, { confirmation: again })).data.eraseOwnData).toEqual({
        __typename: 'EraseOwnDataPayload',
        erasure: { state: 'QUEUED', ground: 'PURPOSE_ACHIEVED' },
      });
      await erased(id);

      expect(await query('select name, staff_number, identity_hash from people where id = $1', [id])).toEqual(
        [
          // The title system books credit under the number.
          { name: ERASED_NAME, staff_number: 't1', identity_hash: null },
        ],
      );
      const marks = ['marked-state-t1', 'marked-reason', 'marked-decision', 'T-77'];
      expect(await findInDatabase(service.database.pool, ...marks)).toEqual([]);
      expect(await findInDatabase(service.database.pool, '王小明')).toEqual(['public.certificates.claims']);
      expect((await service.ask(token, '{ viewer { person { name } } }')).data.viewer).toBeNull();
      for (const table of ['person_contacts', 'person_sources', 'sessions', 'sample_sign_ins'])
        expect({ table, rows: await query(`select from ${table} where person_id = $1`, [id]) }).toEqual({
          table,
          rows: [],
        });
      for (const table of ['statements', 'user_states', 'activity_progress', 'efficacy_answers'])
        expect({
          table,
          rows: await query(
            `select from ${table} join assignments a on a.id = assignment_id where person_id = $1`,
            [id],
          ),
        }).toEqual({ table, rows: [] });
      expect(
        await query(
          `select drawn, seed, passed from attempts join assignments a on a.id = assignment_id where person_id = $1`,
          [id],
        ),
      ).toEqual([{ drawn: [], seed: '', passed: true }]);
      expect(
        await query(
          `select seed, stands_at, taken, passed, (select count(*)::int from simulation_moves where run_id = r.id) as moves
           from simulation_runs r join assignments a on a.id = assignment_id where person_id = $1`,
          [id],
        ),
      ).toEqual(
        Array.from({ length: 4 }, () => ({ seed: '', stands_at: '', taken: [], passed: true, moves: 0 })),
      );

      const { data } = await service.ask(
        null,
        `query ($number: String!, $code: String!) { verifyCertificate(number: $number, code: $code) { holderName state } }`,
        { number: certificate.number, code: certificate.verificationCode },
      );
      expect(data.verifyCertificate).toEqual({ holderName: '王小明', state: 'VALID' });
      const feed = (await (await service.fetch('/feed/credit-records', 'hr')).json()) as {
        records: unknown[];
      };
      expect(feed.records).toMatchObject([{ personName: '王小明', staffNumber: 't1' }]);
      expect(await past()).toEqual(posts);
      await service.app.ledger.fold();
      expect(await coverage()).toEqual(before);
      expect(await service.app.ledger.rebuild()).toBe(0);

      // Again is nothing, and the journal names nobody.
      const [erasure] = await query('select id from erasures where person_id = $1', [id]);
      await service.app.services.erasures.erase(erasure!['id']!);
      const entries = await query(
        `select action, actor, detail::text from journal_entries where action like 'erasure.%' and subject = $1 order by id`,
        [`person:${id}`],
      );
      expect(entries.map(({ action, actor }) => [action, actor])).toEqual([
        ['erasure.request', `person:${id}`],
        ['erasure.apply', 'worker:erase-person'],
      ]);
      expect(JSON.stringify(entries)).not.toContain('王');
    });

    it('and who comes back in a roster is somebody new', async () => {
      const before = await query('select count(*)::int as people from people');
      const result = await importRoster(service, smallRoster([{ id: 't1', family: '王', given: '小明' }]));
      expect(result).toMatchObject({ peopleAdded: 1, rowsRefused: 0 });
      const [found] = await query(
        `select p.erased_at, (select count(*)::int from certificates c where c.person_id = p.id) as certificates from people p join person_sources x on x.person_id = p.id where x.source_id = 't1'`,
      );
      expect(found).toEqual({ erased_at: null, certificates: 0 });
      expect(await query('select count(*)::int as people from people')).not.toEqual(before);
    });

    it('not by a job that finds a post begun since', async () => {
      const id = await personId('t2');
      await leave(id);
      const [row] = await query(
        `insert into erasures (person_id, ground, requested_by, requested_at) values ($1, 'unlawful', $1, now()) returning id`,
        [id],
      );
      await query('update posts set ends_on = null where person_id = $1', [id]);
      await service.app.services.erasures.erase(row!['id']!);
      expect(await query('select state, refusal from erasures where id = $1', [row!['id']])).toEqual([
        { state: 'refused', refusal: 'POST_OPEN' },
      ]);
      expect(await query('select name from people where id = $1', [id])).toEqual([{ name: '王小红' }]);
    });
  });

  describe('is forgotten when its time is over', () => {
    const forget = async () => service.app.services.erasures.forgetWhatIsOver();
    const counts = async (table: string): Promise<number> =>
      (await query<{ n: number }>(`select count(*)::int as n from ${table}`))[0]!.n;
    const move = (days: number): void => clock.move(days * 24 * 60);

    it('sessions first, refused rows after them, each after its days and not before', async () => {
      await signIn('t2');
      await importRoster(service, smallRoster([{ id: 't9', family: '', given: '九' }]));
      expect(await forget()).toMatchObject({ 'roster-refusals': 0, people: 0 });
      const [sessions, refusals] = [await counts('sessions'), await counts('roster_refusals')];
      expect([sessions > 0, refusals > 0]).toEqual([true, true]);
      move(20);
      await forget();
      expect(await counts('roster_refusals')).toBe(refusals);
      move(12);
      await forget();
      expect([await counts('sessions'), await counts('roster_refusals')]).toEqual([0, refusals]);
      move(60);
      await forget();
      expect([await counts('roster_refusals'), await counts('roster_refused_rows')]).toEqual([0, 0]);
    });

    it('doubts lose who they were about, and one that is still of use keeps what it is compared by', async () => {
      const id = await personId('t2');
      await query(
        `insert into roster_doubts (source, source_id, division_code, kind, import_id, line, name, staff_number, leaves, complete, posts, candidate_ids, state, person_id, reason, decided_at)
         select 'division:430121', 'in-use', '430121', 'namesake', (select max(id) from roster_imports), 2, '王小红', 'T-88', false, true, '[{"role": "x"}]'::jsonb, array[$1::bigint], 'decided', $1::bigint, 'marked-use', $2::timestamptz
         union all select 'division:430121', 'over', '430121', 'namesake', (select min(id) from roster_imports), 2, '王路人', 'T-89', false, true, '[]', array[$1::bigint], 'settled', null, null, null`,
        [id, clock.now()],
      );
      move(366);
      expect((await forget())['roster-doubts']).toBeGreaterThanOrEqual(2);
      expect(
        await query(
          `select name, source_id, staff_number, reason, posts from roster_doubts where source_id = 'in-use' or line = 2 and state = 'settled' order by id`,
        ),
      ).toEqual([
        { name: '王小红', source_id: 'in-use', staff_number: null, reason: null, posts: [] },
        {
          name: ERASED_NAME,
          source_id: expect.stringMatching(/^erased:\d+$/),
          staff_number: null,
          reason: null,
          posts: [],
        },
      ]);
      expect((await forget())['roster-doubts']).toBe(0);
    });

    it('statements and what one said of oneself after three years, and answers and moves once nothing can rest on them any more', async () => {
      const tables = ['statements', 'responses', 'efficacy_answers', 'simulation_moves'];
      for (const table of tables) expect(await counts(table)).toBeGreaterThan(0);
      // Of statements the month has to be over as well.
      move(3 * 365 + 31);
      const forgotten = await forget();
      expect(forgotten['statements']).toBeGreaterThan(0);
      expect(forgotten['responses']).toBeGreaterThan(0);
      expect(forgotten['efficacy']).toBeGreaterThan(0);
      expect(forgotten['conversation-moves']).toBeGreaterThan(0);
      for (const table of tables) expect([table, await counts(table)]).toEqual([table, 0]);
    });

    it('people who left long ago, in a roster’s peace, and not those with a post or a certificate', async () => {
      await query(
        `insert into people (name, staff_number, identity_hash, identity_last4, created_at) select '离开' || n, 'L' || n, sha256(('x' || n)::bytea), '000X', '2020-01-01' from generate_series(1, 120) n`,
      );
      await query(
        `insert into posts (person_id, organization_id, role, starts_on, ends_on) select p.id, (select min(id) from organizations), 'subject_teacher', '2020-01-01', case when p.staff_number = 'L1' then $1::date else '2021-01-01' end from people p where name like '离开%' and staff_number <> 'L2'`,
        [clock.now().toISOString().slice(0, 10)],
      );
      await query(
        `insert into role_grants (person_id, role, starts_on, reason) select id, 'auditor', '2020-01-01', 'x' from people where staff_number = 'L3'`,
      );
      await service.app.ledger.rebuild();
      // An import that is being applied: not tonight.
      const importing = await service.database.pool.connect();
      await importing.query('begin');
      await importing.query('select pg_advisory_xact_lock_shared($1)', [0x78_71_72_69]);
      expect((await forget())['people']).toBe(0);
      await importing.query('rollback');
      importing.release();

      const held = await query(
        `select id from people p where exists (select from posts h where h.person_id = p.id and ends_on is null) or exists (select from certificates c where c.person_id = p.id) order by id`,
      );
      expect((await forget())['people']).toBeGreaterThanOrEqual(118);
      expect(await query(`select staff_number from people where name like '离开%' order by 1`)).toEqual([
        { staff_number: 'L1' },
        { staff_number: 'L3' },
      ]);
      for (const { id } of held)
        expect(
          await query(
            `select from people where id = $1 and name = $2 and not exists (select from erasures where person_id = people.id)`,
            [id, ERASED_NAME],
          ),
        ).toEqual([]);
      expect((await forget())['people']).toBe(0);
      expect(await service.app.ledger.rebuild()).toBe(0);
    });

    it('each time with its counts in the journal, and nobody’s name', async () => {
      const runs = await query<{ detail: Record<string, number> }>(
        `select detail from journal_entries where action = 'retention.run'`,
      );
      expect(runs.length).toBeGreaterThan(5);
      for (const { detail } of runs)
        expect(Object.keys(detail).toSorted()).toEqual(Object.keys(usualRetentionDays).toSorted());
      const batches = await query<{ rule: string; rows: number }>(
        `select detail ->> 'rule' as rule, sum((detail ->> 'rows')::int)::int as rows from journal_entries where action = 'retention.forget' group by 1`,
      );
      for (const { rule, rows } of batches)
        expect(runs.reduce((sum, { detail }) => sum + detail[rule]!, 0)).toBe(rows);
      expect(await findInDatabase(service.database.pool, '离开5')).toEqual([]);
    });
  });
});
