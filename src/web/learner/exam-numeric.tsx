import { useState } from 'react';
import { useLanguage } from '../language.tsx';
import { Said } from '../parts/said.tsx';
import type { AnswerProps } from './exam-answer.tsx';

/** What the service takes as a number: full-width digits, point and sign as well. */
const NUMBER = /^\s*[+\-－−＋]?[\d\uFF10-\uFF19]{1,15}([.．][\d\uFF10-\uFF19]{1,15})?\s*$/;

/** What is not yet a number takes the answer back, so that what is shown and what is kept never differ unsaid. */
export function NumericAnswer({ item, chosen, choose }: AnswerProps) {
  const { t } = useLanguage();
  const [typed, setTyped] = useState(chosen[0] ?? '');
  const isNumber = NUMBER.test(typed);
  const hint = `${item.key}-hint`;
  return (
    <>
      <label className="number">
        <span className="visually-hidden">{t.numberAnswer}</span>
        <input
          type="text"
          inputMode="decimal"
          autoComplete="off"
          maxLength={32}
          value={typed}
          aria-describedby={hint}
          aria-invalid={typed.trim() !== '' && !isNumber}
          onChange={({ target }) => {
            setTyped(target.value);
            choose(NUMBER.test(target.value) ? [target.value] : []);
          }}
        />
        {item.unit !== null && (
          <span>
            <Said in={item.language}>{item.unit}</Said>
          </span>
        )}
      </label>
      <p id={hint} className={typed.trim() === '' || isNumber ? 'quiet' : 'notice bad'} role="status">
        {typed.trim() === '' || isNumber ? t.numberHintAnswer : t.numberBad}
      </p>
    </>
  );
}
