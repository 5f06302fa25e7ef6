// What an application does with the generated types; it is checked, and never run.
import type { ResultOf, VariablesOf } from '@graphql-typed-document-node/core';
import { WeekendDocument } from './generated.js';

type Weekend = ResultOf<typeof WeekendDocument>;

export const variables: VariablesOf<typeof WeekendDocument> = { first: 20, where: { price: { max: '20', currency: 'EUR' } } };

export function prices(weekend: Weekend): string[] {
  return weekend.events.nodes.map(({ title, minPrice }) => (minPrice ? `${title}: ${minPrice.amount} ${minPrice.currency}` : title));
}

// @ts-expect-error A price may be missing.
export const wrong = (weekend: Weekend) => weekend.events.nodes[0]!.minPrice.amount;
