import { request, type ResultOf } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import { Failed, Loading } from '../parts/page.tsx';
import { useQuery } from '../parts/use-query.ts';
import { ExamResult } from './exam-result.tsx';
import { ExamSitting } from './exam-sitting.tsx';
import { NotFound } from './not-found.tsx';
import { AttemptPage } from './queries.ts';

export type Attempt = Extract<NonNullable<ResultOf<typeof AttemptPage>['node']>, { __typename: 'Attempt' }>;

export function ExamRoom({ id }: { id: string }) {
  const { code } = useLanguage();
  const page = useQuery(
    async () => (await request(AttemptPage, { id, language: code })).node,
    `${id} ${code}`,
  );
  if (page.status === 'loading') return <Loading />;
  if (page.status === 'failed')
    return <Failed code={page.error.code} message={page.error.message} retry={page.reload} />;
  if (page.data?.__typename !== 'Attempt') return <NotFound />;
  return page.data.state === 'OPEN' ? (
    <ExamSitting attempt={page.data} reload={page.reload} />
  ) : (
    <ExamResult attempt={page.data} />
  );
}
