import type { ReactNode, Ref } from 'react';
import { useLanguage } from '../language.tsx';
import { Said } from '../parts/said.tsx';
import { Answer, type AnswerProps } from './exam-answer.tsx';

/** A question in its card; what it is about stands above it. */
export function Question({
  title,
  heading,
  withStory = true,
  children,
  ...answer
}: AnswerProps & {
  title: string;
  heading?: Ref<HTMLHeadingElement>;
  withStory?: boolean;
  children?: ReactNode;
}) {
  const { t } = useLanguage();
  const { item } = answer;
  const story = withStory ? item.vignette : null;
  return (
    <form className="card question" onSubmit={(event) => event.preventDefault()}>
      {story !== null && (
        <div className="story" id={`${item.key}-story`}>
          <p className="quiet">{t.story}</p>
          <p>
            <Said in={item.language}>{story.story}</Said>
          </p>
        </div>
      )}
      <fieldset aria-describedby={story === null ? undefined : `${item.key}-story`}>
        <legend>
          <h2 ref={heading} tabIndex={-1}>
            {title}
          </h2>
          <span className="quiet">{t.kind[item.kind]}</span>
          <span className="stem">
            <Said in={item.language}>{item.stem}</Said>
          </span>
        </legend>
        <Answer key={item.key} {...answer} />
      </fieldset>
      {children}
    </form>
  );
}
