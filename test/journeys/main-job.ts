import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { sampleCertification } from '../../src/commands/sample/county.ts';
import { launchBrowser } from '../support/browser.ts';
import { codeIn, readPdf } from '../support/pdf.ts';
import { makeDataFolder, startProcess, type StartedService } from '../support/started-service.ts';
import { aClassTeacher, prepareCounty } from './coordinator.ts';
import { DESK, openPage, PHONE, type Opened } from './page.ts';
import { askWell, expectThat, type Step } from './step.ts';
import { activityComesUp, answerQuestion, playActivity, playConversation, readAnswers } from './teacher.ts';

/*
 * The main job, as its people do it: a coordinator and HR's title system by GraphQL and HTTP, the teacher and HR in a browser,
 * all against a service in a process of its own with an empty embedded database.
 */

export interface Journey {
  /** Hears of each step and of what it saw. */
  readonly say: (line: string) => void;
  /** A folder for a screenshot of each page, on a phone and on a desk. */
  readonly pictures?: string | undefined;
}

/** @returns how many steps it took. @throws at the first thing that is not as it should be, naming the step. */
export async function runMainJob({ say, pictures }: Journey): Promise<number> {
  let steps = 0;
  const step = async <T>(name: string, see: () => Promise<readonly [saw: string, value: T]>): Promise<T> => {
    try {
      const [saw, value] = await see();
      steps += 1;
      say(`${String(steps).padStart(2)}. ${name}: ${saw}`);
      return value;
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  };

  const data = await makeDataFolder();
  let service: StartedService | undefined;
  let browser: Browser | undefined;
  try {
    const run = await step('Start', async () => {
      service = await startProcess(data.path, { XINQIAO_SAMPLES: 'staff' });
      const ready = await service.fetch('/readyz');
      expectThat(ready.status === 200, `readyz answers ${ready.status}`);
      return [`an empty service is ready in ${service.seconds.toFixed(1)} s`, service] as const;
    });
    const opened = await launchBrowser();
    browser = opened;

    const { certificationId, unitId, teachers } = await prepareCounty(run, step);
    const coverageNow = async (): Promise<{ covered: number; total: number; gap: number }> => {
      const { coverage } = await askWell(run, 'coordinator', COVERAGE, { certificationId, unitId });
      return coverage as { covered: number; total: number; gap: number };
    };
    await step('Coverage before', async () => {
      const coverage = await coverageNow();
      expectThat(coverage.covered === 0 && coverage.total === teachers, JSON.stringify(coverage));
      return [`0 of ${coverage.total} class teachers are covered`, undefined] as const;
    });

    await step('The same in GraphiQL', async () => {
      const { page } = await openPage(opened, run, DESK, pictures);
      const query = new URLSearchParams({
        as: 'coordinator',
        query: coverageToRead(certificationId, unitId),
      });
      await page.goto(`${run.url}/graphql?${query}`);
      await page.getByRole('button', { name: /^execute/i }).click();
      await page.locator('.result-window', { hasText: `"gap": ${teachers}` }).waitFor();
      // Not ours to judge by axe; that it works here, under our Content-Security-Policy, is.
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, 'graphiql-1280.png') });
      return ['the coordinator is signed in and the query answers', undefined] as const;
    });

    const phone = await openPage(opened, run, PHONE, pictures);
    const staffNumber = await step('Choose a teacher', async () => {
      const number = await aClassTeacher();
      return [`staff number ${number}`, number] as const;
    });
    const certificate = await learn(phone, run, staffNumber, step);
    await verify(await openPage(opened, run, DESK, pictures), run, certificate, step);

    const earned = await step('Coverage and credit', async () => {
      const coverage = await coverageNow();
      expectThat(
        coverage.covered === 1 && coverage.gap === teachers - 1,
        `coverage is ${JSON.stringify(coverage)}`,
      );
      const feed = await readFeed(run);
      const [record] = feed.records;
      expectThat(
        feed.records.length === 1 && record?.kind === 'earned' && record.staffNumber === staffNumber,
        `the feed says ${JSON.stringify(feed)}`,
      );
      const later = await readFeed(run, feed.nextCursor);
      expectThat(later.records.length === 0, 'the same record comes again after its cursor');
      return [
        `1 of ${coverage.total} is covered; the feed has ${record.classHours} class hour`,
        feed,
      ] as const;
    });
    await revoke(run, certificate, earned.nextCursor, coverageNow, step);
    await step('The teacher sees it', async () => {
      await phone.go('/');
      const state = (await phone.page.locator('.certificate .state').textContent()) ?? '';
      expectThat(state === '已撤销', `the card says ${state}`);
      await phone.look('home-revoked');
      return ['the card in the phone says 已撤销', undefined] as const;
    });
    await readInEnglish(
      await openPage(opened, run, PHONE, pictures, 'en-GB'),
      run,
      { staffNumber, certificate },
      step,
    );
    await step('Stop', async () => {
      const code = await run.stop();
      expectThat(code === 0 && run.output().includes('Stopped.'), `it ended with ${code}: ${run.output()}`);
      return ['SIGTERM; service and database ended cleanly', undefined] as const;
    });
    return steps;
  } finally {
    await browser?.close();
    await service?.stop();
    await data.remove();
  }
}

