import { useState } from 'react';
import { graphql, request, type ResultOf } from '../graphql.ts';
import { formatTime, useLanguage } from '../language.tsx';
import { Icon } from '../parts/icon.tsx';
import { checkLog, type LogCheck } from './log-proof.ts';

const Log = graphql(`
  query LogOfCertificate($number: String!, $code: String!) {
    transparencyLog {
      verifierKey
    }
    verifyCertificate(number: $number, code: $code) {
      number
      pdfDigest
      log {
        checkpoint
        size
        entries {
          position
          event
          at
          entry
          proof
        }
      }
    }
  }
`);
type Found = NonNullable<NonNullable<ResultOf<typeof Log>['verifyCertificate']>['log']>;
type State =
  { step: 'ask' } | { step: 'busy' } | { step: 'failed' } | { step: 'told'; found: Found; check: LogCheck };

/** What the transparency log says of a certificate whose code is at hand, checked here when it is opened. Of another one, it takes another key. */
export function LogCard({ number, code }: { number: string; code: string }) {
  const { t, language } = useLanguage();
  const [state, setState] = useState<State>({ step: 'ask' });

  const open = async (): Promise<void> => {
    if (state.step === 'busy' || state.step === 'told') return;
    setState({ step: 'busy' });
    try {
      const { transparencyLog, verifyCertificate } = await request(Log, { number, code });
      const found = verifyCertificate?.log;
      if (verifyCertificate === null || found === null || found === undefined) throw new Error('no log');
      const check = await checkLog(found, {
        verifierKey: transparencyLog.verifierKey,
        number: verifyCertificate.number,
        code: grouped(code),
        document: verifyCertificate.pdfDigest ?? '',
      });
      setState({ step: 'told', found, check });
    } catch {
      setState({ step: 'failed' });
    }
  };

  return (
    <details className="card" onToggle={(event) => event.currentTarget.open && void open()}>
      <summary>{t.logTitle}</summary>
      <p className="quiet">{t.logLead}</p>
      <div aria-live="polite">
        {state.step === 'busy' && <p>{t.verifying}</p>}
        {state.step === 'failed' && <p role="alert">{t.logFailed}</p>}
        {state.step === 'told' && state.found.entries.length === 0 && <p>{t.logPending}</p>}
        {state.step === 'told' && state.found.entries.length > 0 && (
          <>
            <p className={`proof ${state.check === false ? 'bad' : 'good'}`} data-log={String(state.check)}>
              <Icon name={state.check === undefined ? 'question' : state.check ? 'check' : 'cross'} />{' '}
              {state.check === undefined
                ? t.logUnsigned
                : state.check
                  ? t.logGood(state.found.size)
                  : t.logBad}
            </p>
            <ul>
              {state.found.entries.map(({ position, event, at }) => (
                <li key={position}>
                  {t.logEvents[event]} · {formatTime(at, language)} · {t.logPlace(position)}
                </li>
              ))}
            </ul>
            <pre className="note">{state.found.checkpoint}</pre>
          </>
        )}
      </div>
    </details>
  );
}

/** As it is printed, however it was typed. */
function grouped(code: string): string {
  const plain = code
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
  return (plain.match(/.{1,4}/g) ?? []).join('-');
}
