import { useState } from 'react';
import { request, RequestFailed, type ResultOf } from '../graphql.ts';
import { formatTime, useLanguage } from '../language.tsx';
import { Failed, Loading } from '../parts/page.tsx';
import { useQuery } from '../parts/use-query.ts';
import { Said } from '../parts/said.tsx';
import { Conversation } from './conversation-play.tsx';
import { HelpNow } from './conversation-parts.tsx';
import { NotFound } from './not-found.tsx';
import { ConversationPage, StartSimulation } from './queries.ts';
import { TimeLine, useTimekeeper } from './timekeeper.tsx';

type Standing = NonNullable<
  Extract<
    NonNullable<ResultOf<typeof ConversationPage>['node']>,
    { __typename: 'Assignment' }
  >['activities'][number]['simulation']
>;

/** A simulated conversation of an assignment: before it, in it, and its replays. */
export function ConversationRoom({
  assignmentId,
  activityKey,
  onCompleted,
}: {
  assignmentId: string;
  activityKey: string;
  onCompleted: () => void;
}) {
  const { t, code } = useLanguage();
  const page = useQuery(
    async () => (await request(ConversationPage, { id: assignmentId, language: code })).node,
    `${assignmentId} ${activityKey} ${code}`,
  );
  const { sitting } = useTimekeeper(assignmentId, activityKey);
  const [chosen, setChosen] = useState<string>();
  if (page.status === 'loading') return <Loading />;
  if (page.status === 'failed')
    return <Failed code={page.error.code} message={page.error.message} retry={page.reload} />;
  const standing =
    page.data?.__typename === 'Assignment'
      ? page.data.activities.find((each) => each.activity.key === activityKey)?.simulation
      : undefined;
  if (standing === undefined || standing === null) return <NotFound />;
  const open = standing.runs.find((run) => run.state === 'OPEN');
  const shown = chosen ?? open?.id;
  const start = async (): Promise<string | undefined> => {
    const { startSimulation } = await request(StartSimulation, { input: { assignmentId, activityKey } });
    if (startSimulation.__typename === 'StartSimulationPayload') setChosen(startSimulation.run.id);
    // Begun in another page meanwhile.
    else if (startSimulation.code === 'RUN_OPEN') setChosen(undefined);
    page.reload();
    return startSimulation.__typename === 'StartSimulationPayload' || startSimulation.code === 'RUN_OPEN'
      ? undefined
      : startSimulation.code;
  };
  return (
    <>
      <TimeLine sitting={sitting} />
      {shown === undefined ? (
        <section className="card">
          <h2>{t.conversation.before}</h2>
          <p className="lead">
            <Said in={standing.language}>{standing.setting}</Said>
          </p>
          <Rules standing={standing} />
          <StartButton standing={standing} start={start} again={false} />
        </section>
      ) : (
        <Conversation
          key={shown}
          id={shown}
          onFinished={(run) => {
            // It is no longer the open one, and stays on the page.
            setChosen(run.id);
            page.reload();
            if (run.mode === 'PRACTICE' || run.passed === true) onCompleted();
          }}
          after={<StartButton standing={standing} start={start} again />}
        />
      )}
      <Earlier standing={standing} shown={shown} show={setChosen} />
    </>
  );
}

function Rules({ standing }: { standing: Standing }) {
  const { t } = useLanguage();
  const { attemptsAllowed, retryAfterHours } = standing;
  return (
    <>
      <p>
        {standing.mode === 'PRACTICE' ? t.conversation.practice : t.conversation.graded(standing.passMark)}
      </p>
      {attemptsAllowed !== null && retryAfterHours !== null && (
        <p className="quiet">{t.conversation.tries(attemptsAllowed, retryAfterHours)}</p>
      )}
      <HelpNow />
    </>
  );
}

function StartButton({
  standing,
  start,
  again,
}: {
  standing: Standing;
  start: () => Promise<string | undefined>;
  again: boolean;
}) {
  const { t, language } = useLanguage();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const { blockedBy } = standing;
  const begin = async (): Promise<void> => {
    setBusy(true);
    setRefusal(undefined);
    try {
      const code = await start();
      if (code !== undefined) setRefusal(t.refusal[code] ?? code);
    } catch (error) {
      setRefusal(error instanceof RequestFailed && error.code === 'OFFLINE' ? t.offline : String(error));
    }
    setBusy(false);
  };
  return (
    <>
      {blockedBy === null ? (
        <p>
          <button type="button" disabled={busy} onClick={() => void begin()}>
            {again ? t.conversation.again : t.conversation.start}
          </button>
        </p>
      ) : (
        // What is passed needs no word, and an open one is on the page.
        !['ALREADY_PASSED', 'RUN_OPEN'].includes(blockedBy.code) && (
          <p className="notice">
            {blockedBy.retryAt === null
              ? (t.refusal[blockedBy.code] ?? blockedBy.message)
              : t.conversation.retryAt(formatTime(blockedBy.retryAt, language))}
          </p>
        )
      )}
      {refusal !== undefined && (
        <p role="alert" className="notice bad">
          {refusal}
        </p>
      )}
    </>
  );
}

function Earlier({
  standing,
  shown,
  show,
}: {
  standing: Standing;
  shown: string | undefined;
  show: (id: string | undefined) => void;
}) {
  const { t } = useLanguage();
  const others = standing.runs.filter((run) => run.id !== shown);
  if (others.length === 0) return null;
  return (
    <section className="card earlier">
      <h2>{t.conversation.earlier}</h2>
      <ul className="attempts">
        {others.map((run) => (
          <li key={run.id}>
            {t.conversation.run(run.number)}
            {run.percent !== null &&
              ` · ${Math.floor(run.percent)}% · ${run.passed === true ? t.passed : t.notPassed}`}{' '}
            <button type="button" className="plain" onClick={() => show(run.id)}>
              {run.state === 'OPEN' ? t.conversation.goOn : t.conversation.replay}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
