import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import { request, type ResultOf } from '../graphql.ts';
import { useLanguage, type LanguageCode } from '../language.tsx';
import { ConversationRoom } from './conversation-room.tsx';
import { Icon } from '../parts/icon.tsx';
import { Failed, Loading, Title } from '../parts/page.tsx';
import { SavingLine, type SavingState } from '../parts/saving.tsx';
import { useQuery } from '../parts/use-query.ts';
import { NotFound } from './not-found.tsx';
import { PlayerSession } from './player-session.ts';
import { ActivityPage } from './queries.ts';
import { TimeLine, useTimekeeper } from './timekeeper.tsx';

type Progress = Extract<
  NonNullable<ResultOf<typeof ActivityPage>['node']>,
  { __typename: 'Assignment' }
>['activities'][number];

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

function Player({
  assignmentId,
  progress,
  playerUrl,
  language,
  onCompleted,
  reopen,
}: {
  assignmentId: string;
  progress: Progress;
  playerUrl: string;
  language: LanguageCode;
  onCompleted: () => void;
  reopen: () => void;
}) {
  const { t } = useLanguage();
  const { sitting, touch } = useTimekeeper(assignmentId, progress.activity.key);
  const frame = useRef<HTMLIFrameElement>(null);
  const [ready, setReady] = useState(false);
  const [failure, setFailure] = useState<string>();
  const [saving, setSaving] = useState<SavingState>('idle');
  const [height, setHeight] = useState(420);
  // What the page hands to the player is what it knew when it opened: a newer answer must not restart it.
  const [first] = useState({ ...progress, playerUrl });

  useEffect(() => {
    const origin = new URL(first.playerUrl).origin;
    const session = new PlayerSession(
      {
        assignmentId,
        activityKey: first.activity.key,
        language,
        version: first.userState?.version ?? 0,
        timed: first.secondsLeft !== null,
      },
      { saving: setSaving, completed: onCompleted },
    );
    const receive = (event: MessageEvent): void => {
      // Anything may send a message to a page; only this frame on the content origin is heard.
      if (event.origin !== origin || event.source !== frame.current?.contentWindow) return;
      const message = event.data as {
        xinqiao?: unknown;
        type?: unknown;
        statement?: unknown;
        data?: unknown;
        pixels?: unknown;
        message?: unknown;
      } | null;
      if (message?.xinqiao !== 1) return;
      if (message.type === 'ready') {
        setReady(true);
        frame.current?.contentWindow?.postMessage(
          { xinqiao: 1, type: 'open', state: first.userState?.data ?? null },
          origin,
        );
      } else if (
        message.type === 'statement' &&
        typeof message.statement === 'object' &&
        message.statement !== null
      )
        session.statement(message.statement);
      else if (message.type === 'state' && typeof message.data === 'string') session.state(message.data);
      else if (message.type === 'height' && typeof message.pixels === 'number')
        setHeight(Math.min(Math.max(message.pixels, 200), 20_000));
      else if (message.type === 'used') touch();
      else if (message.type === 'failed') setFailure(String(message.message));
    };
    window.addEventListener('message', receive);
    return () => {
      window.removeEventListener('message', receive);
      session.close();
    };
    // One session for one opened player.
    // oxlint-disable-next-line react/exhaustive-deps
  }, []);

  useEffect(() => {
    if (frame.current !== null) frame.current.style.height = `${height}px`;
  }, [height]);

  return (
    <div className="player">
      <SavingLine state={saving} />
      {first.stateCleared && (
        <p className="notice" role="status">
          {t.stateCleared}
        </p>
      )}
      {saving === 'moved-on' && (
        <div className="notice" role="alert">
          <p>{t.movedOn}</p>
          <button type="button" onClick={reopen}>
            {t.loadNewer}
          </button>
        </div>
      )}
      {!ready && failure === undefined && <p className="quiet">{t.playerLoading}</p>}
      {failure !== undefined && (
        <p className="notice bad" role="alert">
          {t.playerFailed(failure)}
        </p>
      )}
      <iframe
        ref={frame}
        src={first.playerUrl}
        title={first.activity.title}
        allow="fullscreen"
        // On its own origin, so that the two tokens together give it nothing of ours.
        sandbox="allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads"
      />
      <TimeLine sitting={sitting} />
    </div>
  );
}
