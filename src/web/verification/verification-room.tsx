import { useEffect, useRef, useState, type FormEvent } from 'react';
import { graphql, request, RequestFailed, type ResultOf } from '../graphql.ts';
import { formatDay, formatTime, useLanguage } from '../language.tsx';
import { Icon } from '../parts/icon.tsx';
import { Failed, Loading, Title } from '../parts/page.tsx';
import { ListCheck } from './list-check.tsx';
import { LogCard } from './log-card.tsx';
import { PdfCheck } from './pdf-check.tsx';
import { checkToken, readToken, type OfflineFile, type SignedCheck } from './signed-claims.ts';
import { SignedVerdict, type ServerAnswer } from './signed-verdict.tsx';

const Verify = graphql(`
  query Verify($number: String!, $code: String, $language: Language!) {
    verifyCertificate(number: $number, code: $code) {
      number
      state
      codeMatched
      holderName
      organizationName
      title(language: $language)
      titleZh: title(language: zh_CN)
      path
      evidence(language: $language)
      issuerName
      evidenceGrade
      classHours
      issuedOn
      validFrom
      validUntil
      revokedOn
      revocationReason
      successorNumber
      pdfDigest
    }
  }
`);
export type Verification = NonNullable<ResultOf<typeof Verify>['verifyCertificate']>;
type State =
  | { step: 'ask' }
  | { step: 'busy' }
  | { step: 'failed'; error: RequestFailed }
  | { step: 'told'; found: Verification | null; code: string; at: string }
  | { step: 'signed'; check: SignedCheck; server: ServerAnswer; at: string };

interface Given {
  readonly number: string;
  readonly code: string;
  /** Signed claims of a QR code. */
  readonly token: string | undefined;
}

/** Number from the path, code or signed claims from the fragment: what follows # never reaches a server's log. */
function fromAddress(): Given {
  const number = /^\/verify\/([^/]+)/.exec(location.pathname)?.[1] ?? '';
  const code =
    new URLSearchParams(location.hash.slice(1)).get('code') ??
    new URLSearchParams(location.search).get('code') ??
    '';
  let decoded = number;
  try {
    decoded = decodeURIComponent(number);
  } catch {
    // A broken escape is shown as it came.
  }
  return { number: decoded, code, token: readToken(location.hash) };
}

