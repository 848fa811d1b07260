import { useState, type DragEvent } from 'react';
import { RequestFailed } from '../graphql.ts';
import { formatDay, useLanguage } from '../language.tsx';
import { Icon } from '../parts/icon.tsx';
import { send } from './asking.ts';

const OUTCOMES = ['genuine', 'altered', 'appended', 'foreign', 'no_record', 'unknown', 'not_pdf'] as const;
const CHECKS = ['pdf', 'signed', 'unaltered', 'whole', 'signature', 'issuer', 'kept'] as const;

interface Told {
  readonly outcome: (typeof OUTCOMES)[number];
  readonly checks: Readonly<Record<(typeof CHECKS)[number], boolean | null>>;
  readonly signer: string | null;
  readonly number: string | null;
  readonly state: 'valid' | 'expired' | 'revoked' | 'superseded' | null;
  readonly holderName: string | null;
  readonly title: Readonly<Record<'zh-CN' | 'en', string>> | null;
  readonly issuerName: string | null;
  readonly validUntil: string | null;
  readonly revocationReason: string | null;
}
interface Document {
  readonly key: number;
  readonly name: string;
  readonly told: Told | 'busy' | RequestFailed;
}

const MAX_BYTES = 5 * 1024 * 1024;
const MOST = 50;
const SYMBOL = { valid: 'check', expired: 'clock', revoked: 'cross', superseded: 'swap' } as const;
const TONE = { valid: 'good', expired: 'old', revoked: 'bad', superseded: 'old' } as const;

export function PdfCheck() {
  const { t, code } = useLanguage();
  const language = code === 'en' ? 'en' : 'zh-CN';
  const [documents, setDocuments] = useState<readonly Document[]>([]);
  const [over, setOver] = useState(false);

  const check = async (files: readonly File[]): Promise<void> => {
    const begun = Date.now();
    const asked = files.slice(0, MOST).map((file, at) => ({ file, key: begun + at }));
    setDocuments((before) => [
      ...asked.map(({ file, key }): Document => ({ key, name: file.name, told: 'busy' })),
      ...before,
    ]);
    // One after another: whoever drops fifty is not to be refused for it.
    for (const { file, key } of asked) {
      let told: Told | RequestFailed;
      try {
        if (file.size > MAX_BYTES) throw new RequestFailed(t.pdfTooLarge, 'BODY_TOO_LARGE');
        const response = await send('/api/verify/pdf', file, 'application/pdf', { language });
        told = (await response.json()) as Told;
      } catch (error) {
        told = error instanceof RequestFailed ? error : new RequestFailed(String(error));
      }
      setDocuments((before) => before.map((each) => (each.key === key ? { ...each, told } : each)));
    }
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void check([...event.dataTransfer.files]);
  };

  return (
    <details className="card screen-only">
      <summary>{t.pdfTitle}</summary>
      <p className="quiet">{t.pdfLead}</p>
      {/* The field beside takes the same files by hand and by keyboard. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <label
        className={`field drop${over ? ' over' : ''}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <span>{t.pdfDrop}</span>
        <input
          type="file"
          accept="application/pdf,.pdf"
          multiple
          onChange={(event) => void check([...(event.target.files ?? [])])}
        />
      </label>
      <div aria-live="polite">
        {documents.map(({ key, name, told }) => (
          <section
            key={key}
            className="pdf-verdict"
            data-outcome={typeof told === 'string' || told instanceof Error ? '' : told.outcome}
          >
            <h2>{name}</h2>
            {told === 'busy' ? (
              <p>{t.verifying}</p>
            ) : told instanceof RequestFailed ? (
              <p className="notice bad" role="alert">
                {told.code === 'RATE_LIMITED'
                  ? t.tooMuch
                  : told.code === 'OFFLINE'
                    ? t.stepOffline
                    : told.message}
              </p>
            ) : (
              <Verdict told={told} />
            )}
          </section>
        ))}
      </div>
    </details>
  );
}

function Verdict({ told }: { told: Told }) {
  const { t, language, code } = useLanguage();
  const genuine = told.outcome === 'genuine';
  const tone =
    genuine && told.state !== null
      ? TONE[told.state]
      : told.outcome === 'unknown' || told.outcome === 'not_pdf'
        ? 'unknown'
        : 'bad';
  return (
    <>
      <div className={`verdict ${tone}`}>
        <p className="big">
          <Icon
            name={
              genuine && told.state !== null ? SYMBOL[told.state] : tone === 'unknown' ? 'question' : 'cross'
            }
          />{' '}
          {genuine && told.state !== null && told.state !== 'valid'
            ? t.pdfGenuineBut(t.listOutcome[told.state])
            : t.pdfOutcome[told.outcome]}
        </p>
        <p>{t.pdfMeaning[told.outcome]}</p>
      </div>
      <ul className="steps">
        {CHECKS.map((name) => {
          const good = told.checks[name];
          return (
            <li key={name} className={good === null ? 'open' : good ? 'good' : 'bad'}>
              <Icon name={good === null ? 'question' : good ? 'check' : 'cross'} />
              <span>
                <strong>{t.pdfChecks[name]}</strong> {good === null ? t.pdfOpen : good ? t.pdfYes : t.pdfNo}
                {name === 'issuer' && told.signer !== null && ` ${t.pdfSigner(told.signer)}`}
              </span>
            </li>
          );
        })}
      </ul>
      {told.number !== null && (
        <dl className="facts">
          {(
            [
              [t.number, told.number],
              [t.holder, told.holderName],
              [t.title, told.title?.[code === 'en' ? 'en' : 'zh-CN'] ?? null],
              [t.issuer, told.issuerName],
              [t.stateNow, told.state === null ? null : t.listOutcome[told.state]],
              [
                t.validity,
                told.validUntil === null ? null : t.validUntil(formatDay(told.validUntil, language)),
              ],
              [t.revocationReason, told.revocationReason],
            ] as const
          ).map(([name, value]) =>
            value === null ? null : (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
          )}
        </dl>
      )}
    </>
  );
}
