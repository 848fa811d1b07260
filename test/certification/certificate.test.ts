import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

const VERIFY = `query ($number: String!, $code: String) { verifyCertificate(number: $number, code: $code) {
  state holderName codeMatched organizationName revocationReason } }`;
const MINE =
  '{ viewer { certificates { id number state holderName pdfDigest verificationUrl validUntil } } }';
const REVOKE = `mutation ($id: ID!, $reason: String!) { revokeCertificate(input: { certificateId: $id, reason: $reason }) {
  __typename ... on RevokeCertificatePayload { certificate { state } } ... on Refusal { code } } }`;

describe('a certificate', () => {
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  const mine = async (learner: Learner) =>
    (await service.ask(learner.key, MINE)).data.viewer.certificates[0] as Record<string, string> | undefined;
  const earn = async (learner: Learner) => {
    await finishActivities(service, learner);
    await service.ask(learner.key, SUBMIT, { id: await sitExam(service, learner, { right: true }) });
    return until(async () => mine(learner));
  };
  const verify = async (number: string, code: string | null = null) =>
    (await service.ask(null, VERIFY, { number, code })).data.verifyCertificate;

  beforeAll(async () => {
    clock = new TestClock('2030-03-04T04:00:00Z');
    service = await startService({ clock });
    ({ learners } = await assignTeachers(service, ['t1', 't2', 't3']));
  });
  afterAll(async () => service.stop());

  it('is issued once, however often and from however many sides it is asked for', async () => {
    const [learner] = learners;
    const first = await earn(learner!);
    const { rows } = await service.database.pool.query('select assignment_id from certificates');
    await Promise.all(
      Array.from({ length: 6 }, async () => service.app.services.certificates.issue(rows[0].assignment_id)),
    );
    expect(await mine(learner!)).toEqual(first);
    for (const table of ['certificates', 'certificate_documents', 'credit_records'])
      expect((await service.database.pool.query(`select count(*)::int from ${table}`)).rows[0].count).toBe(1);
    expect(
      (
        await service.database.pool.query(
          `select count(*)::int from journal_entries where action = 'certificate.issue'`,
        )
      ).rows[0].count,
    ).toBe(1);
  });

  it('is not issued for what was not earned', async () => {
    const { rows } = await service.database.pool.query(
      `select a.id from assignments a join person_sources s using (person_id) where s.source_id = 't3'`,
    );
    await service.app.services.certificates.issue(rows[0].id);
    expect(await mine(learners[2]!)).toBeUndefined();
  });

  it('is the very file of its digest', async () => {
    const certificate = (await mine(learners[0]!))!;
    const pdf = await (await service.fetch(`/certificates/${certificate['number']}.pdf`, 't1')).arrayBuffer();
    expect(createHash('sha256').update(Buffer.from(pdf)).digest('hex')).toBe(certificate['pdfDigest']);
  });

  it('tells anybody its state, and the full name to who has the document', async () => {
    const { number, verificationUrl } = (await mine(learners[0]!))!;
    const code = new URL(verificationUrl!).hash.replace('#code=', '');
    expect(await verify(number!)).toEqual({
      state: 'VALID',
      holderName: '王**',
      codeMatched: false,
      organizationName: null,
      revocationReason: null,
    });
    expect(await verify(number!.toLowerCase(), code)).toMatchObject({
      holderName: '王小明',
      codeMatched: true,
      organizationName: '星沙实验小学',
    });
    expect(await verify(number!, 'AAAA-AAAA-AAAA-AAAA')).toMatchObject({
      codeMatched: false,
      holderName: '王**',
    });
    expect(await verify('XQ2026-0000-0000-0001')).toBeNull();
  });

  it('stays what it was when its holder is renamed', async () => {
    const before = await mine(learners[0]!);
    await importRoster(service, smallRoster([{ id: 't1', family: '赵', given: '新名' }]));
    expect((await service.ask('t1', '{ viewer { person { name } } }')).data.viewer.person.name).toBe(
      '赵新名',
    );
    expect(await mine(learners[0]!)).toEqual(before);
  });

  it('is revoked for a reason, once, and every surface says so at once', async () => {
    const { id, number } = (await mine(learners[0]!))!;
    const revoke = async (as: string, reason: string) =>
      (await service.ask(as, REVOKE, { id, reason })).data.revokeCertificate;
    expect(await revoke('issuer', '  ')).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await revoke('coordinator', 'x')).toMatchObject({ __typename: 'NotFound' });
    expect(await revoke('issuer', '信息有误')).toMatchObject({ certificate: { state: 'REVOKED' } });
    expect(await revoke('issuer', 'again')).toMatchObject({ code: 'ALREADY_REVOKED' });
    expect(await verify(number!)).toMatchObject({ state: 'REVOKED', revocationReason: '信息有误' });
    expect(await mine(learners[0]!)).toMatchObject({ state: 'REVOKED' });
    const feed = (await (await service.fetch('/feed/credit-records', 'hr')).json()) as {
      records: { kind: string }[];
    };
    expect(feed.records.map((record) => record.kind)).toEqual(['earned', 'withdrawn']);
    const { data } = await service.ask(
      'coordinator',
      '{ certifications(first: 1) { nodes { id } } division(code: "430121") { id } }',
    );
    const coverage = await service.ask(
      'coordinator',
      'query ($c: ID!, $u: ID!) { coverage(certificationId: $c, unitId: $u) { covered } }',
      {
        c: data.certifications.nodes[0].id,
        u: data.division.id,
      },
    );
    expect(coverage.data.coverage.covered).toBe(0);
  });

  it('expires on its last day and not before', async () => {
    const certificate = await earn(learners[1]!);
    expect(certificate['validUntil']).toBe('2033-03-03');
    // 2033-03-03 23:59 in China.
    clock.move((Date.parse('2033-03-03T15:59:00Z') - clock.now().getTime()) / 60_000);
    expect(await verify(certificate['number']!)).toMatchObject({ state: 'VALID' });
    clock.move(1);
    expect(await verify(certificate['number']!)).toMatchObject({ state: 'EXPIRED' });
  });
});
