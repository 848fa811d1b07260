import { languageOf } from '../language.tsx';
import type { AnswerProps } from './exam-answer.tsx';

export function ChoiceAnswer({ item, chosen, choose }: AnswerProps) {
  const many = item.kind === 'MULTIPLE';
  const toggle = (key: string): void => {
    if (!many) choose([key]);
    else choose(chosen.includes(key) ? chosen.filter((each) => each !== key) : [...chosen, key]);
  };
  return item.options.map((option) => (
    <label key={option.key} className={chosen.includes(option.key) ? 'option chosen' : 'option'}>
      <input
        type={many ? 'checkbox' : 'radio'}
        name={item.key}
        value={option.key}
        checked={chosen.includes(option.key)}
        onChange={() => toggle(option.key)}
      />
      <span lang={languageOf(item.language)}>{option.text}</span>
    </label>
  ));
}
