import { formatDay, formatTime, useLanguage } from '../language.tsx';
import { Icon } from '../parts/icon.tsx';
import type { SignedCheck, SignedOutcome } from './signed-claims.ts';
import type { Verification } from './verification-room.tsx';

/** What the service said, when it was asked beside. */
export type ServerAnswer =
  { step: 'busy' } | { step: 'offline' } | { step: 'told'; found: Verification | null };

/** The signature is good and the record says otherwise, or there is none. */
type Outcome = SignedOutcome | 'NO_RECORD' | 'DIFFERS';

const SYMBOL = {
  VALID: 'check',
  NOT_YET: 'clock',
  EXPIRED: 'clock',
  REVOKED: 'cross',
  SUPERSEDED: 'swap',
  FORGED: 'cross',
  UNKNOWN_KEY: 'cross',
  OTHER_NUMBER: 'cross',
  NO_RECORD: 'cross',
  DIFFERS: 'cross',
  NO_KEYS: 'question',
} as const satisfies Record<Outcome, string>;
const TONE: Readonly<Record<Outcome, 'good' | 'old' | 'bad' | 'unknown'>> = {
  VALID: 'good',
  NOT_YET: 'old',
  EXPIRED: 'old',
  REVOKED: 'bad',
  SUPERSEDED: 'old',
  FORGED: 'bad',
  UNKNOWN_KEY: 'bad',
  OTHER_NUMBER: 'bad',
  NO_RECORD: 'bad',
  DIFFERS: 'bad',
  NO_KEYS: 'unknown',
};

/** A list older than this is said to be old in so many words. */
const OLD_LIST_MS = 24 * 3_600_000;

