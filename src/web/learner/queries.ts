import { graphql } from '../graphql.ts';

export const WaysIn = graphql(`
  query WaysIn($language: Language!) {
    identityProviders {
      name(language: $language)
      url
    }
    sampleSignIns {
      key
      name
      description(language: $language)
    }
  }
`);
export const SignIn = graphql(`
  mutation SignIn($key: String!) {
    signInSample(input: { key: $key }) {
      __typename
      ... on SignInSamplePayload {
        token
      }
      ... on Refusal {
        code
        message
      }
    }
  }
`);
export const RenewLaunchedSession = graphql(`
  mutation RenewLaunchedSession {
    renewLaunchedSession {
      __typename
    }
  }
`);
export const SignOut = graphql(`
  mutation SignOut {
    signOut
  }
`);

export const Home = graphql(`
  query Home($language: Language!) {
    viewer {
      person {
        name
      }
      posts {
        organization {
          name
        }
      }
      assignments {
        id
        state
        dueOn
        renews {
          validUntil
        }
        certification {
          title(language: $language)
        }
        course {
          title(language: $language)
          classHours
        }
        activities {
          state
        }
        efficacy {
          due {
            wave
            until
            declined
          }
        }
      }
      certificates {
        id
        number
        state
        title(language: $language)
        classHours
        issuedOn
        validUntil
        renewalOpensOn
        revokedOn
        revocationReason
        pdfUrl
        verificationUrl
      }
    }
  }
`);

export const CurriculumPage = graphql(`
  query CurriculumPage($language: Language!) {
    courses {
      slug
      version
      title(language: $language)
      summary(language: $language)
      classHours
      audience
      languages
      itemsPerAttempt
      itemsInBank
      competencies {
        key
        title(language: $language)
      }
      review {
        state
        text(language: $language)
      }
      pack {
        key
        title(language: $language)
        url(language: $language)
      }
      modules {
        title(language: $language)
        activities {
          kind
        }
      }
    }
  }
`);

export const AgreeToPackage = graphql(`
  mutation AgreeToPackage($input: AgreeToPackageInput!) {
    agreeToPackage(input: $input) {
      __typename
      ... on AgreeToPackagePayload {
        assignmentId
      }
      ... on Refusal {
        code
        message
      }
    }
  }
`);

export const SendGradeAgain = graphql(`
  mutation SendGradeAgain($id: ID!) {
    sendLtiGradeAgain(input: { gradeId: $id }) {
      __typename
      ... on Refusal {
        code
        message
      }
    }
  }
`);

export const AssignmentPage = graphql(`
  query AssignmentPage($id: ID!, $language: Language!) {
    node(id: $id) {
      __typename
      ... on Assignment {
        id
        state
        dueOn
        renews {
          validUntil
        }
        certification {
          title(language: $language)
        }
        course {
          languages
          review {
            text(language: $language)
          }
          pack {
            key
            title(language: $language)
            url(language: $language)
          }
          title(language: $language)
          summary(language: $language)
          classHours
          modules {
            key
            title(language: $language)
            summary(language: $language)
            activities {
              key
              title(language: $language)
              minutes
            }
          }
        }
        activities {
          state
          activity {
            key
          }
        }
        efficacy(language: $language) {
          scale {
            language
            title
          }
          due {
            wave
            until
            declined
          }
          given {
            wave
          }
        }
        shortfalls(language: $language) {
          code
          text
        }
        time {
          classHours
          flags {
            id
            text(language: $language)
            state
            note
          }
        }
        exam {
          itemsPerAttempt
          minutes
          extraMinutes
          passMark
          attemptsAllowed
          resitAfterHours
          blockedBy {
            code
            message
            retryAt
          }
          openAttempt {
            id
          }
          attempts {
            id
            number
            state
            percent
            passed
          }
        }
        platformGrades {
          id
          platformName
          contextTitle
          linkTitle
          state
          score
          sentAt
          retryAt
        }
        certificate {
          number
          state
          validUntil
          renewalOpensOn
          revokedOn
          revocationReason
          pdfUrl
          verificationUrl
        }
      }
    }
  }
`);

