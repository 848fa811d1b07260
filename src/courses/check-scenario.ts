import { branchesOf, findEnding, findTurn, percentOf } from './converse.ts';
import { languages } from './language.ts';
import type { Choice, Scenario } from './scenario.ts';
import { MOST_STATES, walkScenario, type Ways } from './walk-scenario.ts';

/** What an author must mend, and where in the scenario. */
export interface Fault {
  readonly place: string;
  readonly what: string;
}

/** In more turns than this share, the best choice may not be the longest or have the same letter: it could be found unread. */
const MOST_GUESSED = 0.7;

/**
 * Proves of a scenario what its format can't say: it goes forward to an end whatever is chosen, everything in it can be reached, its
 * must-pass steps can be taken, and who does best passes and who does worst does not.
 */
export function checkScenario(
  scenario: Scenario,
  competencies: readonly string[],
): { readonly faults: readonly Fault[]; readonly ways: Ways | undefined } {
  const faults = [...findBrokenNames(scenario, competencies), ...findGuessable(scenario)];
  if (findBrokenNames(scenario, competencies).length > 0) return { faults, ways: undefined };
  const loop = findLoop(scenario);
  if (loop !== undefined) {
    faults.push({
      place: `turns ${loop[0]}`,
      what: `comes again: ${loop.join(' → ')}. A conversation only goes forward.`,
    });
    return { faults, ways: undefined };
  }
  const walked = walkScenario(scenario);
  if ('tooLarge' in walked) {
    faults.push({
      place: 'turns',
      what: `can stand in more than ${MOST_STATES} ways, too many to prove anything of. Use fewer turns, or fewer and rounder changes of what conditions ask for.`,
    });
    return { faults, ways: undefined };
  }
  if ('deadEnds' in walked) {
    for (const { turn, choice, state } of walked.deadEnds)
      faults.push({
        place: `turns ${turn.key} choices ${choice.key}`,
        what: `is a dead end: with ${state} none of its conditions holds. Leave the last one's "if" out.`,
      });
    return { faults, ways: undefined };
  }
  faults.push(...findUnreached(scenario, walked.ways), ...judgeWays(scenario, walked.ways));
  return { faults, ways: walked.ways };
}

function findBrokenNames(scenario: Scenario, competencies: readonly string[]): Fault[] {
  const faults: Fault[] = [];
  const unique = (keys: readonly string[], place: string): void => {
    for (const key of new Set(keys.filter((each, index) => keys.indexOf(each) !== index)))
      faults.push({ place, what: `have the key "${key}" twice.` });
  };
  // One name for a place where a conversation can go, be it a turn or an ending.
  unique(
    [...scenario.turns, ...scenario.endings].map(({ key }) => key),
    'turns and endings',
  );
  const steps = scenario.mustPass.map(({ key }) => key);
  unique(steps, 'mustPass');
  if (!competencies.includes(scenario.competency))
    faults.push({
      place: 'competency',
      what: `is "${scenario.competency}", which course.yaml does not list.`,
    });
  if (findTurn(scenario, scenario.first) === undefined)
    faults.push({ place: 'first', what: `is "${scenario.first}", which is no turn.` });
  for (const turn of scenario.turns) {
    const place = `turns ${turn.key}`;
    if (turn.says === undefined && turn.narration === undefined)
      faults.push({ place, what: 'has neither words nor a narration.' });
    unique(
      turn.choices.map(({ key }) => key),
      `${place} choices`,
    );
    for (const choice of turn.choices) {
      const at = `${place} choices ${choice.key}`;
      const branches = branchesOf(choice);
      for (const { to, if: condition } of branches) {
        if (findTurn(scenario, to) === undefined && findEnding(scenario, to) === undefined)
          faults.push({ place: at, what: `leads to "${to}", which is neither a turn nor an ending.` });
        for (const step of [...(condition?.taken ?? []), ...(condition?.notTaken ?? [])])
          if (!steps.includes(step))
            faults.push({ place: at, what: `asks for "${step}", which mustPass does not list.` });
      }
      if (branches.slice(0, -1).some((branch) => branch.if === undefined))
        faults.push({
          place: at,
          what: 'has an "otherwise" before its last branch: what follows is never looked at.',
        });
      for (const step of choice.takes)
        if (!steps.includes(step))
          faults.push({ place: at, what: `takes "${step}", which mustPass does not list.` });
    }
  }
  return faults;
}