interface Earned {
  readonly number: string;
  readonly name: string;
  readonly url: string;
  readonly digest: string;
}

/** The teacher's part, on a phone. */
async function learn(
  { page, look, go }: Opened,
  run: StartedService,
  staffNumber: string,
  step: Step,
): Promise<Earned> {
  const name = await step('Sign in', async () => {
    await go(`/?sign-in=staff:${staffNumber}`);
    const heading = await page.locator('h1').textContent();
    expectThat(heading?.endsWith('您好') === true, `the page says ${heading}`);
    await look('home');
    return [heading, heading.replace('，您好', '')] as const;
  });
  await step('Open the course', async () => {
    await page.getByRole('link', { name: '开始学习' }).click();
    await page.locator('ol.activities').first().waitFor();
    await page.getByText('请先完成全部学习内容').waitFor();
    await look('course');
    return [
      `${await page.locator('a.activity').count()} activities; the exam waits for them`,
      undefined,
    ] as const;
  });
  await step('Play the lessons', async () => {
    const titles = await page.locator('a.activity .name').allTextContents();
    let conversations = 0;
    const kinds = new Set<string>();
    for (const [index, title] of titles.entries()) {
      await page.locator('a.activity').nth(index).click();
      const kind = await activityComesUp(page);
      const like = kinds.has(kind) ? 'like one before' : undefined;
      kinds.add(kind);
      await look(`activity-${index + 1}`, like);
      if (kind === 'conversation') {
        conversations += 1;
        // Who wants no motion need not see the student think either: once is enough.
        if (like !== undefined) await page.emulateMedia({ reducedMotion: 'reduce' });
        await playConversation(page, async (moment) => look(`activity-${index + 1}-${moment}`, like));
      } else await playActivity(page);
      if (index === titles.length - 1) await look('activity-done');
      await page.getByRole('link', { name: '回到课程' }).click();
      await page.getByRole('heading', { level: 2, name: '考试' }).waitFor();
      const state = await page.locator('a.activity').nth(index).getAttribute('class');
      expectThat(state?.includes('completed') === true, `${title} is ${state}`);
    }
    await look('course-done');
    expectThat(conversations > 0, 'there is no conversation');
    return [
      `${titles.length - conversations} H5P contents from their own origin and ${conversations} conversations, all completed`,
      undefined,
    ] as const;
  });
  await step('Sit the exam', async () => {
    const answers = await readAnswers(sampleCertification.courseSlug);
    await page.getByRole('button', { name: '开始考试' }).click();
    await page.locator('.question').waitFor();
    await look('exam');
    const all = await page.locator('.overview .dot').count();
    for (let at = 1; at <= all; at += 1) {
      await answerQuestion(page, answers);
      if (at === 2) {
        // A phone that fails in the middle: the answers are on the server.
        await page.reload();
        await page.locator('.question').waitFor();
        expectThat((await page.locator('.dot.answered').count()) === 2, 'a reload lost an answer');
        await page.locator('.overview .dot').nth(1).click();
      }
      if (at < all) await page.getByRole('button', { name: '下一题' }).click();
    }
    await page.locator('.question').getByRole('button', { name: '交卷' }).click();
    await look('exam-submit');
    await page.getByRole('button', { name: '确定交卷' }).click();
    const verdict = page.locator('.verdict .big');
    await verdict.waitFor();
    const text = (await verdict.textContent()) ?? '';
    expectThat(text.includes('100 分'), `the result says ${text}`);
    return [`${all} questions, a reload in between; ${text.trim()}`, undefined] as const;
  });
  return step('Get the certificate', async () => {
    const number = page.locator('.certificate .number');
    await number.waitFor({ timeout: 20_000 });
    await look('result');
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: '下载证书' }).click();
    const bytes = await readFile(await (await waiting).path());
    const pdf = await readPdf(bytes);
    const printed = (await number.textContent()) ?? '';
    const text = pdf.text.replaceAll('\n', ' ');
    expectThat(pdf.pages === 1, `the PDF has ${pdf.pages} pages`);
    for (const expected of [
      printed,
      name,
      sampleCertification.title['zh-CN'],
      sampleCertification.issuerName,
    ])
      expectThat(text.includes(expected), `the PDF does not say ${expected}: ${text}`);
    const url = pdf.qr ?? '';
    expectThat(url.startsWith(`${run.url}/verify/${printed}#`), `the QR code says ${url}`);
    return [
      `${printed}, a PDF of ${Math.round(bytes.length / 1000)} kB, its QR code read from the page`,
      { number: printed, name, url, digest: createHash('sha256').update(bytes).digest('hex') },
    ] as const;
  });
}

