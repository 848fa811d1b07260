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
      }
      certificates {
        id
        number
        state
        title(language: $language)
        classHours
        issuedOn
        validUntil
        revokedOn
        revocationReason
        pdfUrl
        verificationUrl
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
        certification {
          title(language: $language)
        }
        course {
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
        shortfalls(language: $language) {
          code
          text
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
        certificate {
          number
          state
          validUntil
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
            title(language: $language)
            playerUrl(language: $language)
          }
          userState(language: $language) {
            data
            version
          }
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
        }
      }
      ... on Refusal {
        code
        message
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

/** All of an item that may be told, in an exam, after it, and in practice. */
const ItemFields = graphql(`
  fragment ItemFields on AttemptItem @_unmask {
    key
    kind
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
  query AfterAttempt($id: ID!) {
    node(id: $id) {
      __typename
      ... on Assignment {
        state
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
