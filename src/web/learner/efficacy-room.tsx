import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { request, type ResultOf } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import { toTop } from '../parts/frame.ts';
import { Failed, Loading, Title } from '../parts/page.tsx';
import { useQuery } from '../parts/use-query.ts';
import { Said } from '../parts/said.tsx';
import { EfficacyChange } from './efficacy-change.tsx';
import { EfficacyForm } from './efficacy-form.tsx';
import { NotFound } from './not-found.tsx';
import { DeclineEfficacy, EfficacyPage } from './queries.ts';

export type Efficacy = NonNullable<
  Extract<NonNullable<ResultOf<typeof EfficacyPage>['node']>, { __typename: 'Assignment' }>['efficacy']
>;

/** How sure one feels: the scale when it is asked, and one's own change between the times. */
export function EfficacyRoom({ assignmentId }: { assignmentId: string }) {
  const { t, code } = useLanguage();
  const [, go] = useLocation();
  const [thanks, setThanks] = useState(false);
  const [opened, setOpened] = useState(false);
  const page = useQuery(
    async () => (await request(EfficacyPage, { id: assignmentId, language: code })).node,
    `${assignmentId} ${code}`,
  );
  if (page.status === 'loading') return <Loading />;
  if (page.status === 'failed')
    return <Failed code={page.error.code} message={page.error.message} retry={page.reload} />;
  if (page.data?.__typename !== 'Assignment' || page.data.efficacy === null) return <NotFound />;
  const { efficacy, course } = page.data;
  const back = `/assignments/${encodeURIComponent(assignmentId)}`;
  const { due } = efficacy;
  // Who has declined, or taken it back, comes for what was answered, and asks for the form if need be.
  const isAsked = due !== null && (!due.declined || opened);
  const decline = async (): Promise<void> => {
    if (due !== null && !due.declined)
      await request(DeclineEfficacy, { input: { assignmentId, wave: due.wave } }).catch(() => undefined);
    go(back);
  };
  return (
    <>
      <Link href={back} className="back">
        ← {t.toCourse}
      </Link>
      <Title text={efficacy.scale.title}>
        <Said in={efficacy.scale.language}>{efficacy.scale.title}</Said>
      </Title>
      <p className="quiet">{course.title}</p>
      {thanks && (
        <p role="status" className="notice">
          {t.efficacy.thanks}
        </p>
      )}
      {isAsked && (
        <EfficacyForm
          key={due.wave}
          assignmentId={assignmentId}
          scale={efficacy.scale}
          wave={due.wave}
          done={() => {
            setThanks(true);
            setOpened(false);
            toTop();
            page.reload();
          }}
          decline={() => void decline()}
        />
      )}
      <EfficacyChange
        assignmentId={assignmentId}
        efficacy={efficacy}
        withChange={!isAsked}
        reload={() => {
          setThanks(false);
          page.reload();
        }}
      />
      {due !== null && !isAsked && (
        <section className="card">
          <h2>{t.efficacy.wave[due.wave]}</h2>
          <p>{t.efficacy.stillOpen}</p>
          <button type="button" onClick={() => setOpened(true)}>
            {t.efficacy.begin}
          </button>
        </section>
      )}
      {due === null && efficacy.given.length === 0 && <p className="card">{t.efficacy.nothing}</p>}
    </>
  );
}
