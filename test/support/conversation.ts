import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { sampleCertification } from '../../src/commands/sample/county.ts';
import { projectFolder } from '../../src/config.ts';
import { findTurn } from '../../src/courses/converse.ts';
import { manifestSchema } from '../../src/courses/manifest.ts';
import { scenarioSchema, type Scenario } from '../../src/courses/scenario.ts';
import { walkScenario, type Move } from '../../src/courses/walk-scenario.ts';
import type { GraphqlAnswer } from './service.ts';

/* Conversations as a learner plays them, with what only the course folder knows. */

interface Asks {
  ask(as: string, query: string, variables?: Record<string, unknown>): Promise<GraphqlAnswer>;
}

let read: Promise<ReadonlyMap<string, Scenario>> | undefined;
/** Activity key → scenario, from the sample's course folder. */
export async function readScenarios(): Promise<ReadonlyMap<string, Scenario>> {
  read ??= (async () => {
    const folder = join(projectFolder, 'courses', sampleCertification.courseSlug);
    const yaml = async (file: string): Promise<unknown> => parse(await readFile(join(folder, file), 'utf8'));
    const manifest = manifestSchema.parse(await yaml('course.yaml'));
    const scenarios = new Map<string, Scenario>();
    for (const activity of manifest.modules.flatMap((module) => module.activities))
      if (activity.kind === 'simulation')
        scenarios.set(activity.key, scenarioSchema.parse(await yaml(activity.scenario)));
    return scenarios;
  })();
  return read;
}

const words = new WeakMap<Scenario, Record<'best' | 'worst', string[]>>();
/** What to say at each turn of the best or the worst way, in Chinese. */
export function wordsOf(scenario: Scenario, way: 'best' | 'worst'): string[] {
  let known = words.get(scenario);
  if (known === undefined) {
    const walked = walkScenario(scenario);
    if (!('ways' in walked)) throw new Error('The scenario is not in order.');
    const said = (moves: readonly Move[]): string[] =>
      moves.map(
        ({ turn, choice }) =>
          findTurn(scenario, turn)!.choices.find((each) => each.key === choice)!.say['zh-CN'],
      );
    known = { best: said(walked.ways.bestWay), worst: said(walked.ways.worstWay) };
    words.set(scenario, known);
  }
  return known[way];
}
export const bestWords = (scenario: Scenario): string[] => wordsOf(scenario, 'best');

/** What to say to come to the worst verdict soonest: at each turn what is worth least. */
export function worstWord(scenario: Scenario, shown: readonly string[]): string {
  const points = new Map(
    scenario.turns.flatMap((turn) => turn.choices.map((choice) => [choice.say['zh-CN'], choice.points])),
  );
  return shown.toSorted((one, other) => points.get(one)! - points.get(other)!)[0]!;
}

export const START_RUN = `mutation ($input: StartSimulationInput!) { startSimulation(input: $input) { __typename
  ... on StartSimulationPayload { run { id state scene { turn { number choices { key say } } } } } ... on Refusal { code message } } }`;
export const MOVE = `mutation ($input: MakeMoveInput!) { makeMove(input: $input) { __typename
  ... on MakeMovePayload { run { id state percent passed scene { turn { number choices { key say } } } } } ... on Refusal { code message } } }`;

export interface RunAnswer {
  readonly id: string;
  readonly state: 'OPEN' | 'FINISHED';
  readonly percent: number | null;
  readonly passed: boolean | null;
  readonly scene: {
    readonly turn: {
      readonly number: number;
      readonly choices: readonly { readonly key: string; readonly say: string }[];
    } | null;
  };
}

export async function startRun(
  service: Asks,
  as: string,
  assignmentId: string,
  activityKey: string,
): Promise<RunAnswer> {
  const { data } = await service.ask(as, START_RUN, { input: { assignmentId, activityKey } });
  if (data.startSimulation.__typename !== 'StartSimulationPayload') throw new Error(JSON.stringify(data));
  return data.startSimulation.run as RunAnswer;
}

/** Plays a run to its end, choosing by words. @param choose of the words shown at a turn, counted from 0. */
export async function playRun(
  service: Asks,
  as: string,
  run: RunAnswer,
  choose: (shown: readonly string[], move: number) => string,
): Promise<RunAnswer> {
  let now = run;
  while (now.scene.turn !== null) {
    const { number, choices } = now.scene.turn;
    const word = choose(
      choices.map((choice) => choice.say),
      number - 1,
    );
    const choice = choices.find((each) => each.say === word);
    if (choice === undefined) throw new Error(`"${word}" is not shown: ${JSON.stringify(choices)}`);
    const { data } = await service.ask(as, MOVE, {
      input: { runId: now.id, turn: number, choice: choice.key },
    });
    if (data.makeMove.__typename !== 'MakeMovePayload') throw new Error(JSON.stringify(data));
    now = data.makeMove.run as RunAnswer;
  }
  return now;
}

/** Plays a conversation from its beginning on the best way. */
export async function playBest(
  service: Asks,
  as: string,
  assignmentId: string,
  activityKey: string,
): Promise<RunAnswer> {
  const best = bestWords((await readScenarios()).get(activityKey)!);
  return playRun(
    service,
    as,
    await startRun(service, as, assignmentId, activityKey),
    (_shown, move) => best[move]!,
  );
}
