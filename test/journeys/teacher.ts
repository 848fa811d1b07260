import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import { parse } from 'yaml';
import { projectFolder } from '../../src/config.ts';
import { itemFileSchema, questionsOf, type Item } from '../../src/courses/item.ts';
import { bestWords, readScenarios } from '../support/conversation.ts';

/* What a teacher does in the browser: plays a course's contents and conversations and answers its exam. Chinese pages. */

/** Content types that were played by real clicks on a page: another of the same would show nothing new. */
const clicked = new WeakMap<Page, Set<string>>();

/** Plays the content that is open until the page says that it is done. Any answer will do: practice is not graded. */
export async function playActivity(page: Page): Promise<void> {
  const content = page.frameLocator('.player iframe');
  const type = (await content.locator('[data-xinqiao]').getAttribute('data-xinqiao')) ?? '';
  const before = clicked.get(page) ?? new Set();
  if (before.has(type)) await playWhole(content);
  else {
    clicked.set(page, before.add(type));
    for (let step = 0; await takeStep(content); step += 1)
      if (step === 200)
        throw new Error(
          `The content does not come to an end: ${await content.locator('[data-xinqiao]').innerText()}`,
        );
  }
  await page.locator('p.done').waitFor({ timeout: 10_000 });
}

/**
 * Plays any content of our types to its end, inside its page and at once.
 * @param steps how many at the most: to be left in the middle.
 */
export async function playWhole(content: FrameLocator, steps = 1_000): Promise<void> {
  const came = await content.locator('[data-xinqiao]').evaluate(
    (root, { selectors, most }) => {
      for (let step = 0; step < most; step += 1) {
        const choices = selectors
          .map((selector) =>
            [...root.querySelectorAll<HTMLElement>(selector)].filter((element) => element.checkVisibility()),
          )
          .find((elements) => elements.length > 0);
        if (choices === undefined) return true;
        // Now this, now that: a card that was sorted wrongly comes again, and is to be sorted otherwise then.
        const next = choices[(Math.imul(step, 2_654_435_761) >>> 16) % choices.length]!;
        if (next instanceof HTMLTextAreaElement) {
          next.value = `第 ${step + 1} 次想到的`;
          next.dispatchEvent(new Event('input', { bubbles: true }));
        } else next.click();
        if (next instanceof HTMLInputElement) root.querySelector<HTMLElement>('[data-action=check]')?.click();
      }
      return false;
    },
    { selectors: Object.values(STEPS), most: steps },
  );
  if (!came && steps === 1_000)
    throw new Error(
      `The content does not come to an end: ${await content.locator('[data-xinqiao]').innerText()}`,
    );
}

/** What a learner can do, in the order in which it is done. */
const STEPS = {
  level: '[data-level]:enabled',
  option: '[data-option] input:enabled',
  reveal: '[data-action=reveal][aria-expanded=false]',
  choice: '[data-choice]',
  write: 'textarea:placeholder-shown',
  next: '[data-action=next]',
};

/** What an open activity is played with has come up. @returns `conversation`, or the type of the content. */
export async function activityComesUp(page: Page): Promise<string> {
  const begin = page.getByRole('button', { name: '开始对话' });
  await page.locator('.player iframe').or(begin).first().waitFor();
  if (await begin.isVisible()) return 'conversation';
  const content = page.frameLocator('.player iframe').locator('[data-xinqiao]');
  await content.waitFor();
  return (await content.getAttribute('data-xinqiao'))!;
}

/** Has the conversation that is open on its best way. @param look hears of the moments worth a look. */
export async function playConversation(page: Page, look: (moment: string) => Promise<void>): Promise<void> {
  const key = decodeURIComponent(new URL(page.url()).pathname.split('/').at(-1)!);
  const words = bestWords((await readScenarios()).get(key)!);
  await page.getByRole('button', { name: '开始对话' }).click();
  for (const [index, word] of words.entries()) {
    await page.locator(`.conversation[data-turn="${index + 1}"]`).waitFor();
    if (index === 2) {
      // A phone that fails in the middle: the moves are on the server.
      await page.reload();
      await page.locator('.conversation[data-turn="3"]').waitFor();
      await look('middle');
    }
    await page.getByRole('button', { name: word, exact: true }).click();
  }
  await page.locator('.conversation.ended').waitFor();
  await page.locator('p.done').waitFor();
  await page.getByRole('heading', { name: '回放' }).waitFor();
  await look('ended');
  if (!(await page.locator('.conversation.ended').isVisible())) throw new Error('The end went away.');
}