export function SignedVerdict({
  check,
  server,
  at,
}: {
  check: SignedCheck;
  server: ServerAnswer;
  at: string;
}) {
  const { t, language } = useLanguage();
  const { claims } = check;
  const found = server.step === 'told' ? server.found : undefined;
  const rows = claims === undefined ? [] : rowsOf();
  const outcome = outcomeOf();
  const age = check.listAt === undefined ? undefined : Date.parse(at) - Date.parse(check.listAt);
  const day = (text: string): string => formatDay(text, language);

  function rowsOf(): { name: string; value: string; known: string | null | undefined }[] {
    const range = (from: string, until: string | null): string =>
      until === null
        ? t.validForever
        : t.validityRange(formatDay(from, language), formatDay(until, language));
    return [
      { name: t.number, value: claims!.number, known: found?.number },
      {
        name: t.holder,
        value: claims!.holderName,
        known: found?.codeMatched === true ? found.holderName : undefined,
      },
      { name: t.title, value: claims!.title, known: found === null ? undefined : found?.titleZh },
      { name: t.issuer, value: claims!.issuerName, known: found?.issuerName },
      {
        name: t.hours,
        value: t.classHours(claims!.classHours),
        known: found && t.classHours(found.classHours),
      },
      ...(claims!.evidenceGrade === null
        ? []
        : [
            {
              name: t.evidenceGrade,
              value: t.evidenceGrades[claims!.evidenceGrade] ?? claims!.evidenceGrade,
              known: found?.evidenceGrade && (t.evidenceGrades[found.evidenceGrade] ?? found.evidenceGrade),
            },
          ]),
      ...(claims!.percent === null
        ? []
        : [{ name: t.examPercent, value: `${claims!.percent}`, known: undefined }]),
      {
        name: t.issuedOn,
        value: formatDay(claims!.issuedOn, language),
        known: found && formatDay(found.issuedOn, language),
      },
      {
        name: t.validity,
        value: range(claims!.validFrom, claims!.validUntil),
        known: found && range(found.validFrom, found.validUntil),
      },
    ];
  }

  function outcomeOf(): Outcome {
    if (claims === undefined || check.outcome === 'OTHER_NUMBER' || server.step !== 'told')
      return check.outcome;
    if (server.found === null) return 'NO_RECORD';
    if (rows.some((row) => typeof row.known === 'string' && row.known !== row.value)) return 'DIFFERS';
    // The newer word counts: the service knows what the list at hand may not.
    return server.found.state === 'VALID' && check.outcome === 'NOT_YET' ? 'NOT_YET' : server.found.state;
  }

  const trusted = claims !== undefined && check.outcome !== 'OTHER_NUMBER';
  const steps: { name: string; good: boolean | undefined; text: string }[] = [
    {
      name: t.stepSignature,
      good: check.outcome === 'NO_KEYS' ? undefined : claims !== undefined,
      text:
        check.outcome === 'NO_KEYS'
          ? t.stepNoKeys
          : check.outcome === 'UNKNOWN_KEY'
            ? t.stepUnknownKey(check.kid)
            : claims === undefined
              ? t.stepSignatureWrong
              : t.stepSignatureGood(check.kid),
    },
    ...(claims === undefined
      ? []
      : [
          {
            name: t.stepNumber,
            good: check.outcome !== 'OTHER_NUMBER',
            text: check.outcome === 'OTHER_NUMBER' ? t.stepNumberWrong(claims.number) : t.stepNumberGood,
          },
        ]),
    ...(trusted
      ? [
          {
            name: t.stepList,
            good:
              age === undefined ? undefined : check.outcome !== 'REVOKED' && check.outcome !== 'SUPERSEDED',
            text:
              age === undefined
                ? t.stepNoList
                : `${
                    check.outcome === 'REVOKED'
                      ? t.stepListRevoked
                      : check.outcome === 'SUPERSEDED'
                        ? t.stepListSuperseded
                        : t.stepListGood
                  }${t.listAge(formatTime(check.listAt!, language), t.age(age))}`,
          },
        ]
      : []),
    {
      name: t.stepServer,
      good: server.step !== 'told' ? undefined : server.found?.state === 'VALID' && outcome !== 'DIFFERS',
      text:
        server.step === 'busy'
          ? t.verifying
          : server.step === 'offline'
            ? t.stepOffline
            : server.found === null
              ? t.stepNoRecord
              : outcome === 'DIFFERS'
                ? t.stepDiffers
                : t.verdict[server.found.state],
    },
  ];

  return (
    <>
      <section className={`card verdict ${TONE[outcome]}`} data-state={outcome} data-server={server.step}>
        <p className="big">
          <Icon name={SYMBOL[outcome]} /> {t.signedVerdict[outcome]}
        </p>
        <p>{t.signedMeaning[outcome]}</p>
        <p className="quiet">{t.asOf(formatTime(at, language))}</p>
      </section>
      {trusted && server.step !== 'told' && age !== undefined && age > OLD_LIST_MS && (
        <p className="notice" role="status">
          {t.listOld(t.age(age))}
        </p>
      )}
      <section className="card">
        <h2>{t.steps}</h2>
        <ul className="steps">
          {steps.map((step) => (
            <li key={step.name} className={step.good === undefined ? 'open' : step.good ? 'good' : 'bad'}>
              <Icon name={step.good === undefined ? 'question' : step.good ? 'check' : 'cross'} />
              <span>
                <strong>{step.name}</strong> {step.text}
              </span>
            </li>
          ))}
        </ul>
      </section>
      {trusted && (
        <section className="card">
          <h2>{t.signedClaims}</h2>
          <dl className="facts">
            {rows.map(({ name, value, known }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  {name === t.number ? <strong>{value}</strong> : value}
                  <span
                    className={`proof ${known === undefined || known === null || known === value ? 'good' : 'bad'}`}
                  >
                    <Icon
                      name={known === undefined || known === null || known === value ? 'check' : 'cross'}
                    />
                    {known === undefined || known === null
                      ? t.provenBySignature
                      : known === value
                        ? t.provenByBoth
                        : t.recordSays(known)}
                  </span>
                </dd>
              </div>
            ))}
            {found !== undefined && found !== null && (
              <>
                {(
                  [
                    [t.organization, found.organizationName],
                    [t.path, t.paths[found.path]],
                    [t.evidence, found.evidence],
                    [
                      found.state === 'SUPERSEDED' ? t.supersededOn : t.revokedOn,
                      found.revokedOn && day(found.revokedOn),
                    ],
                    [
                      found.state === 'SUPERSEDED' ? t.supersededReason : t.revocationReason,
                      found.revocationReason,
                    ],
                    [t.successor, found.successorNumber],
                  ] as const
                ).map(([name, value]) =>
                  value === null ? null : (
                    <div key={name}>
                      <dt>{name}</dt>
                      <dd>
                        {value}
                        <span className="proof good">
                          <Icon name="check" />
                          {t.provenByRecord}
                        </span>
                      </dd>
                    </div>
                  ),
                )}
              </>
            )}
          </dl>
        </section>
      )}
      <section className="card">
        <h2>{t.notChecked}</h2>
        <ul>
          {server.step !== 'told' && <li>{t.notCheckedServer}</li>}
          <li>{t.notCheckedPaper}</li>
          <li>{t.notCheckedPerson}</li>
        </ul>
        <button type="button" className="second screen-only" onClick={() => window.print()}>
          {t.print}
        </button>
      </section>
    </>
  );
}
