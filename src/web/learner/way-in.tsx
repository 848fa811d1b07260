import { request } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import { Link } from 'wouter';
import { Title } from '../parts/page.tsx';
import { useQuery } from '../parts/use-query.ts';
import { WaysIn } from './queries.ts';

/** For somebody without a session: the way is through the LMS, or an issuer's sign-in; the sample county has ways of its own. */
export function WayIn({ failed, enter }: { failed: boolean; enter: (key: string) => Promise<void> }) {
  const { t, code } = useLanguage();
  const ways = useQuery(async () => request(WaysIn, { language: code }), code);
  const teachers =
    ways.status === 'ready' ? ways.data.sampleSignIns.filter(({ key }) => key.startsWith('teacher')) : [];
  const issuers = ways.status === 'ready' ? ways.data.identityProviders : [];
  return (
    <>
      <Title text={t.signInTitle}>{t.signInTitle}</Title>
      <p className="lead">{t.signInHint}</p>
      {failed && (
        <p className="notice bad" role="alert">
          {t.signInFailed}
        </p>
      )}
      {issuers.length > 0 && (
        <section className="card">
          <h2>{t.signInHere}</h2>
          <p>{t.signInHereHint}</p>
          <ul className="choices">
            {issuers.map(({ url, name }) => (
              <li key={url}>
                <a className="button wide" href={`${url}?returnTo=${encodeURIComponent(location.pathname)}`}>
                  {name}
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      {teachers.length > 0 && (
        <section className="card">
          <h2>{t.sampleTitle}</h2>
          <p>{t.sampleHint}</p>
          <ul className="choices">
            {teachers.map(({ key, name, description }) => (
              <li key={key}>
                <button type="button" className="wide" onClick={() => void enter(key)}>
                  <strong>{name}</strong> {description}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      <p>
        <Link href="/curriculum">{t.curriculum.title}</Link>
      </p>
    </>
  );
}
