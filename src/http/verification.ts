import { Readable } from 'node:stream';
import type Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import type { Services } from '../../schema/context.ts';
import { readTable } from '../certification/table.ts';
import { MOST_ROWS, type PdfVerdict, type RowVerdict } from '../certification/verification.service.ts';
import { readRows, type GivenRow } from '../certification/verify-list.ts';
import { InvalidInput } from '../errors.ts';
import { UnreadableFile } from '../people/roster/said.ts';
import { fileOf } from '../people/roster/upload.ts';
import type { RowToWrite } from '../sheets/cells.ts';
import { writeWorkbook, type Language } from '../sheets/write.ts';
import { announcesMore, LimitedBody, lingering } from './body.ts';
import { download } from './download.ts';
import { readBody } from './graphql-plain.ts';
import { problem } from './problem.ts';
import type { RateService } from './rate.service.ts';
import { viewerOf } from './session.ts';

/*
 * Verification for machines and for the page: lists and documents. Open to everyone, within the measure of an address; who is signed in is
 * told of the certificates that they may read in full. src/certification/README.md says how to ask.
 */

const MEGABYTE = 1024 * 1024;
const MAX_LIST = 5 * MEGABYTE;
const MAX_PDF = 5 * MEGABYTE;
/** Of the bucket of lists: nobody tries one name after another. */
const COST_OF_DIFFERENCE = 20;
/** For who is signed in, as many rows are one unit. */
const ROWS_FOR_KNOWN = 10;
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

const listShape = z.strictObject({
  certificates: z
    .array(z.strictObject({ number: z.string().max(100), name: z.string().max(100).nullish() }))
    .min(1)
    .max(MOST_ROWS),
});

export function verificationRoutes(
  router: Router,
  services: Services,
  { rates }: { rates: RateService },
): void {
  router.post('/api/verify', async (ctx) => {
    const viewer = viewerOf(ctx);
    await rates.charge(ctx, viewer);
    const body = await bodyOf(ctx, MAX_LIST);
    if (body === undefined) return;
    const json = ctx.is('json') !== false;
    const rows = json ? rowsInJson(body) : await rowsInFile(body, languageOf(ctx));
    const cost = (units: number): number => Math.ceil(units / (viewer === undefined ? 1 : ROWS_FOR_KNOWN));
    // Before anything is looked up: who has used up their measure learns nothing.
    await rates.chargeFor(ctx, 'list', viewer, cost(rows.length));
    const verdicts = await services.verification.verifyList(viewer, rows, {
      way: json ? 'api' : 'list',
      strangersNames: true,
    });
    const differing = verdicts.filter(({ name, within }) => name === 'differs' && !within).length;
    if (differing > 0) await rates.chargeFor(ctx, 'list', viewer, differing * COST_OF_DIFFERENCE);
    ctx.set('Cache-Control', 'no-store');
    if (ctx.accepts('application/json', XLSX) === XLSX) {
      const language = languageOf(ctx);
      download(
        ctx,
        language === 'en' ? 'verification.xlsx' : '核验结果.xlsx',
        workbookOf(verdicts, language),
      );
      return;
    }
    ctx.body = { results: verdicts.map(tellRow) };
  });

  router.post('/api/verify/pdf', async (ctx) => {
    const viewer = viewerOf(ctx);
    await rates.charge(ctx, viewer);
    await rates.chargeFor(ctx, 'verification', viewer);
    const body = await bodyOf(ctx, MAX_PDF);
    if (body === undefined) return;
    if (body.length === 0) throw new InvalidInput('body', 'Send the PDF as the body of the request.');
    ctx.set('Cache-Control', 'no-store');
    ctx.body = tellPdf(await services.verification.verifyPdf(body));
  });
}

/** The whole body; undefined: it was too large, which has been answered, or the caller left. */
async function bodyOf(ctx: Context, limit: number): Promise<Buffer | undefined> {
  const refuse = (): undefined => {
    problem(ctx, 413, 'BODY_TOO_LARGE', `The body is larger than ${limit / MEGABYTE} MB.`);
    const text = ctx.body as string;
    ctx.body = Readable.from(lingering(text, ctx.req));
    ctx.type = 'application/problem+json';
    ctx.length = Buffer.byteLength(text);
    ctx.set('Connection', 'close');
    return undefined;
  };
  if (announcesMore(ctx.req, limit)) return refuse();
  const coming = new LimitedBody(ctx.req, limit);
  const bytes = await readBody(coming);
  return coming.exceeded ? refuse() : bytes;
}

function languageOf(ctx: Context): Language {
  return ctx.query['language'] === 'en' ? 'en' : 'zh-CN';
}

