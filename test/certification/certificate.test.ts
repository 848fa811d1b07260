import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tellChangedTemplates } from '../../src/certification/issuing.service.ts';
import { readTemplate } from '../../src/certification/template.ts';
import { ISSUE_TASK } from '../../src/assessment/exam.service.ts';
import { insertDebt } from '../../src/journal/journal.repository.ts';
import { startWorker } from '../../src/journal/worker.ts';
import { silentLog, type Log } from '../../src/log.ts';
import { codeIn, readPdf } from '../support/pdf.ts';
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
  number state holderName codeMatched organizationName revokedOn revocationReason pdfDigest } }`;
const MINE =
  '{ viewer { certificates { id number state holderName pdfDigest verificationUrl validUntil } } }';
const REVOKE = `mutation ($id: ID!, $reason: String!) { revokeCertificate(input: { certificateId: $id, reason: $reason }) {
  __typename ... on RevokeCertificatePayload { certificate { state revokedOn revocationReason } } ... on Refusal { code } ... on InvalidInput { path } } }`;
const BY_NUMBER =
  'query ($number: String!) { certificate(number: $number) { number state revokedOn revocationReason } }';

describe('a certificate', () => {
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  let certificationId: string;
  let unitId: string;
  const warnings: { task?: string; error?: string }[] = [];
  const log: Log = { ...silentLog, warn: (fields: object) => void warnings.push(fields) };

  const mine = async (learner: Learner) =>
    (await service.ask(learner.key, MINE)).data.viewer.certificates[0] as Record<string, string> | undefined;
  const pass = async (learner: Learner): Promise<void> => {
    await finishActivities(service, learner);
    await service.ask(learner.key, SUBMIT, { id: await sitExam(service, learner, { right: true }) });
  };
  const earn = async (learner: Learner) => {
    await pass(learner);
    return until(async () => mine(learner));
  };
  const verify = async (number: string, code: string | null = null) =>
    (await service.ask(null, VERIFY, { number, code })).data.verifyCertificate;
  const count = async (table: string, where = 'true'): Promise<number> =>
    (await service.database.pool.query(`select count(*)::int from ${table} where ${where}`)).rows[0]
      .count as number;
  const assignmentOf = (learner: Learner): string =>
    Buffer.from(learner.assignmentId, 'base64').toString().split(':')[1]!;
  const pdfOf = async (number: string, as: string) =>
    service.fetch(`/certificates/${encodeURIComponent(number)}.pdf`, as);
  const feedOf = async (number: string): Promise<string[]> => {
    const feed = (await (await service.fetch('/feed/credit-records?limit=500', 'hr')).json()) as {
      records: { kind: string; certificateNumber: string }[];
    };
    return feed.records.filter((record) => record.certificateNumber === number).map(({ kind }) => kind);
  };
  const covered = async (): Promise<number> =>
    (
      await service.ask(
        'coordinator',
        'query ($c: ID!, $u: ID!) { coverage(certificationId: $c, unitId: $u) { covered } }',
        { c: certificationId, u: unitId },
      )
    ).data.coverage.covered as number;
  /** What each surface says of a certificate: the API by number and by id, to its holder, to anybody; and whether it counts. */
  const told = async (learner: Learner, others: number) => {
    const { id, number, state } = (await mine(learner))!;
    const node = await service.ask(
      'hr',
      'query ($id: ID!) { node(id: $id) { ... on Certificate { state } } }',
      {
        id,
      },
    );
    const page = await verify(number!);
    return {
      holder: state,
      node: node.data.node.state,
      byNumber: (await service.ask('hr', BY_NUMBER, { number })).data.certificate.state,
      verification: page.state,
      reason: page.revocationReason,
      counts: (await covered()) - others,
    };
  };

  beforeAll(async () => {
    clock = new TestClock('2030-03-04T04:00:00Z');
    service = await startService({ clock, log });
    ({ learners, certificationId, unitId } = await assignTeachers(service, [
      't1',
      't2',
      't3',
      't4',
      't5',
      't6',
    ]));
  });
  afterAll(async () => service.stop());

  it('is issued once, however often and from however many sides it is asked for', async () => {
    const [learner] = learners;
    const first = await earn(learner!);
    const assignmentId = assignmentOf(learner!);
    await Promise.all(
      Array.from({ length: 6 }, async () => service.app.services.certificates.issue(assignmentId)),
    );
    expect(await mine(learner!)).toEqual(first);
    for (const table of ['certificates', 'certificate_documents', 'credit_records'])
      expect(await count(table)).toBe(1);
    expect(await count('journal_entries', `action = 'certificate.issue'`)).toBe(1);
    // It says what somebody who reads it must know of the course.
    expect(
      (await service.database.pool.query(`select claims -> 'courseReview' as review from certificates`)).rows,
    ).toEqual([{ review: { 'zh-CN': '尚未经临床专业人员审阅', en: 'Not yet reviewed by a clinician' } }]);
  });

  it('is issued once by two workers that have several jobs for it at the same moment', async () => {
    const learner = learners[1]!;
    const { certificates } = service.app.services;
    const second = await startWorker(
      service.database.pool,
      { [ISSUE_TASK]: async ({ assignmentId }) => certificates.issue(assignmentId!) },
      silentLog,
    );
    await finishActivities(service, learner);
    const attempt = await sitExam(service, learner, { right: true });
    await service.ask(learner.key, SUBMIT, { id: attempt });
    await service.database.db.transaction().execute(async (tx) => {
      for (let each = 0; each < 8; each += 1)
        await insertDebt(tx, {
          task: ISSUE_TASK,
          payload: { assignmentId: assignmentOf(learner) },
          key: `again:${each}`,
        });
    });
    const owed = async () => count('graphile_worker.jobs', `task_identifier = '${ISSUE_TASK}'`);
    await until(async () => ((await owed()) === 0 ? true : undefined));
    await second.stop();
    for (const table of ['certificates', 'certificate_documents', 'credit_records'])
      expect(await count(table)).toBe(2);
    expect(await count('journal_entries', `action = 'certificate.issue'`)).toBe(2);
  });

  it('is not issued for what was not earned', async () => {
    await service.app.services.certificates.issue(assignmentOf(learners[2]!));
    expect(await mine(learners[2]!)).toBeUndefined();
    expect(await count('certificates')).toBe(2);
  });

  it('is the very file of its digest, which says what the service says', async () => {
    const certificate = (await mine(learners[0]!))!;
    const response = await pdfOf(certificate['number']!, 't1');
    expect(response.headers.get('etag')).toBe(`"${certificate['pdfDigest']}"`);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(certificate['pdfDigest']);
    const { rows } = await service.database.pool.query(
      'select pdf_digest from certificates where number = $1',
      [certificate['number']],
    );
    expect(rows[0].pdf_digest).toBe(certificate['pdfDigest']);
    const pdf = await readPdf(bytes);
    expect(codeIn(pdf.qr)).toBe(certificate['verificationUrl']);
    for (const said of ['王小明', '星沙实验小学', '班主任', certificate['number']!])
      expect(pdf.text).toContain(said);
  });

  it('tells anybody its state, and the full name to who has the document', async () => {
    const { number, verificationUrl, pdfDigest } = (await mine(learners[0]!))!;
    const code = new URL(verificationUrl!).hash.replace('#code=', '');
    const masked = {
      number,
      state: 'VALID',
      holderName: '王**',
      codeMatched: false,
      organizationName: null,
      revokedOn: null,
      revocationReason: null,
      pdfDigest: null,
    };
    expect(await verify(number!)).toEqual(masked);
    const full = {
      ...masked,
      holderName: '王小明',
      codeMatched: true,
      organizationName: '星沙实验小学',
      pdfDigest,
    };
    expect(await verify(number!, code)).toEqual(full);
    // As it is typed from paper.
    expect(await verify(number!, ` ${code.toLowerCase().replaceAll('-', ' ')}`)).toEqual(full);
    for (const wrong of ['AAAA-AAAA-AAAA-AAAA', '', code.slice(1), 'x'.repeat(5_000)])
      expect(await verify(number!, wrong)).toEqual(masked);
  });

  it('is found by its number however it was copied, and on every surface alike', async () => {
    const { number } = (await mine(learners[0]!))!;
    for (const written of [
      number!.toLowerCase(),
      number!.replaceAll('-', ''),
      ` ${number!.replaceAll('-', ' ')}\u3000`,
      number!.replaceAll('-', '–'),
      number!.replaceAll('-', '－'),
      number!.replace(/[!-~]/g, (each) => String.fromCodePoint(each.codePointAt(0)! + 0xfee0)),
    ]) {
      expect((await verify(written)).number).toBe(number);
      expect((await service.ask('hr', BY_NUMBER, { number: written })).data.certificate.number).toBe(number);
      expect((await pdfOf(written, 't1')).status).toBe(200);
    }
  });

  it('that is not there, and one that is not the asker’s, are told apart by nothing', async () => {
    const { number } = (await mine(learners[0]!))!;
    const answers = async (as: string, asked: string): Promise<string> => {
      const pdf = await pdfOf(asked, as);
      return JSON.stringify([
        (await service.ask(as, BY_NUMBER, { number: asked })).data.certificate,
        pdf.status,
        await pdf.text(),
      ]);
    };
    const notThere = 'XQ2030-0000-0000-0000';
    const last = number!.at(-1)!;
    for (const asked of [
      notThere,
      number!.slice(0, -1) + (last === '0' ? '1' : '0'),
      '证书',
      'XQ',
      'x'.repeat(60),
    ]) {
      expect(await verify(asked)).toBeNull();
      expect(await answers('t2', asked)).toBe(await answers('t2', number!));
    }
    expect(await answers('t1', number!)).not.toBe(await answers('t2', number!));
  });

  it('stays what it was when its holder is renamed and moves', async () => {
    const before = await mine(learners[0]!);
    await importRoster(service, smallRoster([{ id: 't1', family: '赵', given: '新名', orgs: 's2' }]));
    expect((await service.ask('t1', '{ viewer { person { name } } }')).data.viewer.person.name).toBe(
      '赵新名',
    );
    expect(await mine(learners[0]!)).toEqual(before);
    const { number, verificationUrl, pdfDigest } = before!;
    const code = new URL(verificationUrl!).hash.replace('#code=', '');
    expect(await verify(number!, code)).toMatchObject({
      holderName: '王小明',
      organizationName: '星沙实验小学',
    });
    const pdf = Buffer.from(await (await pdfOf(number!, 't1')).arrayBuffer());
    expect(createHash('sha256').update(pdf).digest('hex')).toBe(pdfDigest);
  });

  it('is revoked for a reason, once, by an issuer, and every surface says so at once', async () => {
    const learner = learners[0]!;
    const { id, number, pdfDigest } = (await mine(learner))!;
    const revoke = async (as: string, reason: string) =>
      (await service.ask(as, REVOKE, { id, reason })).data.revokeCertificate;
    expect(await told(learner, 1)).toEqual({
      holder: 'VALID',
      node: 'VALID',
      byNumber: 'VALID',
      verification: 'VALID',
      reason: null,
      counts: 1,
    });
    for (const reason of ['  ', 'x'.repeat(201)])
      expect(await revoke('issuer', reason)).toMatchObject({ code: 'INVALID_INPUT', path: 'input.reason' });
    for (const as of ['coordinator', 'hr', 't1', 't2'])
      expect(await revoke(as, 'x')).toMatchObject({ __typename: 'NotFound' });
    // Of several issuers at once one is first.
    const answers = await Promise.all(Array.from({ length: 4 }, async () => revoke('issuer', ' 信息有误 ')));
    expect(answers.filter((answer) => answer.code === 'ALREADY_REVOKED')).toHaveLength(3);
    expect(answers.filter((answer) => answer.code === undefined)).toEqual([
      {
        __typename: 'RevokeCertificatePayload',
        certificate: { state: 'REVOKED', revokedOn: '2030-03-04', revocationReason: '信息有误' },
      },
    ]);
    expect(await told(learner, 1)).toEqual({
      holder: 'REVOKED',
      node: 'REVOKED',
      byNumber: 'REVOKED',
      verification: 'REVOKED',
      reason: '信息有误',
      counts: 0,
    });
    // A record is read when all that began before it has ended, in the whole database server.
    expect(
      await until(async () => ((await feedOf(number!)).length === 2 ? feedOf(number!) : undefined)),
    ).toEqual(['earned', 'withdrawn']);
    // The file is what was issued; what became of it is told beside it.
    const pdf = Buffer.from(await (await pdfOf(number!, 't1')).arrayBuffer());
    expect(createHash('sha256').update(pdf).digest('hex')).toBe(pdfDigest);
    expect(await count('journal_entries', `action = 'certificate.revoke'`)).toBe(1);
  });

  it('that can not be printed fails loudly, is tried again, and is issued when the cause is mended', async () => {
    const learner = learners[3]!;
    await importRoster(service, smallRoster([{ id: 't4', family: '𪛖', given: '田' }]));
    await pass(learner);
    const job = await until(
      async () =>
        (
          await service.database.pool.query(
            `select last_error, attempts, max_attempts from graphile_worker.jobs where task_identifier = $1 and last_error is not null`,
            [ISSUE_TASK],
          )
        ).rows[0] as { last_error: string; attempts: number; max_attempts: number } | undefined,
    );
    expect(job.last_error).toContain('No font has the character "𪛖" (U+2A6D6) of holderName');
    expect(job.attempts).toBeLessThan(job.max_attempts);
    expect(warnings.find((warning) => warning.task === ISSUE_TASK)?.error).toContain('U+2A6D6');
    expect(await mine(learner)).toBeUndefined();
    expect(await count('credit_records')).toBe(3);

    await importRoster(service, smallRoster([{ id: 't4', family: '吉', given: '田' }]));
    // It would wait some seconds by itself.
    await service.database.pool.query(
      'update graphile_worker._private_jobs set run_at = now() where attempts > 0',
    );
    expect(await until(async () => mine(learner))).toMatchObject({ holderName: '吉田', state: 'VALID' });
  });

  it('is kept in a fraction of its size and put together again to the byte; what was tampered with is not given out', async () => {
    const { number, pdfDigest } = (await mine(learners[0]!))!;
    const { pool } = service.database;
    const { rows } = await pool.query<{ id: string; packed: Buffer; profile: string; certificates: number }>(
      `select d.certificate_id as id, d.packed, d.profile, (select count(*)::int from issuer_certificates) as certificates
        from certificate_documents d join certificates c on c.id = d.certificate_id where c.number = $1`,
      [number],
    );
    const [kept] = rows;
    const pdf = Buffer.from(await (await pdfOf(number!, 't1')).arrayBuffer());
    expect(createHash('sha256').update(pdf).digest('hex')).toBe(pdfDigest);
    expect(pdf.length).toBeLessThan(60_000);
    expect(kept!.packed.length * 5).toBeLessThan(pdf.length);
    expect(kept).toMatchObject({ profile: 'B-B', certificates: 1 });
    expect(pdf.toString('latin1')).toContain('/SubFilter /ETSI.CAdES.detached');

    await pool.query('update certificate_document_parts set bytes = set_byte(bytes, 100, 0)');
    expect((await pdfOf(number!, 't1')).status).toBe(500);
    await pool.query('update certificate_document_parts set bytes = set_byte(bytes, 100, $1)', [pdf[100]]);
    expect((await pdfOf(number!, 't1')).status).toBe(200);
    // One that was issued before documents were signed lies there whole.
    await pool.query(
      'update certificate_documents set pdf = $2, packed = null, part_id = null, issuer_certificate_id = null, profile = null where certificate_id = $1',
      [kept!.id, pdf],
    );
    expect(Buffer.from(await (await pdfOf(number!, 't1')).arrayBuffer()).equals(pdf)).toBe(true);
  });

  it('is tried before anybody learns for it: what could never be printed is not planned', async () => {
    const plan = async (title: string, english: string, issuerName: string) =>
      (
        await service.ask(
          'coordinator',
          `mutation ($input: PlanCertificationInput!) { planCertification(input: $input) { __typename ... on Refusal { code message } ... on InvalidInput { path } } }`,
          {
            input: {
              code: `c${title.length}-${english.length}-${issuerName.length}`,
              title: { zhCN: title, en: english },
              courseSlug: 'core-gatekeeper',
              roles: ['CLASS_TEACHER'],
              divisionCode: '430121',
              issuerName,
            },
          },
        )
      ).data.planCertification;
    const refused = (path: string, message: string) => ({
      code: 'INVALID_INPUT',
      path,
      message: expect.stringContaining(message),
    });
    expect(await plan('守门人🎓', 'x', '县教育局')).toMatchObject(refused('input.title.zhCN', 'U+1F393'));
    expect(await plan('守门人', 'ལྷ', '县教育局')).toMatchObject(refused('input.title.en', 'U+0F63'));
    expect(await plan('守门人', 'x', '长'.repeat(60))).toMatchObject(
      refused('input.issuerName', 'does not fit'),
    );
    for (const [title, english, issuer] of [
      ['守'.repeat(100), 'x', '长沙县教育局'],
      ['守门人', 'Gatekeeper '.repeat(9), '长'.repeat(48)],
    ] as const)
      expect(await plan(title, english, issuer)).toMatchObject({ __typename: 'PlanCertificationPayload' });
  });

  it('is planned on a template of its jurisdiction, in the latest version', async () => {
    const plan = async (template: string | null) =>
      (
        await service.ask(
          'coordinator',
          `mutation ($input: PlanCertificationInput!) { planCertification(input: $input) { __typename ... on PlanCertificationPayload { certification { template } } ... on InvalidInput { path message } } }`,
          {
            input: {
              code: `on-${template ?? 'none'}`.replaceAll(/[^a-z0-9-]/g, ''),
              title: { zhCN: '守门人', en: 'Gatekeeper' },
              courseSlug: 'core-gatekeeper',
              roles: ['CLASS_TEACHER'],
              divisionCode: '430121',
              issuerName: '县教育局',
              template,
            },
          },
        )
      ).data.planCertification;
    expect(await plan(null)).toMatchObject({ certification: { template: 'standard/2' } });
    expect(await plan('chinese')).toMatchObject({ certification: { template: 'chinese/1' } });
    expect(await plan('shanhe')).toEqual({
      __typename: 'InvalidInput',
      path: 'input.template',
      message: 'The template "shanhe" is for other divisions.',
    });
    // What was not earned, no template, no name, and a way out of the folder.
    for (const name of ['recorded', 'fonts', 'nothing', '', '../standard', 'standard/1'])
      expect(await plan(name)).toMatchObject({
        path: 'input.template',
        message: `There is no template "${name}".`,
      });
  });

  it('expires after its last day and not before, on every surface', async () => {
    const learner = learners[4]!;
    const certificate = await earn(learner);
    expect(certificate['validUntil']).toBe('2033-03-03');
    const everywhere = (state: string, counts: number) => ({
      holder: state,
      node: state,
      byNumber: state,
      verification: state,
      reason: null,
      counts,
    });
    // 2033-03-03 23:59 in China.
    clock.move((Date.parse('2033-03-03T15:59:00Z') - clock.now().getTime()) / 60_000);
    expect(await told(learner, 2)).toEqual(everywhere('VALID', 1));
    clock.move(1);
    expect(await told(learner, 0)).toEqual(everywhere('EXPIRED', 0));
    // What was earned stays earned.
    const fed = await until(async () => {
      const kinds = await feedOf(certificate['number']!);
      return kinds.length === 0 ? undefined : kinds;
    });
    expect(fed).toEqual(['earned']);
    // And one that was revoked has not become something else.
    expect(await told(learners[0]!, 0)).toMatchObject({ holder: 'REVOKED', verification: 'REVOKED' });
  });

  it('is issued on no template that has been changed since it issued', async () => {
    const { pool } = service.database;
    const { rows } = await pool.query('select name, version, digest from certificate_templates');
    const { digest } = await readTemplate('standard', 2);
    expect(rows).toEqual([{ name: 'standard', version: 2, digest }]);
    // The file as it was then is another than the one of today.
    await pool.query(`update certificate_templates set digest = repeat('0', 64)`);
    const issued = await count('certificates');
    const issue = async (): Promise<void> =>
      service.app.services.certificates.issue(assignmentOf(learners[5]!));
    await pass(learners[5]!);
    await expect(issue()).rejects.toMatchObject({ code: 'TEMPLATE_CHANGED' });
    expect(await count('certificates')).toBe(issued);
    const said: string[] = [];
    await tellChangedTemplates(service.app.db, {
      ...silentLog,
      error: (_fields: unknown, message?: string) => said.push(message ?? ''),
    } as Log);
    expect(said).toEqual([
      expect.stringContaining('standard 2 has issued certificates and has been changed'),
    ]);
    await pool.query('update certificate_templates set digest = $1', [digest]);
    await issue();
    expect(await count('certificates')).toBe(issued + 1);
  });
});
