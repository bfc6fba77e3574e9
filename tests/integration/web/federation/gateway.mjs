// A gateway of Apollo over two subgraphs: the catalog at CATALOG_URL, and incidents that name its things by their ids. Reads from standard
// input `{subgraph, incidents, queries}` and prints what composing says, and what the gateway answers to each query.
import { readFileSync } from 'node:fs';
import { composeServices } from '@apollo/composition';
import { ApolloGateway, LocalGraphQLDataSource, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';

const given = JSON.parse(readFileSync(0, 'utf8'));
const incidentTypes = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
  type Query { incidents: [Incident!]! }
  type Incident @key(fields: "id") { id: ID! title: String! service: Service stack: Stack }
  type Service @key(fields: "id", resolvable: false) { id: ID! }
  type Stack @key(fields: "id", resolvable: false) { id: ID! }
  type Team @key(fields: "id") { id: ID! incidents(first: Int): IncidentConnection! }
  type IncidentConnection { nodes: [Incident!]! pageInfo: PageInfo! }
  type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
`);
const named = (incident) => ({
  ...incident,
  service: incident.service && { __typename: 'Service', id: incident.service },
  stack: incident.stack && { __typename: 'Stack', id: incident.stack },
});
const ended = { hasNextPage: false, hasPreviousPage: false };
const incidents = buildSubgraphSchema({
  typeDefs: incidentTypes,
  resolvers: {
    Query: { incidents: () => given.incidents.map(named) },
    Team: { incidents: (team) => ({ nodes: given.incidents.filter((one) => one.team === team.id).map(named), pageInfo: ended }) },
  },
});

const composed = composeServices([
  { name: 'catalog', url: process.env.CATALOG_URL, typeDefs: parse(given.subgraph) },
  { name: 'incidents', url: 'http://incidents.example', typeDefs: incidentTypes },
]);
const told = { errors: (composed.errors ?? []).map((error) => error.message), hints: (composed.hints ?? []).map((hint) => hint.message), answers: [] };
if (composed.supergraphSdl) {
  const asking = ({ request }) => request.http.headers.set('authorization', `Bearer ${process.env.CATALOG_TOKEN}`);
  const gateway = new ApolloGateway({
    supergraphSdl: composed.supergraphSdl,
    buildService: ({ name, url }) =>
      name === 'catalog' ? new RemoteGraphQLDataSource({ url, willSendRequest: asking }) : new LocalGraphQLDataSource(incidents),
  });
  const server = new ApolloServer({ gateway });
  await server.start();
  for (const query of given.queries) {
    const { body } = await server.executeOperation({ query });
    told.answers.push(body.singleResult);
  }
  await server.stop();
}
console.log(JSON.stringify(told));