/** @throws InvalidInput */
function rowsInJson(body: Buffer): GivenRow[] {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    throw new InvalidInput('body', 'The body is not JSON.');
  }
  const read = listShape.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new InvalidInput(
      issue!.path.join('.') || 'body',
      `${issue!.path.join('.') || 'body'}: ${issue!.message}. It looks like {"certificates":[{"number":"XQ2026-…","name":"王芳"}]}, with 1 to ${MOST_ROWS} of them.`,
    );
  }
  return read.data.certificates.map(({ number, name }, at) => ({
    line: at + 1,
    number,
    name: name?.trim() === '' ? undefined : (name ?? undefined),
  }));
}

/** @throws InvalidInput */
async function rowsInFile(body: Buffer, language: Language): Promise<GivenRow[]> {
  // Whatever it says it is: a workbook is a zip.
  const name = body.subarray(0, 2).toString('latin1') === 'PK' ? 'list.xlsx' : 'list.csv';
  try {
    const records = await readTable(fileOf({ name, bytes: body }), MOST_ROWS);
    if (records.length > MOST_ROWS + 1)
      throw new InvalidInput('file', `More than ${MOST_ROWS} rows: divide the list.`);
    return readRows(records);
  } catch (error) {
    if (error instanceof UnreadableFile) throw new InvalidInput('file', error.said[language]);
    throw error;
  }
}

function tellRow({ line, number, givenName, outcome, name, certificate, holderName, within }: RowVerdict) {
  return {
    line,
    number,
    name: givenName,
    outcome,
    nameAgrees: name === 'not_compared' ? null : name === 'agrees',
    holderName,
    title: certificate?.claims.certificationTitle ?? null,
    issuerName: certificate?.claims.issuerName ?? null,
    validFrom: certificate?.validFrom ?? null,
    validUntil: certificate?.validUntil ?? null,
    revokedOn: certificate?.revokedOn ?? null,
    successorNumber: within ? (certificate?.successorNumber ?? null) : null,
  };
}

function tellPdf({
  outcome,
  checks,
  digest,
  signer,
  kept,
  number,
  certificate,
  state,
  holderName,
}: PdfVerdict) {
  return {
    outcome,
    checks: Object.fromEntries(
      Object.entries({ ...checks, kept }).map(([name, value]) => [name, value ?? null]),
    ),
    digest,
    signer,
    number: certificate?.number ?? number ?? null,
    state: state ?? null,
    holderName,
    title: certificate?.claims.certificationTitle ?? null,
    issuerName: certificate?.claims.issuerName ?? null,
    validFrom: certificate?.validFrom ?? null,
    validUntil: certificate?.validUntil ?? null,
    revokedOn: certificate?.revokedOn ?? null,
    revocationReason: certificate?.revocationReason ?? null,
    // Who has only a look-alike is not led on by it.
    successorNumber: kept === true ? (certificate?.successorNumber ?? null) : null,
  };
}

const WORDS = {
  'zh-CN': {
    sheet: '核验结果',
    columns: [
      '行',
      '证书编号',
      '姓名（名单）',
      '结果',
      '姓名核对',
      '持证人（证书）',
      '证书名称',
      '颁发机构',
      '有效期至',
    ],
    outcomes: {
      valid: '有效',
      expired: '已过期',
      revoked: '已撤销',
      superseded: '已被替换',
      unknown: '查无此证',
      unreadable: '编号有误',
    },
    names: { agrees: '一致', differs: '不一致', not_compared: '未核对' },
    forever: '长期',
  },
  en: {
    sheet: 'Verification',
    columns: [
      'Line',
      'Number',
      'Name (list)',
      'Result',
      'Name',
      'Holder (certificate)',
      'Title',
      'Issuer',
      'Valid until',
    ],
    outcomes: {
      valid: 'valid',
      expired: 'expired',
      revoked: 'revoked',
      superseded: 'superseded',
      unknown: 'no such certificate',
      unreadable: 'mistyped number',
    },
    names: { agrees: 'agrees', differs: 'DIFFERS', not_compared: 'not compared' },
    forever: 'does not expire',
  },
} as const;

/** What is not as it should be is marked. */
function workbookOf(verdicts: readonly RowVerdict[], language: Language): Readable {
  const words = WORDS[language];
  const marked = (value: string, bad: boolean) => (bad ? ({ value, mark: true } as const) : value);
  const rows = verdicts.map(
    ({ line, number, givenName, outcome, name, certificate, holderName }): RowToWrite => [
      line,
      number,
      givenName,
      marked(words.outcomes[outcome], outcome !== 'valid'),
      marked(words.names[name], name === 'differs'),
      holderName,
      certificate?.claims.certificationTitle[language] ?? null,
      certificate?.claims.issuerName ?? null,
      certificate === undefined ? null : (certificate.validUntil ?? words.forever),
    ],
  );
  return writeWorkbook({
    language,
    sheets: [
      {
        name: words.sheet,
        columns: words.columns.map((title, at) => ({
          title,
          width: [6, 24, 14, 14, 12, 16, 30, 30, 14][at]!,
          ...(at === 0 ? {} : { format: 'text' as const }),
        })),
        rows,
        freezeHeader: true,
        autoFilter: true,
      },
    ],
  });
}
