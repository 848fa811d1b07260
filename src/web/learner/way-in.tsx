import { request } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import { Title } from '../parts/page.tsx';
import { useQuery } from '../parts/use-query.ts';
import { SampleSignIns } from './queries.ts';

/** For somebody without a session: the way is through the LMS; the sample county has ways of its own. */
export function WayIn({ failed, enter }: { failed: boolean; enter: (key: string) => Promise<void> }) {
  const { t, code } = useLanguage();
  const samples = useQuery(
    async () => (await request(SampleSignIns, { language: code })).sampleSignIns,
    code,
  );
  const teachers =
    samples.status === 'ready' ? samples.data.filter(({ key }) => key.startsWith('teacher')) : [];
  return (
    <>
      <Title text={t.signInTitle}>{t.signInTitle}</Title>
      <p className="lead">{t.signInHint}</p>
      {failed && (
        <p className="notice bad" role="alert">
          {t.signInFailed}
        </p>
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
    </>
  );
}
