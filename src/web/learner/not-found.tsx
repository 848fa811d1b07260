import { Link } from 'wouter';
import { useLanguage } from '../language.tsx';
import { Title } from '../parts/page.tsx';

export function NotFound() {
  const { t } = useLanguage();
  return (
    <div className="card notice">
      <Title text={t.failed}>{t.failed}</Title>
      <p>{t.notFound}</p>
      <Link href="/">{t.back}</Link>
    </div>
  );
}
