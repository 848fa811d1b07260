import { useState } from 'react';
import { authorization } from '../graphql.ts';
import { formatDay, useLanguage } from '../language.tsx';

interface Shown {
  readonly number: string;
  readonly state: 'VALID' | 'EXPIRED' | 'REVOKED' | 'SUPERSEDED';
  readonly validUntil: string | null;
  readonly renewalOpensOn: string | null;
  readonly revokedOn: string | null;
  readonly revocationReason: string | null;
  readonly pdfUrl: string;
  readonly verificationUrl: string;
}

/** @param title under the heading of a list; without one the card stands by itself. */
export function CertificateCard({ certificate, title }: { certificate: Shown; title?: string }) {
  const { t, language } = useLanguage();
  const [download, setDownload] = useState<'idle' | 'busy' | 'failed'>('idle');

  // Once it is open the renewal stands among the courses. Days are China's.
  const [today] = useState(() => new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10));
  const { renewalOpensOn } = certificate;
  const opens = renewalOpensOn !== null && renewalOpensOn > today ? renewalOpensOn : null;

  const save = async (): Promise<void> => {
    setDownload('busy');
    try {
      // A link could not carry the session, which is no cookie.
      const response = await fetch(new URL(certificate.pdfUrl).pathname, { headers: authorization() });
      if (!response.ok) throw new Error(String(response.status));
      const url = URL.createObjectURL(await response.blob());
      const link = document.createElement('a');
      link.href = url;
      link.download = `${certificate.number}.pdf`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      setDownload('idle');
    } catch {
      setDownload('failed');
    }
  };

  return (
    <article className="card certificate">
      <p className={`state state-${certificate.state.toLowerCase()}`}>
        {t.certificateState[certificate.state]}
      </p>
      {title === undefined ? <h2>{t.certificate}</h2> : <h3>{title}</h3>}
      <dl className="facts">
        <dt>{t.number}</dt>
        <dd className="number">{certificate.number}</dd>
      </dl>
      <p className="quiet">
        {certificate.revokedOn !== null
          ? (certificate.state === 'SUPERSEDED' ? t.supersededFor : t.revokedFor)(
              formatDay(certificate.revokedOn, language),
              certificate.revocationReason ?? '',
            )
          : certificate.validUntil === null
            ? t.validForever
            : t.validUntil(formatDay(certificate.validUntil, language))}
        {opens !== null && ` · ${t.renewalOpensOn(formatDay(opens, language))}`}
      </p>
      <div className="row">
        <button type="button" disabled={download === 'busy'} onClick={() => void save()}>
          {download === 'busy' ? t.downloading : t.download}
        </button>
        <a className="button second" href={certificate.verificationUrl} target="_blank" rel="noreferrer">
          {t.verifyPage}
        </a>
      </div>
      {download === 'failed' && <p role="alert">{t.downloadFailed}</p>}
    </article>
  );
}
