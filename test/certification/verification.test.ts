import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newCredentialKeys } from '../../src/config.ts';
import { newCertificateNumber } from '../../src/certification/number.ts';
import { MOST_ROWS } from '../../src/certification/verification.service.ts';
import { sameName } from '../../src/certification/verify-list.ts';
import { openWorkbook } from '../../src/sheets/read.ts';
import { fileOf } from '../../src/people/roster/upload.ts';
import { writeWorkbook } from '../../src/sheets/write.ts';
import { makeSignatory } from '../support/sign-pdf.ts';
import {
  assignTeachers,
  finishActivities,
  sitExam,
  startService,
  SUBMIT,
  TestClock,
  until,
  type Learner,
  type TestService,
} from '../support/service.ts';

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const LIST = `query ($rows: [RowToVerify!]!) { verifyCertificates(rows: $rows) { __typename
  ... on QueryVerifyCertificatesSuccess { data { number outcome name holderName title validUntil successorNumber } } ... on Refusal { code message } } }`;

interface Row {
  readonly line: number;
  readonly outcome: string;
  readonly nameAgrees: boolean | null;
  readonly holderName: string | null;
}

describe('verification of many', () => {
  let service: TestService;
  let learners: Learner[];
  let numbers: string[];
  let names: string[];
  let codes: string[];
  let folder: string;
  let keys: string;

  const post = async (
    body: string | Uint8Array,
    {
      type = 'application/json',
      accept = '*/*',
      as,
      path = '/api/verify',
      on = service,
    }: { type?: string; accept?: string; as?: string; path?: string; on?: TestService } = {},
  ): Promise<Response> =>
    fetch(`${on.app.publicUrl}${path}`, {
      method: 'POST',
      headers: {
        'content-type': type,
        accept,
        ...(as === undefined ? {} : { authorization: `Bearer sample:${as}` }),
      },
      body: typeof body === 'string' ? body : Buffer.from(body),
    });
  const verify = async (rows: readonly { number: string; name?: string }[], as?: string): Promise<Row[]> =>
    (
      (await (await post(JSON.stringify({ certificates: rows }), as === undefined ? {} : { as })).json()) as {
        results: Row[];
      }
    ).results;
  const problemOf = async (response: Response) => ({
    status: response.status,
    ...((await response.json()) as { title: string; detail: string }),
  });
  const unknown = (seed: number): string =>
    newCertificateNumber(2030, (count) => new Uint8Array(count).map((_each, at) => seed * 7 + at));
  const workbook = async (rows: readonly (readonly string[])[]): Promise<Buffer> =>
    Buffer.concat(
      (await writeWorkbook({
        language: 'zh-CN',
        sheets: [{ name: '名单', columns: rows[0]!.map((title) => ({ title })), rows: rows.slice(1) }],
      }).toArray()) as Buffer[],
    );
  const pdfOf = async (at: number): Promise<Buffer> =>
    Buffer.from(
      await (await service.fetch(`/certificates/${numbers[at]}.pdf`, learners[at]!.key)).arrayBuffer(),
    );
  const checkPdf = async (bytes: Uint8Array) =>
    (await (await post(bytes, { type: 'application/pdf', path: '/api/verify/pdf' })).json()) as Record<
      string,
      unknown
    > & { checks: Record<string, boolean | null> };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'xinqiao-verification-'));
    keys = join(folder, 'keys.json');
    await writeFile(keys, newCredentialKeys('1'));
    service = await startService({
      env: { CREDENTIAL_KEYS: keys },
      clock: new TestClock('2030-03-04T04:00:00Z'),
    });
    ({ learners } = await assignTeachers(service, ['t1', 't2']));
    const found = [];
    for (const learner of learners) {
      await finishActivities(service, learner);
      await service.ask(learner.key, SUBMIT, { id: await sitExam(service, learner, { right: true }) });
      found.push(
        await until(
          async () =>
            (
              await service.ask(
                learner.key,
                '{ viewer { certificates { id number holderName verificationUrl } } }',
              )
            ).data.viewer.certificates[0] as Record<
              'id' | 'number' | 'holderName' | 'verificationUrl',
              string
            >,
        ),
      );
    }
    numbers = found.map(({ number }) => number);
    names = found.map(({ holderName }) => holderName);
    codes = found.map(({ verificationUrl }) => new URL(verificationUrl).hash.replace('#code=', ''));
    await service.ask(
      'issuer',
      'mutation ($id: ID!) { revokeCertificate(input: { certificateId: $id, reason: "误发" }) { __typename } }',
      { id: found[1]!.id },
    );
  });
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('tells each row by itself, in the order of the list', async () => {
    const mistyped = `${numbers[0]!.slice(0, -1)}${numbers[0]!.endsWith('0') ? '1' : '0'}`;
    expect(
      await verify([
        { number: numbers[0]!.toLowerCase().replaceAll('-', ' '), name: ` ${names[0]} ` },
        { number: numbers[1]!, name: names[1]! },
        { number: unknown(1), name: '王芳' },
        { number: mistyped, name: names[0]! },
        { number: '' },
        { number: numbers[1]! },
      ]),
    ).toMatchObject([
      {
        line: 1,
        number: numbers[0],
        outcome: 'valid',
        nameAgrees: true,
        holderName: `${names[0]![0]}**`.slice(0, names[0]!.length),
        validUntil: '2033-03-03',
      },
      { line: 2, outcome: 'revoked', nameAgrees: true, revokedOn: '2030-03-04' },
      { line: 3, outcome: 'unknown', nameAgrees: null, holderName: null },
      { line: 4, outcome: 'unreadable', nameAgrees: null, holderName: null },
      { line: 5, outcome: 'unreadable' },
      { line: 6, outcome: 'revoked', nameAgrees: null },
    ]);
  });

  it('compares names as people write them, and tells strangers nothing when they try several', async () => {
    expect(sameName('阿依古丽•买买提', '阿依古丽·买买提')).toBe(true);
    expect(sameName('ＬＩ Na', 'li na')).toBe(true);
    expect(sameName('王芳', '王方')).toBe(false);
    const tries = [names[0]!, '王一', '王二'].map((name) => ({ number: numbers[0]!, name }));
    expect((await verify(tries)).map(({ nameAgrees }) => nameAgrees)).toEqual([null, null, null]);
    // Who may read the certificate may also have a list with a mistake in it.
    expect((await verify(tries, 'hr')).map(({ nameAgrees }) => nameAgrees)).toEqual([true, false, false]);
    expect(await verify([{ number: numbers[0]! }], 'hr')).toMatchObject([{ holderName: names[0] }]);
    // So may the holder; a colleague is a stranger here.
    expect(await verify([{ number: numbers[0]! }], learners[0]!.key)).toMatchObject([
      { holderName: names[0] },
    ]);
    expect(await verify([{ number: numbers[0]! }], learners[1]!.key)).toMatchObject([
      { holderName: expect.stringContaining('*') as string },
    ]);
    expect((await verify(tries, learners[1]!.key)).map(({ nameAgrees }) => nameAgrees)).toEqual([
      null,
      null,
      null,
    ]);
  });

  it('reads CSV and workbooks, with titles and without, and gives a workbook back with what is wrong marked', async () => {
    const csv = `姓名,证书编号\r\n${names[0]},${numbers[0]}\r\n\r\n王芳,${numbers[1]}\r\n`;
    const answer = await post(csv, { type: 'text/csv' });
    expect(await answer.json()).toMatchObject({
      results: [
        { line: 2, outcome: 'valid', nameAgrees: true },
        { line: 4, outcome: 'revoked', nameAgrees: false },
      ],
    });
    const untitled = await post(
      await workbook([
        ['1', numbers[0]!, names[0]!],
        ['2', unknown(2), '王芳'],
      ]),
      { type: XLSX },
    );
    expect(await untitled.json()).toMatchObject({
      results: [
        { line: 1, outcome: 'valid', nameAgrees: true },
        { line: 2, outcome: 'unknown' },
      ],
    });
    const back = await post(csv, { type: 'text/csv', accept: XLSX });
    expect(back.headers.get('content-type')).toBe(XLSX);
    const book = await openWorkbook(fileOf({ name: 'x', bytes: new Uint8Array(await back.arrayBuffer()) }));
    const rows = [];
    for await (const some of book.rows(book.sheets[0]!.name))
      rows.push(...some.map(({ cells }) => cells.map((cell) => cell?.text)));
    book.close();
    expect(rows.slice(1).map((row) => row.slice(0, 5))).toEqual([
      ['2', numbers[0], names[0], '有效', '一致'],
      ['4', numbers[1], '王芳', '已撤销', '不一致'],
    ]);
  });

  it('refuses with a reason what is too long, empty, or no list', async () => {
    const long = `证书编号\n${`${unknown(3)}\n`.repeat(100_000)}`;
    expect(await problemOf(await post(long, { type: 'text/csv' }))).toMatchObject({
      status: 400,
      detail: `More than ${MOST_ROWS} rows: divide the list.`,
    });
    const many = JSON.stringify({ certificates: Array.from({ length: 100_000 }, () => ({ number: 'x' })) });
    expect(await problemOf(await post(many))).toMatchObject({
      status: 400,
      detail: expect.stringContaining(`1 to ${MOST_ROWS}`),
    });
    for (const wrong of [
      '',
      '{',
      '[]',
      '{"certificates":[]}',
      '{"certificates":[{"nummer":"x"}]}',
      '{"certificates":[{"number":7}]}',
    ])
      expect(await problemOf(await post(wrong)), `of ${wrong}`).toMatchObject({
        status: 400,
        title: 'INVALID_INPUT',
      });
    expect(await problemOf(await post('a,b\n1,2\n', { type: 'text/csv' }))).toMatchObject({
      detail: expect.stringContaining('No column of certificate numbers'),
    });
    expect(await problemOf(await post('证书编号\n', { type: 'text/csv' }))).toMatchObject({ status: 400 });
    const broken = (await workbook([['证书编号'], [numbers[0]!]])).subarray(0, 300);
    expect(await problemOf(await post(broken, { type: XLSX }))).toMatchObject({ status: 400 });
    expect(await problemOf(await post(Buffer.alloc(6 * 1024 * 1024), { type: XLSX }))).toMatchObject({
      status: 413,
      title: 'BODY_TOO_LARGE',
    });
  });

  it('is asked through GraphQL by who is signed in, for what they may read', async () => {
    const rows = [
      { number: numbers[0], name: names[0] },
      { number: numbers[1], name: '王芳' },
      { number: 'x' },
    ];
    expect((await service.ask('hr', LIST, { rows })).data.verifyCertificates.data).toMatchObject([
      { outcome: 'VALID', name: 'AGREES', holderName: names[0] },
      { outcome: 'REVOKED', name: 'DIFFERS', holderName: names[1] },
      { outcome: 'UNREADABLE', name: 'NOT_COMPARED', holderName: null },
    ]);
    // A colleague reads no certificate but their own.
    expect((await service.ask(learners[1]!.key, LIST, { rows })).data.verifyCertificates.data).toMatchObject([
      { outcome: 'VALID', name: 'NOT_COMPARED', holderName: expect.stringContaining('*') },
      { outcome: 'REVOKED', name: 'DIFFERS', holderName: names[1] },
      { outcome: 'UNREADABLE' },
    ]);
    expect((await service.ask(null, LIST, { rows })).data.verifyCertificates).toMatchObject({
      code: 'NOT_SIGNED_IN',
    });
    const five = (n: number) => Array.from({ length: n }, (_each, at) => ({ number: unknown(at) }));
    expect((await service.ask('hr', LIST, { rows: five(500) })).data.verifyCertificates.data).toHaveLength(
      500,
    );
    expect((await service.ask('hr', LIST, { rows: five(501) })).data.verifyCertificates).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('At most 500'),
    });
  });

  describe('of a document', () => {
    it('knows the very bytes that were issued, and tells its state now', async () => {
      expect(await checkPdf(await pdfOf(0))).toMatchObject({
        outcome: 'genuine',
        checks: {
          pdf: true,
          signed: true,
          unaltered: true,
          whole: true,
          signature: true,
          issuer: true,
          kept: true,
        },
        number: numbers[0],
        state: 'valid',
        holderName: names[0],
      });
      expect(await checkPdf(await pdfOf(1))).toMatchObject({
        outcome: 'genuine',
        state: 'revoked',
        revocationReason: '误发',
      });
    });

    it('tells an altered byte, something appended, and another’s look-alike, and gives away no name for them', async () => {
      const pdf = await pdfOf(0);
      const changed = Buffer.from(pdf);
      changed[changed.length - 40]! ^= 1;
      const masked = { kept: false };
      expect(await checkPdf(changed)).toMatchObject({
        outcome: 'altered',
        number: numbers[0],
        checks: masked,
        holderName: expect.stringContaining('*'),
        successorNumber: null,
      });
      expect(
        await checkPdf(Buffer.concat([pdf, Buffer.from('\n1 0 obj\n<<>>\nendobj\n%%EOF\n')])),
      ).toMatchObject({ outcome: 'appended', checks: { ...masked, unaltered: true, whole: false } });
      const other = await makeSignatory('长沙县教育局');
      const lookAlike = await checkPdf(await other.sign(pdf));
      // Signed once more by another, over what was issued: the first signature holds, and leaves something out.
      expect(lookAlike).toMatchObject({ outcome: 'appended', checks: { whole: false, kept: false } });
      expect(lookAlike['outcome']).not.toBe('genuine');
      const unrelated = Buffer.from('%PDF-1.7\nhello\n%%EOF');
      expect(await checkPdf(unrelated)).toMatchObject({
        outcome: 'unknown',
        checks: { pdf: true, signed: false, kept: null },
        number: null,
        state: null,
      });
    });

    it('refuses what is no PDF, and one of 200 MB before it has come', async () => {
      expect(await checkPdf(Buffer.from('hello'))).toMatchObject({
        outcome: 'not_pdf',
        checks: { pdf: false, signed: null },
      });
      expect(
        await problemOf(await post('', { type: 'application/pdf', path: '/api/verify/pdf' })),
      ).toMatchObject({ status: 400 });
      let sent = 0;
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const large = request(
          `${service.app.publicUrl}/api/verify/pdf`,
          {
            method: 'POST',
            headers: { 'content-type': 'application/pdf', 'content-length': 200 * 1024 * 1024 },
          },
          (answer) => {
            resolve(answer.statusCode);
            answer.resume();
            large.destroy();
          },
        );
        large.on('error', reject);
        const piece = Buffer.alloc(64 * 1024);
        sent += piece.length;
        large.write(piece);
      });
      expect({ status, sent }).toEqual({ status: 413, sent: 64 * 1024 });
      // One that does not say how long it is.
      const endless = new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(256 * 1024)) });
      const answer = await fetch(`${service.app.publicUrl}/api/verify/pdf`, {
        method: 'POST',
        body: endless,
        duplex: 'half',
      } as RequestInit).then(
        ({ status: given }) => given,
        () => 413,
      );
      expect(answer).toBe(413);
    });
  });

  it('is counted for the holder by month and way, without who asked, and for nobody else', async () => {
    const COUNTS =
      'query ($number: String!) { certificate(number: $number) { verifications { month way count } } }';
    await service.app.services.verification.writeCounts();
    const total = async (way: string) => {
      await service.app.services.verification.writeCounts();
      const { data } = await service.ask(learners[0]!.key, COUNTS, { number: numbers[0] });
      return (
        (data.certificate.verifications as { month: string; way: string; count: number }[]).find(
          (each) => each.way === way && each.month === '2030-03-01',
        )?.count ?? 0
      );
    };
    for (const [way, once] of [
      [
        'PAGE',
        async () =>
          service.ask(
            null,
            'query ($n: String!, $c: String) { verifyCertificate(number: $n, code: $c) { state } }',
            { n: numbers[0], c: codes[0] },
          ),
      ],
      ['API', async () => verify([{ number: numbers[0]! }, { number: numbers[1]! }])],
      ['LIST', async () => post(`number\n${numbers[0]}\n`, { type: 'text/csv' })],
      ['PDF', async () => checkPdf(await pdfOf(0))],
    ] as const) {
      const before = await total(way);
      await Promise.all([once(), once(), once()]);
      expect(await total(way), `of ${way}`).toBe(before + 3);
    }
    expect((await service.ask('hr', COUNTS, { number: numbers[0] })).data.certificate.verifications).toEqual(
      [],
    );
    const { rows } = await service.database.pool.query('select * from verification_counts limit 1');
    expect(Object.keys(rows[0]).toSorted()).toEqual(['certificate_id', 'count', 'month', 'way']);
  });

  it('holds an address to its measure: numbers tried in sequence, and names one after another', async () => {
    const tight = await startService({
      env: {
        CREDENTIAL_KEYS: keys,
        RATE_LIST: '100',
        RATE_VERIFICATION: '3',
        DATABASE_URL: service.database.url,
        SERVICE_DATABASE_URL: service.database.serviceUrl,
      },
      clock: service.clock,
    });
    try {
      const ask = async (rows: readonly object[]) =>
        post(JSON.stringify({ certificates: rows }), { on: tight });
      expect((await ask(Array.from({ length: 30 }, (_each, at) => ({ number: unknown(at) })))).status).toBe(
        200,
      );
      // Three wrong names take what is left.
      for (const name of ['王一', '王二', '王三'])
        expect((await ask([{ number: numbers[0], name }])).status).toBe(200);
      const refused = await ask([
        { number: numbers[0], name: names[0] },
        ...Array.from({ length: 9 }, () => ({ number: 'x' })),
      ]);
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await refused.text()).not.toContain('valid');
      const documents = [];
      for (let at = 0; at < 4; at += 1)
        documents.push(
          (await post('%PDF-', { type: 'application/pdf', path: '/api/verify/pdf', on: tight })).status,
        );
      expect(documents).toEqual([200, 200, 200, 429]);
    } finally {
      await tight.stop();
    }
  });
});
