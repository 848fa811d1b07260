import { useLanguage } from '../language.tsx';
import { Icon } from '../parts/icon.tsx';
import { Said } from '../parts/said.tsx';
import type { Item } from './exam-answer.tsx';

/** What was answered, what is right, and why. */
export function Review({
  item,
  title,
  withStory = true,
}: {
  item: Item;
  title?: string;
  withStory?: boolean;
}) {
  const { t } = useLanguage();
  const story = withStory ? item.vignette : null;
  // Of a question that is being sat again nothing is told.
  const isTold = item.correct !== null;
  const verdict = item.correct === true ? t.right : (item.points ?? 0) > 0 ? t.partly : t.wrong;
  return (
    <>
      <p className={`state ${!isTold ? '' : item.correct === true ? 'state-valid' : 'state-revoked'}`}>
        {[title, isTold ? verdict : t.notTold].filter(Boolean).join(' · ')}
      </p>
      {item.mustPass === true && (
        <p className="quiet">{item.correct === true ? t.mustPass : t.mustPassWrong}</p>
      )}
      {story !== null && (
        <div className="story">
          <p className="quiet">{t.story}</p>
          <p>
            <Said in={item.language}>{story.story}</Said>
          </p>
        </div>
      )}
      <p className="stem">
        <Said in={item.language}>{item.stem}</Said>
      </p>
      <Parts item={item} />
    </>
  );
}

function Parts({ item }: { item: Item }) {
  const { t } = useLanguage();
  if (item.kind === 'NUMERIC')
    return (
      <ul className="options">
        <li className="option">
          <span>
            {t.yourAnswer}: {item.chosen[0] ?? t.unanswered}
          </span>
        </li>
        {item.rightNumber !== null && (
          <li className="option right">
            <span>
              <Icon name="check" />
              {t.rightNumber(item.rightNumber, item.tolerance ?? 0)}{' '}
              <Said in={item.language}>{item.unit ?? ''}</Said>
            </span>
            <span className="quiet">
              <Said in={item.language}>{item.rationale}</Said>
            </span>
          </li>
        )}
      </ul>
    );
  if (item.kind === 'ORDERING') {
    const order = item.rightOrder ?? item.options.map((option) => option.key);
    return (
      <ol className="options numbered">
        {order.map((key, at) => {
          const option = item.options.find((each) => each.key === key)!;
          const mine = item.chosen.indexOf(key);
          return (
            <li key={key} className={mine === at ? 'option right' : 'option'}>
              <span>
                {mine === at && item.rightOrder !== null && <Icon name="check" />}
                {item.rightOrder === null ? '' : `${at + 1}. `}
                <Said in={item.language}>{option.text}</Said>
                {mine !== -1 && mine !== at && <strong className="tag mine">{t.yourPlace(mine + 1)}</strong>}
              </span>
              <span className="quiet">
                <Said in={item.language}>{option.rationale}</Said>
              </span>
            </li>
          );
        })}
      </ol>
    );
  }
  if (item.kind === 'MATCHING') {
    const matched = new Map(item.chosen.map((match) => match.split('=') as [string, string]));
    const textOf = (key: string | null | undefined): string | undefined =>
      item.targets.find((target) => target.key === key)?.text;
    return (
      <ul className="options">
        {item.options.map((option) => {
          const mine = matched.get(option.key);
          const isRight = option.rightTarget !== null && mine === option.rightTarget;
          return (
            <li key={option.key} className={isRight ? 'option right' : 'option'}>
              <span>
                {isRight && <Icon name="check" />}
                <Said in={item.language}>
                  {option.text} → {textOf(option.rightTarget) ?? textOf(mine)}
                </Said>
                {option.rightTarget === null && mine === undefined && t.unanswered}
                {option.rightTarget !== null && !isRight && (
                  <strong className="tag mine">{t.youChose(textOf(mine) ?? t.unanswered)}</strong>
                )}
              </span>
              <span className="quiet">
                <Said in={item.language}>{option.rationale}</Said>
              </span>
            </li>
          );
        })}
      </ul>
    );
  }
  return (
    <ul className="options">
      {item.options.map((option) => (
        <li key={option.key} className={option.isRight === true ? 'option right' : 'option'}>
          <span>
            {option.isRight === true && <Icon name="check" />}
            <Said in={item.language}>{option.text}</Said>
            {option.isRight === true && <strong className="tag">{t.rightAnswer}</strong>}
            {item.chosen.includes(option.key) && <strong className="tag mine">{t.yourAnswer}</strong>}
          </span>
          <span className="quiet">
            <Said in={item.language}>{option.rationale}</Said>
          </span>
        </li>
      ))}
    </ul>
  );
}
