import { useEffect, useRef, type ReactNode } from 'react';
import { useLanguage } from '../language.tsx';
import { toTop } from '../parts/frame.ts';
import { Icon } from '../parts/icon.tsx';
import { Said } from '../parts/said.tsx';
import { Face } from './conversation-face.tsx';
import { Coach, HelpNow, Student, Teacher, type PlayedRun } from './conversation-parts.tsx';

/** What became of it, what it is worth, and the conversation once more with what a coach says of it. */
export function ConversationEnd({
  run,
  after,
  fresh,
}: {
  run: PlayedRun;
  after: ReactNode;
  /** Whether it has ended before the reader's eyes. */
  fresh: boolean;
}) {
  const { t } = useLanguage();
  const words = t.conversation;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!fresh) return;
    heading.current?.focus({ preventScroll: true });
    toTop();
  }, [fresh]);
  const { scene } = run;
  const { ending } = scene;
  const percent = Math.floor(run.percent ?? 0);
  const mustPass = scene.mustPass ?? [];
  const missed = mustPass.some((step) => !step.taken);
  return (
    <section className="conversation ended">
      {ending !== null && (
        <header className="who">
          <Face look={scene.studentLook} mood={ending.mood} name={scene.studentName} />
          <div>
            <h2 ref={heading} tabIndex={-1}>
              <Said in={scene.language}>{ending.title}</Said>
            </h2>
            <p>
              <Said in={scene.language}>{ending.text}</Said>
            </p>
          </div>
        </header>
      )}
      <div className={run.passed === true ? 'card verdict good' : 'card verdict'}>
        <p className="big">
          <Icon name={run.passed === true ? 'check' : 'circle'} />{' '}
          {run.mode === 'PRACTICE'
            ? words.practised(percent)
            : run.passed === true
              ? words.passed(percent)
              : words.failed(percent)}
        </p>
        {run.passed !== true && (
          <p>{run.mode === 'PRACTICE' && missed ? words.missedHint : words.failedHint}</p>
        )}
        {after}
      </div>
      <div className="card">
        <h3>{words.mustPass}</h3>
        <ul className="steps">
          {mustPass.map((step) => (
            <li key={step.title} className={step.taken ? 'taken' : 'missed'}>
              <Icon name={step.taken ? 'check' : 'cross'} />
              <span>
                <Said in={scene.language}>{step.title}</Said>
                <span className="quiet"> · {step.taken ? words.taken : words.missed}</span>
              </span>
            </li>
          ))}
        </ul>
      </div>
      <h3>{words.replayTitle}</h3>
      <ol className="chat">
        {scene.moves.map((move) => {
          const shifts = [
            ...(move.trust === null || move.trust === 'SAME' ? [] : [words.trust[move.trust]]),
            ...(move.distress === null || move.distress === 'SAME' ? [] : [words.distress[move.distress]]),
          ];
          return (
            <li key={move.number}>
              <Student
                language={scene.language}
                name={scene.studentName}
                narration={move.narration}
                says={move.says}
              />
              <Teacher language={scene.language} said={move.said} />
              <Coach language={scene.language} text={move.coach ?? ''}>
                <p className="marks">
                  {move.points !== null && (
                    <span className={`mark mark-${move.points}`}>{words.points[move.points]}</span>
                  )}
                  {shifts.map((text) => (
                    <span className="mark" key={text}>
                      {text}
                    </span>
                  ))}
                  {(move.steps ?? []).map((step) => (
                    <span className="mark step" key={step}>
                      <Icon name="check" /> <Said in={scene.language}>{step}</Said>
                    </span>
                  ))}
                </p>
              </Coach>
            </li>
          );
        })}
      </ol>
      <HelpNow />
    </section>
  );
}
