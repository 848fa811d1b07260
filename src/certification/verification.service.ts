import { setTimeout as sleep } from 'node:timers/promises';
import { chinaDay, type Clock } from '../clock.ts';
import { inParts } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import { InvalidInput } from '../errors.ts';
import type { Log } from '../log.ts';
import type { PeopleService } from '../people/people.service.ts';
import { isSelf, may, type Viewer } from '../people/permission.ts';
import { maskName } from '../people/person.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import type { RegionService } from '../regions/region.service.ts';
import { stateOn, type Certificate, type CertificateState } from './certificate.ts';
import {
  findCertificateByDigest,
  listCertificatesByNumber,
  findCertificateByNumber,
} from './certificate.repository.ts';
import { checkPdf, type CheckedPdf } from './check-pdf.ts';
import { listIssuerCertificates } from './document.repository.ts';
import { parseCertificateNumber } from './number.ts';
import { addCounts, listCounts, type Counted, type Way } from './verification.repository.ts';
import { sameName, type GivenRow } from './verify-list.ts';

/** Rows of a list; a larger one is for several. */
export const MOST_ROWS = 5_000;
const COUNT_EVERY_MS = 1_000;

/** `unreadable`: it can't be a number of ours, as its check character says. `unknown`: there is none of this number. */
export type RowOutcome = CertificateState | 'unknown' | 'unreadable';

/** `not_compared`: none was given, there is none to compare it with, or it is not for this asker to know. */
export type NameOutcome = 'agrees' | 'differs' | 'not_compared';

export interface RowVerdict {
  readonly line: number;
  /** In its printed form where it can be read. */
  readonly number: string;
  readonly givenName: string | null;
  readonly outcome: RowOutcome;
  readonly name: NameOutcome;
  /** undefined: there is no certificate to tell of. */
  readonly certificate: Certificate | undefined;
  /** Masked, but for who may read the certificate anyhow. */
  readonly holderName: string | null;
  /** Whether the asker may read it anyhow. */
  readonly within: boolean;
}

/** What comes of a PDF. The first that fits, from the worst. */
export type PdfOutcome =
  | 'not_pdf'
  /** Byte for byte what was issued. */
  | 'genuine'
  /** Something in it was changed. */
  | 'altered'
  /** Something was appended after it was signed. */
  | 'appended'
  /** Somebody else has signed it: a look-alike. */
  | 'foreign'
  /** Signed by the issuer, and there is no record of it. */
  | 'no_record'
  /** Neither known nor signed. */
  | 'unknown';

export interface PdfVerdict extends CheckedPdf {
  readonly outcome: PdfOutcome;
  /** The document's own digest is the one that was kept at issue; undefined: there is no record to compare it with. */
  readonly kept: boolean | undefined;
  /** The one it is, or says it is. */
  readonly certificate: Certificate | undefined;
  readonly state: CertificateState | undefined;
  /** In full where the document is the one that was issued; masked where only its number is known. */
  readonly holderName: string | null;
}

export type VerificationService = ReturnType<typeof makeVerificationService>;

