// PostGraphile with its defaults: Amber, short names, ten connections. PGHOST, PGUSER, PGDATABASE and PEER_PORT say where.
import { createServer } from "node:http";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makePgService } from "postgraphile/adaptors/pg";
import { PgSimplifyInflectionPreset } from "@graphile/simplify-inflection";
import { postgraphile } from "postgraphile";
import { grafserv } from "postgraphile/grafserv/node";

const { PGHOST: host, PGUSER: user, PGDATABASE: database, PEER_PORT } = process.env;
const preset = {
  extends: [PostGraphileAmberPreset, PgSimplifyInflectionPreset],
  pgServices: [
    makePgService({
      poolConfig: { host, user, database, max: 10 },
      schemas: ["public", "peer"],
    }),
  ],
  grafserv: { graphqlPath: "/graphql", graphiql: false },
  gather: { pgStrictFunctions: true },
};
const server = createServer();
const instance = postgraphile(preset);
const serv = instance.createServ(grafserv);
await serv.addTo(server);
server.listen(Number(PEER_PORT), "127.0.0.1", () => console.error("listening"));