/** The one thing that a learner can do next. @returns whether there was one. */
async function takeStep(content: FrameLocator): Promise<boolean> {
  // Asked at once: a question to the browser for each would take longer than what is done.
  const step = await content
    .locator('body')
    .evaluate(
      (body, steps) =>
        Object.entries(steps).find(
          ([, selector]) => body.querySelector(selector)?.checkVisibility() === true,
        )?.[0],
      STEPS,
    );
  if (step === undefined) return false;
  const first = content.locator(STEPS[step as keyof typeof STEPS]).first();
  if (step === 'option') {
    await first.check();
    await content.locator('[data-action=check]').click();
  } else if (step === 'write') await first.fill('想到的，写在这里。');
  else await first.click();
  if (step === 'level' || step === 'option') await content.locator('[data-action=next]').click();
  return true;
}

/** What is right, in the Chinese words of the page. */
export type RightAnswer =
  | { readonly kind: 'choose'; readonly texts: readonly string[] }
  | { readonly kind: 'order'; readonly texts: readonly string[] }
  /** Text of the pair → text of its target. */
  | { readonly kind: 'match'; readonly pairs: ReadonlyMap<string, string> }
  | { readonly kind: 'number'; readonly value: string };

/** Chinese stem → what is right, from the course folder, which no learner sees. */
export async function readAnswers(course: string): Promise<Map<string, RightAnswer>> {
  const folder = join(projectFolder, 'courses', course, 'items');
  const answers = new Map<string, RightAnswer>();
  for (const file of await readdir(folder)) {
    const items = itemFileSchema.parse(parse(await readFile(join(folder, file), 'utf8')));
    for (const item of items.flatMap((written) => questionsOf(written)))
      answers.set(item.stem['zh-CN'], rightOf(item));
  }
  return answers;
}

function rightOf(item: Item): RightAnswer {
  switch (item.kind) {
    case 'ordering':
      return { kind: 'order', texts: item.elements.map(({ text }) => text['zh-CN']) };
    case 'matching':
      return {
        kind: 'match',
        pairs: new Map(
          item.pairs.map(({ text, matches }) => [
            text['zh-CN'],
            item.targets.find(({ key }) => key === matches)!.text['zh-CN'],
          ]),
        ),
      };
    case 'numeric':
      return { kind: 'number', value: String(item.answer) };
    case 'single':
    case 'multiple':
    case 'true_false':
      return {
        kind: 'choose',
        texts: item.options.filter(({ correct }) => correct).map(({ text }) => text['zh-CN']),
      };
  }
}

/** A right answer as the API takes it. */
export function chosenOf(
  answer: RightAnswer,
  item: {
    readonly options: readonly { key: string; text: string }[];
    readonly targets: readonly { key: string; text: string }[];
  },
): string[] {
  const keyOf = (text: string | undefined, among: readonly { key: string; text: string }[]): string =>
    among.find((each) => each.text === text)!.key;
  switch (answer.kind) {
    case 'number':
      return [answer.value];
    case 'match':
      return item.options.map(({ key, text }) => `${key}=${keyOf(answer.pairs.get(text), item.targets)}`);
    case 'choose':
    case 'order':
      return answer.texts.map((text) => keyOf(text, item.options));
  }
}

/** Answers the question that is shown, rightly, and waits until the answer is saved. */
export async function answerQuestion(page: Page, answers: ReadonlyMap<string, RightAnswer>): Promise<void> {
  const question = page.locator('.question');
  const stem = (await question.locator('.stem').textContent()) ?? '';
  const right = answers.get(stem.trim());
  if (right === undefined) throw new Error(`The item bank has no question "${stem}".`);
  switch (right.kind) {
    case 'choose':
      for (const text of right.texts) await question.getByLabel(text, { exact: true }).check();
      break;
    case 'order':
      for (const [place, text] of right.texts.entries())
        for (;;) {
          const order = await question.locator('.order-text').allTextContents();
          if (order.indexOf(text) <= place) break;
          await question.getByRole('button', { name: `上移：${text}`, exact: true }).press('Enter');
        }
      break;
    case 'match':
      for (const [text, target] of right.pairs)
        await question.locator('.match', { hasText: text }).locator('select').selectOption({ label: target });
      break;
    case 'number':
      await question.locator('.number input').fill(right.value);
  }
  await page.locator('.saving-saved').waitFor();
}
