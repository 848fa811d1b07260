import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate, pemOf, pemOfKey } from '../../src/certification/signature/development.ts';
import { listIssuerCertificates } from '../../src/certification/document.repository.ts';
import { actingAs } from '../../src/db/acting.ts';
import {
  assignTeachers,
  finishActivities,
  sitExam,
  startService,
  SUBMIT,
  until,
  type Learner,
  type TestService,
} from '../support/service.ts';

describe('an issuer whose key is another from now on', () => {
  let before: TestService | undefined;
  let after: TestService | undefined;
  let learners: Learner[];
  let folder: string;

  const keyFile = async (name: string): Promise<string> => {
    const file = join(folder, `${name}.pem`);
    const days = (count: number): Date => new Date(Date.now() + count * 86_400_000);
    const years = { from: days(-1), to: days(365) };
    const root = await makeCertificate({ name: `Root of ${name}`, ...years, authority: true });
    const made = await makeCertificate({ name, ...years, authority: false, by: root });
    const chain = [made, root].map(({ certificate }) => pemOf(certificate)).join('');
    await writeFile(file, (await pemOfKey(made.key)) + chain);
    return file;
  };
  const earn = async (service: TestService, learner: Learner): Promise<string> => {
    await finishActivities(service, learner);
    await service.ask(learner.key, SUBMIT, { id: await sitExam(service, learner, { right: true }) });
    return until(async () => {
      const { rows } = await service.database.pool.query<{ number: string }>(
        'select number from certificates c join assignments a using (person_id) where a.id = $1',
        [Buffer.from(learner.assignmentId, 'base64').toString().split(':')[1]],
      );
      return rows[0]?.number;
    });
  };
  const pdfOf = async (service: TestService, learner: Learner, number: string): Promise<Buffer> =>
    Buffer.from(await (await service.fetch(`/certificates/${number}.pdf`, learner.key)).arrayBuffer());
  const check = async (service: TestService, pdf: Buffer) =>
    (await (
      await fetch(`${service.app.publicUrl}/api/verify/pdf`, {
        method: 'POST',
        headers: { 'content-type': 'application/pdf' },
        body: new Uint8Array(pdf),
      })
    ).json()) as { outcome: string; signer: string; checks: object };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'xinqiao-key-change-'));
    before = await startService({ env: { ISSUER_KEY_FILE: await keyFile('Bureau 2026') } });
    ({ learners } = await assignTeachers(before, ['t1', 't2']));
  });
  afterAll(async () => {
    await after?.stop();
    await before?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('keeps what was signed: the same bytes, genuine, beside what the new key signs', async () => {
    const [first, second] = learners as [Learner, Learner];
    const old = await earn(before!, first);
    const pdf = await pdfOf(before!, first, old);
    await before!.app.stop();
    after = await startService({ over: before!, env: { ISSUER_KEY_FILE: await keyFile('Bureau 2027') } });

    expect((await pdfOf(after, first, old)).equals(pdf)).toBe(true);
    const genuine = { signature: true, issuer: true, kept: true };
    expect(await check(after, pdf)).toMatchObject({ outcome: 'genuine', checks: genuine });
    const recent = await pdfOf(after, second, await earn(after, second));
    expect(await check(after, recent)).toMatchObject({ outcome: 'genuine', checks: genuine });
    const signers = await actingAs('issuer', async () => listIssuerCertificates(after!.app.db));
    expect(signers).toHaveLength(2);
    // Neither of them is taken for what it is not.
    const changed = Buffer.from(pdf);
    changed[changed.length - 40]! ^= 1;
    expect((await check(after, changed)).outcome).toBe('altered');
  });
});