export const ActivityPage = graphql(`
  query ActivityPage($id: ID!, $language: Language!) {
    node(id: $id) {
      __typename
      ... on Assignment {
        id
        course {
          title(language: $language)
        }
        activities {
          state
          activity {
            key
            kind
            title(language: $language)
            playerUrl(language: $language)
          }
          userState(language: $language) {
            data
            version
          }
          stateCleared(language: $language)
          secondsLeft
        }
      }
    }
  }
`);
export const RecordStatements = graphql(`
  mutation RecordStatements($input: RecordStatementsInput!) {
    recordStatements(input: $input) {
      __typename
      ... on RecordStatementsPayload {
        progress {
          state
          secondsLeft
        }
      }
      ... on Conflict {
        retryAt
      }
      ... on Refusal {
        code
        message
      }
    }
  }
`);
export const OpenSitting = graphql(`
  mutation OpenSitting($input: OpenSittingInput!) {
    openSitting(input: $input) {
      __typename
      ... on OpenSittingPayload {
        sitting {
          proof
          nextInSeconds
          pace
          activity {
            creditedSeconds
          }
        }
      }
      ... on Refusal {
        code
      }
    }
  }
`);
export const RecordBeat = graphql(`
  mutation RecordBeat($input: RecordBeatInput!) {
    recordBeat(input: $input) {
      __typename
      ... on RecordBeatPayload {
        sitting {
          proof
          nextInSeconds
          pace
          activity {
            creditedSeconds
          }
        }
      }
      ... on Refusal {
        code
      }
    }
  }
`);
export const SaveUserState = graphql(`
  mutation SaveUserState($input: SaveUserStateInput!) {
    saveUserState(input: $input) {
      __typename
      ... on SaveUserStatePayload {
        version
      }
      ... on Refusal {
        code
        message
      }
    }
  }
`);

const RunParts = graphql(`
  fragment RunParts on SimulationRun @_unmask {
    id
    number
    mode
    state
    percent
    passed
    scene(language: $language) {
      language
      title
      setting
      studentName
      studentAge
      studentLook
      turn {
        number
        narration
        says
        mood
        choices {
          key
          say
        }
      }
      moves {
        number
        narration
        says
        mood
        said
        coach
        points
        trust
        distress
        steps
      }
      ending {
        title
        text
        mood
      }
      mustPass {
        title
        taken
      }
    }
  }
`);
export const ConversationPage = graphql(`
  query ConversationPage($id: ID!, $language: Language!) {
    node(id: $id) {
      __typename
      ... on Assignment {
        activities {
          activity {
            key
          }
          simulation {
            mode
            language(language: $language)
            setting(language: $language)
            passMark
            attemptsAllowed
            retryAfterHours
            blockedBy {
              code
              message
              retryAt
            }
            runs {
              id
              number
              state
              percent
              passed
            }
          }
        }
      }
    }
  }
`);
export const ConversationRun = graphql(
  `
    query ConversationRun($id: ID!, $language: Language!) {
      node(id: $id) {
        __typename
        ...RunParts
      }
    }
  `,
  [RunParts],
);
export const StartSimulation = graphql(`
  mutation StartSimulation($input: StartSimulationInput!) {
    startSimulation(input: $input) {
      __typename
      ... on StartSimulationPayload {
        run {
          id
        }
      }
      ... on Refusal {
        code
        message
      }
    }
  }
`);
export const MakeMove = graphql(
  `
    mutation MakeMove($input: MakeMoveInput!, $language: Language!) {
      makeMove(input: $input) {
        __typename
        ... on MakeMovePayload {
          run {
            ...RunParts
          }
        }
        ... on TurnMovedOn {
          run {
            ...RunParts
          }
        }
        ... on Refusal {
          code
          message
        }
      }
    }
  `,
  [RunParts],
);

