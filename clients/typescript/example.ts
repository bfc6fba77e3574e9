// What a tenant costs, stack by stack; then two wrong questions. CATALOG_URL and CATALOG_TOKEN say where and as whom.
import { catalog, GraphError } from './client.js';
import { CostOfATenantDocument, RequestDocument } from './generated/graphql.js';

const ask = catalog(`${process.env.CATALOG_URL}/graphql`, process.env.CATALOG_TOKEN ?? '');

const { tenant, stacks } = await ask(CostOfATenantDocument, { name: 'plat', period: { from: '2026-01-01', to: '2026-02-01' } });
console.log(tenant?.title, tenant?.cost?.estimated?.amount, tenant?.cost?.currency);
for (const stack of stacks.nodes) console.log(stack.name, stack.environment?.kind, stack.cost?.unknownInstances);

const made = await ask(RequestDocument, {
  input: { idempotencyKey: 'typescript-1', action: 'APPLY_COMPONENT', stack: 'nowhere', component: 'vpc', team: 'platform', parameters: {} },
});
console.log(made.requestProvisioning.errors.map((error) => error.code));

try {
  await ask(CostOfATenantDocument, { name: 'plat', period: { from: '2026-02-01', to: '2026-01-01' } });
} catch (error) {
  if (!(error instanceof GraphError)) throw error;
  console.log(error.errors.map((each) => each.extensions?.code));
}