/** HR's part, at a desk. */
async function verify(
  { page, look, go }: Opened,
  run: StartedService,
  certificate: Earned,
  step: Step,
): Promise<void> {
  const factsNow = async (state: string): Promise<string> => {
    await page.locator(`.verdict[data-state=${state}]`).waitFor();
    return (await page.locator('dl.facts').allTextContents()).join(' ');
  };
  await step('Verify by the QR code', async () => {
    await go(certificate.url.slice(run.url.length));
    const signed = await factsNow('VALID');
    expectThat(signed.includes(certificate.name), `it does not name the holder: ${signed}`);
    await page.locator('.verdict[data-server=told]').waitFor();
    await look('verify');
    // By the number and the code that are printed beside it.
    await go(codeIn(certificate.url).slice(run.url.length));
    const facts = await factsNow('VALID');
    expectThat(facts.includes(certificate.name), `it does not name the holder: ${facts}`);
    expectThat(facts.includes(certificate.digest), 'the digest is not that of the PDF');
    return [
      '证书有效 by the signed code and by the printed one, the full name, and the digest of the very file',
      undefined,
    ] as const;
  });
  await step('Verify by the number alone', async () => {
    await go('/verify');
    await page.getByLabel('证书编号').fill(certificate.number.toLowerCase().replaceAll('-', ' '));
    await page.getByRole('button', { name: '核验' }).click();
    const facts = await factsNow('VALID');
    const masked = `${Array.from(certificate.name)[0]}*`;
    expectThat(!facts.includes(certificate.name) && facts.includes(masked), `the name is open: ${facts}`);
    await look('verify-masked');
    return ['证书有效, the name masked', undefined] as const;
  });
  await step('Verify a wrong number', async () => {
    await go('/verify');
    const last = certificate.number.endsWith('A') ? 'B' : 'A';
    await page.getByLabel('证书编号').fill(certificate.number.slice(0, -1) + last);
    await page.getByRole('button', { name: '核验' }).click();
    await page.locator('.verdict[data-state=NOT_FOUND]').waitFor();
    await look('verify-unknown');
    return ['未查到, and nothing more', undefined] as const;
  });
}