/** All of an item that may be told, in an exam, after it, and in practice. */
const ItemFields = graphql(`
  fragment ItemFields on AttemptItem @_unmask {
    key
    kind
    language
    competency
    vignette {
      key
      story
    }
    stem
    unit
    chosen
    points
    correct
    mustPass
    rationale
    rightOrder
    rightNumber
    tolerance
    targets {
      key
      text
    }
    options {
      key
      text
      rationale
      isRight
      rightTarget
    }
  }
`);
export const AttemptPage = graphql(
  `
    query AttemptPage($id: ID!, $language: Language!) {
      node(id: $id) {
        __typename
        ... on Attempt {
          id
          number
          assignmentId
          state
          presentation
          deadline
          percent
          passed
          mustPassMissed
          competencies(language: $language) {
            key
            title
            percent
            isWeak
          }
          items(language: $language) {
            ...ItemFields
          }
        }
      }
    }
  `,
  [ItemFields],
);
export const PracticeItems = graphql(
  `
    query PracticeItems($id: ID!, $competency: String!, $round: Int!, $language: Language!) {
      node(id: $id) {
        __typename
        ... on Attempt {
          practice(competency: $competency, round: $round, language: $language) {
            ...ItemFields
          }
        }
      }
    }
  `,
  [ItemFields],
);
export const CheckPractice = graphql(
  `
    mutation CheckPractice($input: CheckPracticeInput!, $language: Language!) {
      checkPractice(input: $input) {
        __typename
        ... on CheckPracticePayload {
          item(language: $language) {
            ...ItemFields
          }
        }
        ... on Refusal {
          code
          message
        }
      }
    }
  `,
  [ItemFields],
);
export const AfterAttempt = graphql(`
  query AfterAttempt($id: ID!, $language: Language!) {
    node(id: $id) {
      __typename
      ... on Assignment {
        state
        shortfalls(language: $language) {
          code
          text
        }
        exam {
          passMark
          blockedBy {
            code
            retryAt
          }
        }
        certificate {
          number
          state
          validUntil
          renewalOpensOn
          revokedOn
          revocationReason
          pdfUrl
          verificationUrl
        }
      }
    }
  }
`);
export const StartAttempt = graphql(`
  mutation StartAttempt($id: ID!) {
    startAttempt(input: { assignmentId: $id }) {
      __typename
      ... on StartAttemptPayload {
        attempt {
          id
        }
      }
      ... on Refusal {
        code
        message
      }
    }
  }
`);
export const SaveResponse = graphql(`
  mutation SaveResponse($input: SaveResponseInput!) {
    saveResponse(input: $input) {
      __typename
      ... on Refusal {
        code
        message
      }
    }
  }
`);
export const SubmitAttempt = graphql(`
  mutation SubmitAttempt($id: ID!) {
    submitAttempt(input: { attemptId: $id }) {
      __typename
      ... on Refusal {
        code
        message
      }
    }
  }
`);

export const EfficacyPage = graphql(`
  query EfficacyPage($id: ID!, $language: Language!) {
    node(id: $id) {
      __typename
      ... on Assignment {
        course {
          title(language: $language)
        }
        efficacy(language: $language) {
          scale {
            language
            title
            introduction
            answers
            items {
              key
              text
              purpose
            }
          }
          due {
            wave
            declined
          }
          given {
            wave
            givenAt
            mean
            answers {
              itemKey
              answer
            }
          }
        }
      }
    }
  }
`);
export const AnswerEfficacy = graphql(`
  mutation AnswerEfficacy($input: AnswerEfficacyInput!) {
    answerEfficacy(input: $input) {
      __typename
      ... on Refusal {
        code
        message
      }
    }
  }
`);
export const DeclineEfficacy = graphql(`
  mutation DeclineEfficacy($input: DeclineEfficacyInput!) {
    declineEfficacy(input: $input) {
      __typename
    }
  }
`);
export const WithdrawEfficacy = graphql(`
  mutation WithdrawEfficacy($input: WithdrawEfficacyInput!) {
    withdrawEfficacy(input: $input) {
      __typename
    }
  }
`);
