// Sends a document that was generated with its types; needs nothing but fetch.
import type { TypedDocumentString } from './generated/graphql.js';

/** What the graph answered besides data. */
export class GraphError extends Error {
  constructor(readonly errors: ReadonlyArray<{ message: string; extensions?: { code?: string } }>) {
    super(errors.map((error) => error.message).join('; '));
  }
}

type Ask = <Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  ...[variables]: Variables extends Record<string, never> ? [] : [Variables]
) => Promise<Result>;

/** A client of the graph at a URL, acting as the owner of a token. */
export const catalog = (url: string, token: string): Ask => async (document, ...[variables]) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: document.toString(), variables }),
  });
  const answer = await response.json();
  if (answer.errors) throw new GraphError(answer.errors);
  return answer.data;
};