/** The same pages as somebody sees them whose browser is English. */
async function readInEnglish(
  { page, look, go }: Opened,
  run: StartedService,
  { staffNumber, certificate }: { staffNumber: string; certificate: Earned },
  step: Step,
): Promise<void> {
  await step('Read it in English', async () => {
    await go(`/?sign-in=staff:${staffNumber}`);
    const heading = await page.locator('h1').textContent();
    expectThat(heading === `Hello, ${certificate.name}`, `the page says ${heading}`);
    await look('home-en');
    await go('/about-time');
    await look('about-time-en');
    await go('/');
    await page.getByRole('link', { name: 'Open the course' }).waitFor();
    await page.getByRole('link', { name: 'Open the course' }).click();
    await page.locator('a.activity').first().waitFor();
    await look('course-en');
    await page.locator('a.activity').first().click();
    await page.frameLocator('.player iframe').locator('[data-xinqiao][lang=en]').waitFor();
    await look('activity-en');
    await page.locator('a.back').click();
    await page.getByRole('link', { name: 'See the result' }).click();
    await page.locator('.review').waitFor();
    await look('result-en');
    await go(certificate.url.slice(run.url.length));
    await page.locator('.verdict[data-state=REVOKED]').waitFor();
    await look('verify-revoked-en');
    return ['home, course, lesson, result and verification', undefined] as const;
  });
}

async function revoke(
  run: StartedService,
  certificate: Earned,
  cursor: string,
  coverageNow: () => Promise<{ covered: number }>,
  step: Step,
): Promise<void> {
  await step('Revoke it', async () => {
    const found = await askWell(
      run,
      'issuer',
      `query ($number: String!) { certificate(number: $number) { id } }`,
      {
        number: certificate.number,
      },
    );
    const { revokeCertificate } = await askWell(run, 'issuer', REVOKE, {
      input: { certificateId: found.certificate.id as string, reason: '示例：信息有误' },
    });
    expectThat(revokeCertificate.certificate?.state === 'REVOKED', JSON.stringify(revokeCertificate));
    const { verifyCertificate } = await askWell(
      run,
      null,
      `query ($number: String!) { verifyCertificate(number: $number) { state revocationReason } }`,
      { number: certificate.number },
    );
    expectThat(verifyCertificate.state === 'REVOKED', `the verification says ${verifyCertificate.state}`);
    const coverage = await coverageNow();
    expectThat(coverage.covered === 0, `coverage counts ${coverage.covered}`);
    const { records } = await readFeed(run, cursor);
    expectThat(records.length === 1 && records[0]?.kind === 'withdrawn', JSON.stringify(records));
    return ['verification, coverage (0) and feed (withdrawn) say so at once', undefined] as const;
  });
}

interface Feed {
  readonly records: readonly { kind: string; staffNumber: string; classHours: number }[];
  readonly nextCursor: string;
}

async function readFeed(run: StartedService, after?: string): Promise<Feed> {
  const path = `/feed/credit-records${after === undefined ? '' : `?after=${encodeURIComponent(after)}`}`;
  return (await (await run.fetch(path, 'hr')).json()) as Feed;
}

const COVERAGE = `query ($certificationId: ID!, $unitId: ID!) {
  coverage(certificationId: $certificationId, unitId: $unitId, role: CLASS_TEACHER) { covered total gap rate } }`;
const coverageToRead = (certificationId: string, unitId: string): string => `# How far is the county?
{
  coverage(
    certificationId: "${certificationId}"
    unitId: "${unitId}"
    role: CLASS_TEACHER
  ) {
    day
    covered
    total
    rate
    gap
    children(first: 5) {
      nodes {
        unit { ... on Organization { name } }
        covered
        total
      }
    }
  }
}
`;
const REVOKE = `mutation ($input: RevokeCertificateInput!) { revokeCertificate(input: $input) {
  ... on RevokeCertificatePayload { certificate { state } } ... on Refusal { code message } } }`;