/** What a scanner types, or somebody pastes: the whole text of a code. undefined: it is something else. */
function fromText(text: string): Given | undefined {
  const [, number, fragment] = /\/verify\/([^/#?\s]+)#(\S+)\s*$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const token = readToken(fragment!);
  return {
    number,
    code: token === undefined ? (new URLSearchParams(fragment).get('code') ?? '') : '',
    token,
  };
}

/** The keys and lists, from the network or as they were kept; undefined: neither. */
async function loadOfflineFile(): Promise<OfflineFile | undefined> {
  try {
    const response = await fetch('/verify/offline.json');
    return response.ok ? ((await response.json()) as OfflineFile) : undefined;
  } catch {
    return undefined;
  }
}

function todayInChina(): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai' }).format(new Date());
}

export function VerificationRoom() {
  const { t, code: language } = useLanguage();
  const [given, setGiven] = useState(fromAddress);
  const [state, setState] = useState<State>({ step: 'ask' });
  /** Of two askings the later one is shown. */
  const latest = useRef(0);

  const verifySigned = async (asked: Given & { token: string }): Promise<void> => {
    latest.current += 1;
    const turn = latest.current;
    const show = (next: State): void => {
      if (turn === latest.current) setState(next);
    };
    show({ step: 'busy' });
    const at = new Date().toISOString();
    const check = await checkToken(asked.token, asked.number, await loadOfflineFile(), todayInChina());
    const told = { step: 'signed', check, at } as const;
    show({ ...told, server: { step: 'busy' } });
    try {
      const { verifyCertificate } = await request(Verify, {
        number: asked.number,
        code: check.outcome === 'OTHER_NUMBER' ? null : (check.claims?.code ?? null),
        language,
      });
      show({ ...told, server: { step: 'told', found: verifyCertificate } });
    } catch {
      show({ ...told, server: { step: 'offline' } });
    }
  };

  const verify = async (asked: Given): Promise<void> => {
    if (asked.token !== undefined) return verifySigned({ ...asked, token: asked.token });
    latest.current += 1;
    setState({ step: 'busy' });
    try {
      const { verifyCertificate } = await request(Verify, {
        number: asked.number,
        code: asked.code.trim() === '' ? null : asked.code,
        language,
      });
      setState({
        step: 'told',
        found: verifyCertificate,
        code: asked.code.trim(),
        at: new Date().toISOString(),
      });
    } catch (error) {
      setState({
        step: 'failed',
        error: error instanceof RequestFailed ? error : new RequestFailed(String(error)),
      });
    }
  };
  useEffect(() => {
    if (given.number !== '') void verify(given);
    // So that the lists are new when they are needed.
    else void loadOfflineFile();
    // When the page comes up with a number, and when the language changes under a result.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [language]);

  useEffect(() => {
    const another = (): void => {
      const next = fromAddress();
      setGiven(next);
      if (next.number !== '') void verify(next);
    };
    addEventListener('hashchange', another);
    return () => removeEventListener('hashchange', another);
    // oxlint-disable-next-line react/exhaustive-deps
  }, [language]);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (given.number.trim() === '') return;
    const scanned = fromText(given.number);
    if (scanned !== undefined) {
      setGiven(scanned);
      history.replaceState(null, '', `/verify/${scanned.number}#${scanned.token ?? `code=${scanned.code}`}`);
      void verify(scanned);
      return;
    }
    history.replaceState(
      null,
      '',
      `/verify/${encodeURIComponent(given.number.trim())}${given.code.trim() === '' ? '' : `#code=${encodeURIComponent(given.code.trim())}`}`,
    );
    void verify(given);
  };

  const form = (
    <form className="card screen-only" onSubmit={submit}>
      <label className="field">
        <span>{t.numberLabel}</span>
        <input
          value={given.number}
          required
          autoComplete="off"
          spellCheck={false}
          maxLength={3000}
          aria-describedby="number-hint"
          onChange={(event) => setGiven({ ...given, number: event.target.value, token: undefined })}
        />
        <span className="quiet" id="number-hint">
          {t.numberHint}
        </span>
      </label>
      <label className="field">
        <span>{t.codeLabel}</span>
        <input
          value={given.code}
          autoComplete="off"
          spellCheck={false}
          maxLength={60}
          aria-describedby="code-hint"
          onChange={(event) => setGiven({ ...given, code: event.target.value, token: undefined })}
        />
        <span className="quiet" id="code-hint">
          {t.codeHint}
        </span>
      </label>
      <button type="submit" disabled={state.step === 'busy'}>
        {state.step === 'busy' ? t.verifying : t.verify}
      </button>
    </form>
  );

  return (
    <>
      <Title text={t.verifyTitle}>{t.verifyTitle}</Title>
      <p className="lead screen-only">{t.verifyLead}</p>
      {given.token === undefined && form}
      <div aria-live="polite">
        {state.step === 'busy' && <Loading />}
        {state.step === 'signed' && (
          <>
            <SignedVerdict check={state.check} server={state.server} at={state.at} />
            {state.server.step === 'told' &&
              state.server.found?.codeMatched === true &&
              state.check.claims?.code !== undefined &&
              state.check.claims.code !== null && (
                <LogCard
                  key={`${state.server.found.number} ${state.check.claims.code}`}
                  number={state.server.found.number}
                  code={state.check.claims.code}
                />
              )}
          </>
        )}
        {state.step === 'failed' && (
          <Failed code={state.error.code} message={state.error.message} retry={() => void verify(given)} />
        )}
        {state.step === 'told' &&
          (state.found === null ? (
            <NotFoundVerdict />
          ) : (
            <>
              <Verdict found={state.found} codeGiven={state.code !== ''} at={state.at} />
              {state.found.codeMatched && <LogCard number={state.found.number} code={state.code} />}
            </>
          ))}
      </div>
      {/* Who has scanned a code wants to see what came of it. */}
      {given.token !== undefined && form}
      <PdfCheck />
      <ListCheck />
    </>
  );
}

function NotFoundVerdict() {
  const { t } = useLanguage();
  return (
    <section className="card verdict unknown" data-state="NOT_FOUND">
      <p className="big">
        <Icon name="question" /> {t.notFoundTitle}
      </p>
      <p>{t.notFoundText}</p>
    </section>
  );
}

const SYMBOL = { VALID: 'check', EXPIRED: 'clock', REVOKED: 'cross', SUPERSEDED: 'swap' } as const;
const TONE = { VALID: 'good', EXPIRED: 'old', REVOKED: 'bad', SUPERSEDED: 'old' } as const;

function Verdict({ found, codeGiven, at }: { found: Verification; codeGiven: boolean; at: string }) {
  const { t, language } = useLanguage();
  const rows: [string, string | null][] = [
    [t.number, found.number],
    [
      t.holder,
      found.codeMatched
        ? found.holderName
        : `${found.holderName}${language === 'zh-CN' ? '（' : ' ('}${t.masked}${language === 'zh-CN' ? '）' : ')'}`,
    ],
    [t.organization, found.organizationName],
    [t.title, found.title],
    [t.issuer, found.issuerName],
    [t.path, t.paths[found.path]],
    [t.evidence, found.evidence],
    [
      t.evidenceGrade,
      found.evidenceGrade === null ? null : (t.evidenceGrades[found.evidenceGrade] ?? found.evidenceGrade),
    ],
    [t.hours, t.classHours(found.classHours)],
    [t.issuedOn, formatDay(found.issuedOn, language)],
    [
      t.validity,
      found.validUntil === null
        ? t.validForever
        : t.validityRange(formatDay(found.validFrom, language), formatDay(found.validUntil, language)),
    ],
    [
      found.state === 'SUPERSEDED' ? t.supersededOn : t.revokedOn,
      found.revokedOn === null ? null : formatDay(found.revokedOn, language),
    ],
    [found.state === 'SUPERSEDED' ? t.supersededReason : t.revocationReason, found.revocationReason],
    [t.successor, found.successorNumber],
    [t.digest, found.pdfDigest],
  ];
  return (
    <>
      <section className={`card verdict ${TONE[found.state]}`} data-state={found.state}>
        <p className="big">
          <Icon name={SYMBOL[found.state]} /> {t.verdict[found.state]}
        </p>
        <p className="quiet">{t.asOf(formatTime(at, language))}</p>
      </section>
      {codeGiven && !found.codeMatched && (
        <p className="notice bad" role="alert">
          {t.codeWrong}
        </p>
      )}
      <section className="card">
        <h2>{t.checked}</h2>
        <dl className="facts">
          {rows.map(([name, value]) =>
            value === null ? null : (
              <div key={name}>
                <dt>{name}</dt>
                <dd className={name === t.number ? 'number' : name === t.digest ? 'digest' : undefined}>
                  {value}
                </dd>
              </div>
            ),
          )}
        </dl>
      </section>
      <section className="card">
        <h2>{t.notChecked}</h2>
        <ul>
          {!found.codeMatched && <li>{t.notCheckedName}</li>}
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