/** Verification of many certificates at once and of documents, and how often they are verified. */
export function makeVerificationService({
  db,
  clock,
  log,
  people,
  regions,
  programmes,
}: {
  db: Database;
  clock: Clock;
  log: Log;
  people: PeopleService;
  regions: RegionService;
  programmes: ProgrammeService;
}) {
  const today = (): string => chinaDay(clock.now());

  /** Kept for a moment, so that a verification need not wait for a count; a crash loses the counts of a second. */
  let waiting = new Map<string, Counted>();
  const count = (certificates: readonly { readonly id: string }[], way: Way): void => {
    const month = `${today().slice(0, 7)}-01`;
    for (const { id } of certificates) {
      const key = `${id} ${month} ${way}`;
      const before = waiting.get(key)?.count ?? 0;
      waiting.set(key, { certificateId: id, month, way, count: before + 1 });
    }
  };

  /** Those of them that the viewer may read: by where the holder works today, or who the issuer is. */
  const readableBy = async (
    viewer: Viewer | undefined,
    certificates: readonly Certificate[],
  ): Promise<ReadonlySet<string>> => {
    if (viewer === undefined) return new Set();
    const posts = await people.listPostsToday([...new Set(certificates.map(({ personId }) => personId))]);
    const organizations = new Map(
      (await regions.listOrganizations([...new Set(posts.map((post) => post.organizationId))])).map(
        (each) => [each.id, each],
      ),
    );
    const certifications = new Map(
      (
        await programmes.listCertifications([
          ...new Set(certificates.map(({ certificationId }) => certificationId)),
        ])
      ).map((each) => [each.id, each]),
    );
    const divisions = new Map(
      (
        await regions.listDivisions([
          ...new Set([...certifications.values()].map(({ divisionCode }) => divisionCode)),
        ])
      ).map((each) => [each.code, each]),
    );
    const placesOf = Map.groupBy(posts, ({ personId }) => personId);
    const readable = certificates.filter(({ personId, certificationId }) => {
      if (isSelf(viewer, personId)) return true;
      const issuer = divisions.get(certifications.get(certificationId)?.divisionCode ?? '');
      return [
        ...(placesOf.get(personId) ?? []).map(({ organizationId }) => organizations.get(organizationId)),
        issuer,
      ].some((place) => place !== undefined && may(viewer, 'certificate.read', place));
    });
    return new Set(readable.map(({ id }) => id));
  };

  const service = {
    /** Told with each verification on the page. */
    count,

    /**
     * Verifies many at once, in their order. Names are compared for who may read the certificate anyhow; with `strangersNames` for everybody,
     * and then whoever calls sees to it that nobody tries one name after another. Of a number that comes with several names none is compared.
     * @throws InvalidInput for more than `MOST_ROWS`, or none.
     */
    async verifyList(
      viewer: Viewer | undefined,
      rows: readonly GivenRow[],
      { way, strangersNames }: { way: Way; strangersNames: boolean },
    ): Promise<RowVerdict[]> {
      if (rows.length === 0 || rows.length > MOST_ROWS)
        throw new InvalidInput('rows', `Give 1 to ${MOST_ROWS} rows at once; divide a longer list.`);
      const numbers = rows.map(({ number }) => parseCertificateNumber(number));
      const known = new Map(
        (
          await listCertificatesByNumber(db, [
            ...new Set(numbers.flatMap((number) => (number === undefined ? [] : [number]))),
          ])
        ).map((each) => [each.number, each]),
      );
      const readable = await readableBy(viewer, [...known.values()]);
      const names = new Map<string, Set<string>>();
      for (const [at, { name }] of rows.entries())
        if (name !== undefined && numbers[at] !== undefined)
          names.set(numbers[at], (names.get(numbers[at]) ?? new Set()).add(name));
      const day = today();
      const verdicts = rows.map(({ line, number: given, name }, at): RowVerdict => {
        const number = numbers[at];
        const certificate = number === undefined ? undefined : known.get(number);
        const base = { line, number: number ?? given, givenName: name ?? null, certificate };
        if (certificate === undefined)
          return {
            ...base,
            outcome: number === undefined ? 'unreadable' : 'unknown',
            name: 'not_compared',
            holderName: null,
            within: false,
          };
        const within = readable.has(certificate.id);
        const { holderName } = certificate.claims;
        const compared =
          name !== undefined && (within || (strangersNames && names.get(certificate.number)!.size === 1));
        return {
          ...base,
          outcome: stateOn(certificate, day),
          name: !compared ? 'not_compared' : sameName(name, holderName) ? 'agrees' : 'differs',
          holderName: within ? holderName : maskName(holderName),
          within,
        };
      });
      count(
        verdicts.flatMap(({ certificate }) => (certificate === undefined ? [] : [certificate])),
        way,
      );
      return verdicts;
    },

    /** Checks a document by its signature and by its record. Open to everyone: who has it has its code too. */
    async verifyPdf(bytes: Buffer): Promise<PdfVerdict> {
      const checked = checkPdf(bytes, await listIssuerCertificates(db));
      const exact = await findCertificateByDigest(db, checked.digest);
      const certificate =
        exact ??
        (checked.number === undefined ? undefined : await findCertificateByNumber(db, checked.number));
      if (exact !== undefined) count([exact], 'pdf');
      return {
        ...checked,
        outcome: outcomeOf(checked, exact !== undefined, certificate !== undefined),
        kept: certificate === undefined ? undefined : exact !== undefined,
        certificate,
        state: certificate === undefined ? undefined : stateOn(certificate, today()),
        holderName:
          certificate === undefined
            ? null
            : exact === undefined
              ? maskName(certificate.claims.holderName)
              : certificate.claims.holderName,
      };
    },

    /** How often a certificate was verified, by month and way; for its holder alone. */
    async listCounts(viewer: Viewer, certificate: Certificate): Promise<Counted[]> {
      return isSelf(viewer, certificate.personId) ? listCounts(db, certificate.id) : [];
    },

    /** Writes the counts that wait. */
    async writeCounts(): Promise<void> {
      if (waiting.size === 0) return;
      const taken = waiting;
      waiting = new Map();
      try {
        await addCounts(db, [...taken.values()]);
      } catch (error) {
        for (const [key, each] of taken)
          waiting.set(key, { ...each, count: each.count + (waiting.get(key)?.count ?? 0) });
        throw error;
      }
    },

    /** Writes counts as long as the service runs. @returns how to stop, which writes what is left. */
    startCounting(): () => Promise<void> {
      const stopping = new AbortController();
      const write = async (): Promise<void> => {
        try {
          await verifying.writeCounts();
        } catch (error) {
          log.warn({ error: String(error) }, 'verifications could not be counted; trying again');
        }
      };
      const working = (async () => {
        while (!stopping.signal.aborted) {
          await sleep(COUNT_EVERY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
          await write();
        }
      })();
      return async () => {
        stopping.abort();
        await working;
      };
    },
  };
  const verifying = inParts(
    { verifyList: 'gate', verifyPdf: 'gate', writeCounts: 'gate', startCounting: 'gate' },
    service,
  );
  return verifying;
}

/** From the record first: it knows the document to the byte, also those from before there were signatures. */
function outcomeOf({ checks }: CheckedPdf, exact: boolean, recorded: boolean): PdfOutcome {
  if (exact) return 'genuine';
  if (!checks.pdf) return 'not_pdf';
  if (checks.signed !== true) return recorded ? 'altered' : 'unknown';
  if (checks.issuer === false && checks.signature === true) return 'foreign';
  if (checks.signature !== true || checks.unaltered !== true) return 'altered';
  if (checks.whole !== true) return 'appended';
  if (checks.issuer === true && !recorded) return 'no_record';
  return recorded ? 'altered' : 'unknown';
}
