import { lexicographicSortSchema, printSchema, type GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import './refusal.ts';
import './region.ts';
import './people.ts';
import './access.ts';
import './grant.ts';
import './contact.ts';
import './privacy.ts';
import './reorganization.ts';
import './roster.ts';
import './roster-doubt.ts';
import './course.ts';
import './hotline.ts';
import './programme.ts';
import './assignment.ts';
import './time.ts';
import './attempt-item.ts';
import './forwarding.ts';
import './attempt.ts';
import './accommodation.ts';
import './item-analysis.ts';
import './simulation.ts';
import './log.ts';
import './verification.ts';
import './certificate.ts';
import './issue-request.ts';
import './coverage.ts';
import './efficacy.ts';
import './staffing.ts';
import './h5p.ts';
import './indicator.ts';
import './snapshot.ts';
import './credit.ts';
import './lti-grade.ts';
import './lti-roster.ts';
import './lti-registration.ts';
import './lti-account.ts';
import './launch.ts';
import './package.ts';
import './journal.ts';

export const schema: GraphQLSchema = builder.toSchema();

/** The contract as it is committed in schema.graphql. */
export function printContract(): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}
