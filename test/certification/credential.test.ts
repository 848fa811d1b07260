import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { makeCredentialService } from '../../src/certification/credential/credential.service.ts';
import type { DidDocument } from '../../src/certification/credential/did.ts';
import { didOf } from '../../src/certification/credential/did.ts';
import { decodeList, encodeList, LIST_LENGTH } from '../../src/certification/credential/status-list.ts';
import { newCredentialKeys, parseCredentialKeys } from '../../src/config.ts';
import {
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
import { verifyByOthers } from '../support/verifier.ts';

const MINE =
  '{ viewer { certificates { id number state holderName successorNumber revocationReason issuedOn validUntil credentialUrl verificationUrl } } }';
const SUPERSEDE = `mutation ($input: SupersedeCertificateInput!) { supersedeCertificate(input: $input) { __typename
  ... on SupersedeCertificatePayload { certificate { id number state holderName } superseded { number state successorNumber revokedOn } } ... on Refusal { code message } ... on InvalidInput { path } } }`;
const REVOKE = `mutation ($id: ID!) { revokeCertificate(input: { certificateId: $id, reason: "误发" }) { __typename ... on Refusal { code } } }`;
const VERIFY = `query ($number: String!, $code: String) { verifyCertificate(number: $number, code: $code) { state holderName successorNumber revocationReason } }`;

type Mine = Record<'id' | 'number' | 'state' | 'holderName' | 'credentialUrl' | 'verificationUrl', string> & {
  readonly successorNumber: string | null;
  readonly revocationReason: string | null;
};

describe('a certificate that is corrected, and its credential', () => {
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  let certificationId: string;
  let unitId: string;
  let folder: string;
  let keysFile: string;

  const mine = async (learner: Learner) =>
    (await service.ask(learner.key, MINE)).data.viewer.certificates as Mine[];
  const earn = async (learner: Learner): Promise<Mine> => {
    await finishActivities(service, learner);
    await service.ask(learner.key, SUBMIT, { id: await sitExam(service, learner, { right: true }) });
    return until(async () => (await mine(learner))[0]);
  };
  const supersede = async (certificateId: string, more: object = {}, as = 'issuer') =>
    (await service.ask(as, SUPERSEDE, { input: { certificateId, reason: '姓名更正', ...more } })).data
      .supersedeCertificate;
  const verify = async ({ number, verificationUrl }: Mine) =>
    (
      await service.ask(null, VERIFY, {
        number,
        code: new URL(verificationUrl).hash.replace('#code=', ''),
      })
    ).data.verifyCertificate;
  const query = async (sql: string, values: unknown[] = []) =>
    (await service.database.pool.query(sql, values)).rows as Record<string, unknown>[];
  const covered = async (): Promise<number> =>
    (
      await service.ask(
        'coordinator',
        'query ($c: ID!, $u: ID!) { coverage(certificationId: $c, unitId: $u) { covered } }',
        { c: certificationId, u: unitId },
      )
    ).data.coverage.covered as number;
  const json = async <T>(path: string, as?: string): Promise<T> =>
    (await (await service.fetch(path, as)).json()) as T;
  const path = (url: string): string => new URL(url).pathname;
  /** What a verifier has loaded before it went offline. */
  const documents = async () => {
    const did = await json<DidDocument>('/.well-known/did.json');
    const list = await json<{ id: string }>('/status/1');
    return new Map<string, object>([
      [did.id, did],
      [list.id, list],
    ]);
  };

  beforeAll(async () => {
    clock = new TestClock('2030-03-04T04:00:00Z');
    folder = await mkdtemp(join(tmpdir(), 'xinqiao-keys-'));
    keysFile = join(folder, 'keys.json');
    await writeFile(keysFile, newCredentialKeys('1'));
    service = await startService({ clock, env: { CREDENTIAL_KEYS: keysFile } });
    ({ learners, certificationId, unitId } = await assignTeachers(service, ['t1', 't2', 't3', 't4']));
    for (const learner of learners) await earn(learner);
  });
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  });

  describe('the credential', () => {
    it('says what the paper says, and no more of its holder', async () => {
      const [certificate] = await mine(learners[0]!);
      const response = await service.fetch(path(certificate!.credentialUrl), 't1');
      expect(response.headers.get('content-type')).toBe('application/vc+ld+json');
      const text = await response.text();
      const credential = JSON.parse(text) as {
        readonly credentialSubject: {
          readonly identifier: readonly { identityHash: string; salt: string }[];
        };
      };
      expect(credential).toMatchObject({
        '@context': [
          'https://www.w3.org/ns/credentials/v2',
          'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json',
          'https://purl.imsglobal.org/spec/ob/v3p0/extensions.json',
        ],
        id: certificate!.credentialUrl,
        type: ['VerifiableCredential', 'AchievementCredential'],
        issuer: { id: didOf(service.app.publicUrl), type: ['Profile'] },
        validFrom: '2030-03-04T00:00:00+08:00',
        validUntil: '2033-03-03T23:59:59+08:00',
        credentialSubject: {
          type: ['AchievementSubject'],
          licenseNumber: certificate!.number,
          achievement: {
            achievementType: 'Certificate',
            alignment: [
              { targetCode: 'notice-signs' },
              { targetCode: 'listen-and-refer' },
              { targetCode: 'refer-and-follow-up' },
            ],
          },
          result: [{ value: '0' }, { value: 'C' }, { value: '100' }],
        },
        proof: {
          type: 'DataIntegrityProof',
          cryptosuite: 'eddsa-rdfc-2022',
          proofPurpose: 'assertionMethod',
        },
      });
      const [code] = await query('select verification_code from certificates where number = $1', [
        certificate!.number,
      ]);
      for (const secret of [certificate!.holderName, '星沙实验小学', code!['verification_code'] as string])
        expect(text).not.toContain(secret);
      // Who has the paper can compare the name.
      const { identityHash, salt } = credential.credentialSubject.identifier[0]!;
      expect(identityHash).toBe(
        `sha256$${createHash('sha256').update(`${certificate!.holderName}${salt}`).digest('hex')}`,
      );
    });

    it('is given to its holder, and to nobody else', async () => {
      const [certificate] = await mine(learners[0]!);
      const at = path(certificate!.credentialUrl);
      expect((await service.fetch(at, 't1')).status).toBe(200);
      for (const as of ['t2', 'hr', 'issuer', 'coordinator'])
        expect((await service.fetch(at, as)).status).toBe(404);
      expect((await service.fetch(at)).status).toBe(401);
      for (const wrong of ['XQ2030-0000-0000-0000.json', 'x.json', `${certificate!.number}.pdf`])
        expect((await service.fetch(`/credentials/${wrong}`, 't1')).status).toBe(404);
      const asHr = await service.ask(
        'hr',
        'query ($number: String!) { certificate(number: $number) { credentialUrl qrText } }',
        { number: certificate!.number },
      );
      expect(asHr.data.certificate).toEqual({ credentialUrl: null, qrText: null });
    });

    it('is accepted by verifiers of others that can fetch nothing', async () => {
      const [certificate] = await mine(learners[0]!);
      const credential = await json<object>(path(certificate!.credentialUrl), 't1');
      const known = await documents();
      const checked = { verified: true, revoked: false, why: '' };
      expect(await verifyByOthers(credential, known, clock.now())).toEqual({
        digitalbazaar: checked,
        digitalcredentials: checked,
      });
    });

    it('is refused by them when it is expired, not yet valid or altered in any place, or the issuer is another', async () => {
      const [certificate] = await mine(learners[0]!);
      type Loose = Record<string, Record<string, unknown>>;
      const credential = await json<Loose>(path(certificate!.credentialUrl), 't1');
      const known = await documents();
      const alter = (change: (copy: Loose) => void): Loose => {
        const copy = structuredClone(credential);
        change(copy);
        return copy;
      };
      const cases: [string, object, Date][] = [
        ['is after "validUntil"', credential, new Date('2033-03-04T01:00:00+08:00')],
        ['is before "validFrom"', credential, new Date('2030-03-03T01:00:00+08:00')],
        [
          'Invalid signature',
          alter((copy) => (copy['credentialSubject']!['creditsEarned'] = 9)),
          clock.now(),
        ],
        [
          'Invalid signature',
          alter(
            (copy) =>
              ((copy['credentialSubject']!['identifier'] as Record<string, string>[])[0]!['salt'] = 'other'),
          ),
          clock.now(),
        ],
        [
          'Invalid signature',
          alter((copy) => (copy['validUntil'] = '2099-01-01T00:00:00Z' as never)),
          clock.now(),
        ],
        [
          'Invalid signature',
          alter((copy) => (copy['credentialStatus']!['statusListIndex'] = '1')),
          clock.now(),
        ],
        ['', alter((copy) => (copy['issuer']!['id'] = 'did:web:elsewhere.example')), clock.now()],
      ];
      for (const [why, altered, at] of cases) {
        const told = await verifyByOthers(altered, known, at);
        for (const checked of Object.values(told)) expect(checked).toMatchObject({ verified: false });
        expect(told.digitalbazaar.why).toContain(why);
      }
    });

    it('is the same as a JWT, by a key that the DID document names', async () => {
      const [certificate] = await mine(learners[0]!);
      const response = await service.fetch(path(certificate!.credentialUrl).replace('.json', '.jwt'), 't1');
      expect(response.headers.get('content-type')).toBe('application/vc+jwt');
      const did = await json<DidDocument>('/.well-known/did.json');
      const keys = did.verificationMethod.flatMap(({ id, publicKeyJwk }) =>
        publicKeyJwk === undefined ? [] : [{ ...publicKeyJwk, kid: id }],
      );
      const { payload, protectedHeader } = await jwtVerify(
        await response.text(),
        createLocalJWKSet({ keys }),
        { currentDate: clock.now() },
      );
      expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'vc+jwt', cty: 'vc', kid: `${did.id}#p1` });
      const { proof: _proof, ...credential } = await json<Record<string, unknown>>(
        path(certificate!.credentialUrl),
        't1',
      );
      expect(payload).toEqual(credential);
    });

    it('names an issuer whose document is where did:web says, for every page to read', async () => {
      const response = await service.fetch('/.well-known/did.json');
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      const document = (await response.json()) as DidDocument;
      expect(document.id).toBe(`did:web:127.0.0.1%3A${new URL(service.app.publicUrl).port}`);
      expect(didOf('https://xinqiao.example')).toBe('did:web:xinqiao.example');
      expect(document.verificationMethod).toMatchObject([
        { id: `${document.id}#p1`, type: 'JsonWebKey', publicKeyJwk: { crv: 'P-256', alg: 'ES256' } },
        { id: `${document.id}#e1`, type: 'Multikey', publicKeyMultibase: expect.stringMatching(/^z6Mk/) },
      ]);
      expect(document.assertionMethod).toEqual(document.verificationMethod.map(({ id }) => id));
      expect(JSON.stringify(document)).not.toContain('"d"');
    });
  });

  describe('a list of states', () => {
    it('comes back as it was written, with its first bit leftmost', async () => {
      const has = decodeList(encodeList([0, 9, LIST_LENGTH - 1]));
      const set = Array.from({ length: LIST_LENGTH }, (_none, index) => index).filter(has);
      expect(set).toEqual([0, 9, LIST_LENGTH - 1]);
      expect(LIST_LENGTH).toBeGreaterThanOrEqual(131_072);
      expect(() => decodeList('zAAAA')).toThrow('base64url');
      // A spec's own words: an empty list is this long string of nothing.
      expect(encodeList([]).length).toBeLessThan(300);
    });

    it('gives places by lot, so that neighbours in time are none in it', async () => {
      const rows = await query('select status_list, status_position from certificates order by id');
      expect(rows.map((row) => row['status_list'])).toEqual([1, 1, 1, 1]);
      const places = rows.map((row) => row['status_position'] as number);
      expect(new Set(places).size).toBe(4);
      expect(places).not.toEqual(places.toSorted((a, b) => a - b).map((_place, index) => places[0]! + index));
    });

    it('is there for everybody while it is valid, and there are no others', async () => {
      const list = await json<{ validFrom: string; validUntil: string }>('/status/1');
      expect(list.validFrom).toBe('2030-03-04T04:00:00Z');
      expect(list.validUntil).toBe('2030-03-04T04:15:00Z');
      expect(await json('/status/1-refresh')).toMatchObject({
        credentialSubject: { statusPurpose: 'refresh' },
      });
      for (const none of ['2', '0', '-1', '01', 'x', '1-revocation', '99999999999'])
        expect((await service.fetch(`/status/${none}`)).status).toBe(404);
    });
  });

  describe('a correction', () => {
    it('is for issuers, about others, and says why', async () => {
      const [certificate] = await mine(learners[0]!);
      for (const as of ['t1', 't2', 'hr', 'coordinator'])
        expect(await supersede(certificate!.id, {}, as)).toMatchObject({ code: 'NOT_FOUND' });
      for (const reason of ['', '  ', '长'.repeat(201)])
        expect(await supersede(certificate!.id, { reason })).toMatchObject({
          code: 'INVALID_INPUT',
          path: 'input.reason',
        });
      expect(await mine(learners[0]!)).toHaveLength(1);
    });

    it('puts another in its place at once on every surface, and moves its hours over', async () => {
      await importRoster(service, smallRoster([{ id: 't1', family: '王', given: '晓明' }]));
      const before = await covered();
      const [old] = await mine(learners[0]!);
      clock.move(24 * 60);
      const done = await supersede(old!.id);
      expect(done).toMatchObject({
        __typename: 'SupersedeCertificatePayload',
        certificate: { state: 'VALID', holderName: '王晓明' },
        superseded: { number: old!.number, state: 'SUPERSEDED', revokedOn: '2030-03-05' },
      });
      const { number } = done.certificate as { number: string };
      expect(done.superseded.successorNumber).toBe(number);
      expect(number).not.toBe(old!.number);

      const [now, was] = await mine(learners[0]!);
      expect(now).toMatchObject({ number, state: 'VALID', issuedOn: '2030-03-05', validUntil: '2033-03-03' });
      expect(was).toMatchObject({
        holderName: old!.holderName,
        state: 'SUPERSEDED',
        revocationReason: '姓名更正',
      });
      expect(await verify(now!)).toMatchObject({ state: 'VALID', holderName: '王晓明' });
      expect(await verify(was!)).toEqual({
        state: 'SUPERSEDED',
        holderName: old!.holderName,
        successorNumber: number,
        revocationReason: '姓名更正',
      });
      expect((await service.fetch(`/certificates/${number}.pdf`, 't1')).status).toBe(200);
      expect(await covered()).toBe(before);
      expect(await service.app.ledger.rebuild()).toBe(0);
      // What fulfils the assignment is the new one, and nothing is issued again.
      const { data } = await service.ask(
        't1',
        `query ($id: ID!) { node(id: $id) { ... on Assignment { state certificate { number } } } }`,
        { id: learners[0]!.assignmentId },
      );
      expect(data.node).toEqual({ state: 'CERTIFIED', certificate: { number } });

      // Nothing is told while a transaction that began before may still bring something older.
      const records = await until(async () => {
        const feed = await json<{
          records: { kind: string; certificateNumber: string; classHours: number; earnedOn: string }[];
        }>('/feed/credit-records?limit=500', 'hr');
        const its = feed.records.filter((each) => [number, old!.number].includes(each.certificateNumber));
        return its.length < 3 ? undefined : its;
      });
      expect(records.map(({ kind, certificateNumber }) => [kind, certificateNumber])).toEqual([
        ['earned', old!.number],
        ['withdrawn', old!.number],
        ['earned', number],
      ]);
      expect(records.at(-1)!.earnedOn).toBe(records[0]!.earnedOn);
      const entries = `select action from journal_entries where action like 'certificate.%' order by id desc limit 2`;
      expect(await query(entries)).toEqual([
        { action: 'certificate.supersede' },
        { action: 'certificate.issue' },
      ]);
    });

    it('is told by the lists, to verifiers of others too', async () => {
      const [now, was] = await mine(learners[0]!);
      const known = await documents();
      const check = async (certificate: Mine) =>
        verifyByOthers(await json<object>(path(certificate.credentialUrl), 't1'), known, clock.now());
      for (const checked of Object.values(await check(was!)))
        expect(checked).toMatchObject({ verified: true, revoked: true });
      for (const checked of Object.values(await check(now!)))
        expect(checked).toMatchObject({ verified: true, revoked: false });
      const [place] = await query('select status_position from certificates where number = $1', [
        was!.number,
      ]);
      for (const list of ['/status/1', '/status/1-refresh']) {
        const { credentialSubject } = await json<{ credentialSubject: { encodedList: string } }>(list);
        expect(decodeList(credentialSubject.encodedList)(place!['status_position'] as number)).toBe(true);
      }
    });

    it('can be made of the post too, and not where there is none', async () => {
      await importRoster(service, smallRoster([{ id: 't2', family: '王', given: '小红', orgs: 's2' }]));
      const [old] = await mine(learners[1]!);
      const done = await supersede(old!.id, { withPost: true });
      expect(done.__typename).toBe('SupersedeCertificatePayload');
      const [row] = await query(
        `select claims ->> 'organizationName' as name from certificates where number = $1`,
        [done.certificate.number],
      );
      expect(row).toEqual({ name: '星沙第二中学' });
      await query(
        `update posts set role = 'college_counselor' where person_id = (select person_id from certificates where number = $1)`,
        [old!.number],
      );
      const [next] = await mine(learners[1]!);
      expect(await supersede(next!.id, { withPost: true })).toMatchObject({
        code: 'INVALID_INPUT',
        path: 'input.withPost',
      });
      await query(
        `update posts set role = 'class_teacher' where person_id = (select person_id from certificates where number = $1)`,
        [old!.number],
      );
    });

    it('is not made of one that has ended', async () => {
      const [now, was] = await mine(learners[0]!);
      expect(await supersede(was!.id)).toMatchObject({ code: 'ALREADY_SUPERSEDED' });
      expect((await service.ask('issuer', REVOKE, { id: was!.id })).data.revokeCertificate).toMatchObject({
        code: 'ALREADY_SUPERSEDED',
      });
      expect((await service.ask('issuer', REVOKE, { id: now!.id })).data.revokeCertificate.__typename).toBe(
        'RevokeCertificatePayload',
      );
      expect(await supersede(now!.id)).toMatchObject({ code: 'ALREADY_REVOKED' });
      expect(await verify((await mine(learners[0]!))[0]!)).toMatchObject({ state: 'REVOKED' });
    });

    it('ends as one certificate, whoever corrects, revokes and issues at the same moment', async () => {
      for (const learner of learners.slice(2)) {
        const [certificate] = await mine(learner);
        const assignmentId = Buffer.from(learner.assignmentId, 'base64').toString().split(':')[1]!;
        const answers = await Promise.all([
          ...Array.from({ length: 5 }, async () => (await supersede(certificate!.id)).__typename as string),
          ...Array.from(
            { length: 2 },
            async () =>
              (await service.ask('issuer', REVOKE, { id: certificate!.id })).data.revokeCertificate
                .__typename as string,
          ),
          ...Array.from({ length: 3 }, async () =>
            service.app.services.certificates.issue(assignmentId).then(() => 'issue'),
          ),
        ]);
        const count = (name: string): number => answers.filter((answer) => answer === name).length;
        expect(count('SupersedeCertificatePayload') + count('RevokeCertificatePayload')).toBe(1);
        expect(count('Conflict')).toBe(6);
        const rows = await query(
          `select superseded_at is null as current, revoked_on is null as holds, (select count(*)::int from credit_records r where r.certificate_id = c.id and kind = 'earned')
             - (select count(*)::int from credit_records r where r.certificate_id = c.id and kind = 'withdrawn') as booked
           from certificates c where assignment_id = $1 order by id`,
          [assignmentId],
        );
        const superseded = count('SupersedeCertificatePayload') === 1;
        expect(rows).toEqual(
          superseded
            ? [
                { current: false, holds: false, booked: 0 },
                { current: true, holds: true, booked: 1 },
              ]
            : [{ current: true, holds: false, booked: 0 }],
        );
      }
      expect(await service.app.ledger.rebuild()).toBe(0);
    });

    it('can not be written past the service: the database holds one of a person, certification and period', async () => {
      await expect(
        query(`insert into certificates (number, verification_code, person_id, certification_id, assignment_id, path, period, claims, template, template_version, course_version_id,
            issued_at, valid_from, pdf_digest, status_list, status_position)
          select 'X', 'X', person_id, certification_id, assignment_id, path, period, claims, template, template_version, course_version_id, issued_at, valid_from, 'x', 9, 9
          from certificates where superseded_at is null limit 1`),
      ).rejects.toThrow(/unique/);
    });
  });

  describe('the keys', () => {
    const withKeys = (text: string) =>
      makeCredentialService({
        db: service.app.db,
        clock,
        publicUrl: service.app.publicUrl,
        keys: parseCredentialKeys(text, 'keys'),
        courses: service.app.services.courses,
      });

    it('are followed by others while the old ones stay: what they signed is still checked', async () => {
      const [certificate] = await mine(learners[1]!);
      const before = await json<object>(path(certificate!.credentialUrl), 't2');
      // The operator has taken the private parts of the old ones out.
      const { keys } = JSON.parse(await readFile(keysFile, 'utf8')) as { keys: Record<string, string>[] };
      const publicOnly = keys.map(({ d: _d, ...jwk }) => jwk);
      const rotated = withKeys(newCredentialKeys('2', publicOnly));
      await rotated.checkKeys();
      const document = await rotated.didDocument();
      expect(document.verificationMethod.map(({ id }) => id.split('#')[1])).toEqual(['p2', 'e2', 'p1', 'e1']);
      const known = new Map<string, object>([
        [document.id, document],
        [
          `${service.app.publicUrl}/status/1`,
          JSON.parse((await rotated.findStatusList(1, 'revocation'))!) as object,
        ],
      ]);
      for (const checked of Object.values(await verifyByOthers(before, known, clock.now())))
        expect(checked).toMatchObject({ verified: true, revoked: false });
      expect((await rotated.offlineFile()).keys.map(({ kid }) => kid)).toEqual(['p2', 'p1']);

      // Without them, what was signed could no more be checked: better not to start.
      await expect(withKeys(newCredentialKeys('3')).checkKeys()).rejects.toThrow(
        'CREDENTIAL_KEYS lacks the key "p1"',
      );
      await query(`delete from credential_keys where kid like '_3'`);
      await expect(withKeys(newCredentialKeys('1')).checkKeys()).rejects.toThrow(
        /another key than before under the name "[pe]1"/,
      );
    });
  });
});