/** @returns the turns of a loop, the first once more at its end. */
function findLoop(scenario: Scenario): string[] | undefined {
  const done = new Set<string>();
  const visit = (key: string, way: readonly string[]): string[] | undefined => {
    const before = way.indexOf(key);
    if (before !== -1) return [...way.slice(before), key];
    const turn = findTurn(scenario, key);
    if (turn === undefined || done.has(key)) return undefined;
    for (const choice of turn.choices)
      for (const { to } of branchesOf(choice)) {
        const loop = visit(to, [...way, key]);
        if (loop !== undefined) return loop;
      }
    done.add(key);
    return undefined;
  };
  for (const { key } of scenario.turns) {
    const loop = visit(key, []);
    if (loop !== undefined) return loop;
  }
  return undefined;
}

function findUnreached(scenario: Scenario, ways: Ways): Fault[] {
  const faults: Fault[] = [];
  for (const { key } of scenario.turns)
    if (!ways.turns.has(key)) faults.push({ place: `turns ${key}`, what: 'is never reached.' });
  for (const { key } of scenario.endings)
    if (!ways.endings.has(key)) faults.push({ place: `endings ${key}`, what: 'is never reached.' });
  for (const turn of scenario.turns) {
    if (!ways.turns.has(turn.key)) continue;
    for (const choice of turn.choices) {
      if (typeof choice.next === 'string') continue;
      for (const [index, branch] of choice.next.entries())
        if (!ways.branches.has(branch))
          faults.push({
            place: `turns ${turn.key} choices ${choice.key} next ${index + 1}`,
            what: `never leads to "${branch.to}": its condition holds at no time.`,
          });
    }
  }
  return faults;
}

function judgeWays(scenario: Scenario, ways: Ways): Fault[] {
  const faults: Fault[] = [];
  for (const { key } of scenario.mustPass)
    if (!ways.steps.has(key)) faults.push({ place: `mustPass ${key}`, what: 'can be taken on no way.' });
  if (ways.mostPassing === undefined) {
    if (faults.length === 0)
      faults.push({
        place: 'mustPass',
        what: 'can not all be taken on one way to an ending that passes.',
      });
    return faults;
  }
  if (ways.mostPassing < ways.most || (ways.mostFailing ?? -1) >= ways.mostPassing)
    faults.push({
      place: 'turns',
      what: `earn ${ways.mostFailing} points on a way that fails, and ${ways.mostPassing} on the best that passes: the best way must pass.`,
    });
  if (ways.leastPassing === ways.least && percentOf(ways.least, ways.most) >= scenario.passMark)
    faults.push({
      place: 'passMark',
      what: `is reached by the worst way, which earns ${percentOf(ways.least, ways.most)} %.`,
    });
  return faults;
}

/** What somebody could pass by who does not read. */
function findGuessable(scenario: Scenario): Fault[] {
  const best = scenario.turns.flatMap((turn) => {
    const most = Math.max(...turn.choices.map(({ points }) => points));
    const right = turn.choices.filter(({ points }) => points === most);
    return right.length === 1 ? [{ turn, choice: right[0]! }] : [];
  });
  const faults: Fault[] = [];
  const tooMany = (count: number): boolean => best.length > 0 && count / best.length > MOST_GUESSED;
  for (const language of languages) {
    const lengthOf = (choice: Choice): number => choice.say[language]?.length ?? 0;
    const longest = best.filter(({ turn, choice }) =>
      turn.choices.every((other) => other === choice || lengthOf(other) < lengthOf(choice)),
    ).length;
    if (tooMany(longest))
      faults.push({
        place: 'turns',
        what: `have the longest text (${language}) as the best choice in ${longest} of ${best.length}: it could be found unread.`,
      });
  }
  for (const letter of new Set(best.map(({ choice }) => choice.key))) {
    const same = best.filter(({ choice }) => choice.key === letter).length;
    if (tooMany(same))
      faults.push({
        place: 'turns',
        what: `have "${letter}" as the best choice in ${same} of ${best.length}.`,
      });
  }
  return faults;
}
