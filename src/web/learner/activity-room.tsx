import { useState } from 'react';
import { Link } from 'wouter';
import { request } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import { ConversationRoom } from './conversation-room.tsx';
import { Icon } from '../parts/icon.tsx';
import { Failed, Loading, Title } from '../parts/page.tsx';
import { useQuery } from '../parts/use-query.ts';
import { NotFound } from './not-found.tsx';
import { Player } from './player.tsx';
import { ActivityPage } from './queries.ts';

export function ActivityRoom({ assignmentId, activityKey }: { assignmentId: string; activityKey: string }) {
  const { t, code } = useLanguage();
  const [opened, setOpened] = useState(0);
  const page = useQuery(
    async () => (await request(ActivityPage, { id: assignmentId, language: code })).node,
    `${assignmentId} ${activityKey} ${code} ${opened}`,
  );
  const [completed, setCompleted] = useState(false);
  if (page.status === 'loading') return <Loading />;
  if (page.status === 'failed')
    return <Failed code={page.error.code} message={page.error.message} retry={page.reload} />;
  if (page.data?.__typename !== 'Assignment') return <NotFound />;
  const { activities, course } = page.data;
  const index = activities.findIndex((each) => each.activity.key === activityKey);
  const current = activities[index];
  if (current === undefined) return <NotFound />;
  const next = activities[index + 1];
  const base = `/assignments/${encodeURIComponent(assignmentId)}`;
  return (
    <>
      <Link href={base} className="back">
        ← {course.title}
      </Link>
      <Title text={current.activity.title}>{current.activity.title}</Title>
      {current.activity.playerUrl !== null && (
        <Player
          key={`${current.activity.playerUrl} ${opened}`}
          assignmentId={assignmentId}
          progress={current}
          playerUrl={current.activity.playerUrl}
          language={code}
          onCompleted={() => setCompleted(true)}
          reopen={() => setOpened((before) => before + 1)}
        />
      )}
      {current.activity.kind === 'SIMULATION' && (
        <ConversationRoom
          assignmentId={assignmentId}
          activityKey={activityKey}
          onCompleted={() => setCompleted(true)}
        />
      )}
      <nav className="row after" aria-label={t.nextActivity}>
        {(completed || current.state === 'COMPLETED') && (
          <p className="done" role="status">
            <Icon name="check" /> {t.activityDone}
          </p>
        )}
        {next !== undefined && (
          <Link
            href={`${base}/activities/${next.activity.key}`}
            className={completed || current.state === 'COMPLETED' ? 'button' : 'button second'}
          >
            {t.nextIs(next.activity.title)}
          </Link>
        )}
        <Link href={base} className="button second">
          {t.toCourse}
        </Link>
      </nav>
    </>
  );
}
