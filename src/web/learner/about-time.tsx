import { Link } from 'wouter';
import { useLanguage } from '../language.tsx';
import { Title } from '../parts/page.tsx';

/** Published to everybody: what is measured, what is not, and what comes of it. The rules stand in src/learning/time.ts. */
export function AboutTime() {
  const { t } = useLanguage();
  return (
    <>
      <Link href="/" className="back">
        ← {t.back}
      </Link>
      <Title text={t.aboutTime.title}>{t.aboutTime.title}</Title>
      <p className="lead">{t.aboutTime.lead}</p>
      {t.aboutTime.parts.map(({ title, points }) => (
        <section className="card" key={title}>
          <h2>{title}</h2>
          <ul className="shortfalls">
            {points.map((point) => (
              <li key={point}>{point}</li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}
