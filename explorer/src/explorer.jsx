// The page at /graphql: GraphiQL over the same origin. The server hands the example tabs and the recipes in as JSON in the page, so they change without a new bundle.
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { recipesPlugin } from './recipes.jsx';
import 'graphiql/style.css';

// Monaco asks for a worker by language; each is a file of its own beside this one, so the page needs no blob: or data: script.
const WORKERS = { json: 'json.worker.js', graphql: 'graphql.worker.js' };
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(new URL(WORKERS[label] ?? 'editor.worker.js', import.meta.url)),
};

const page = JSON.parse(document.getElementById('explorer-data').textContent);
// The page's cookie speaks for the person who signed in; a bearer token in the header editor speaks for whoever it names.
const fetcher = createGraphiQLFetcher({ url: page.url, fetch: (input, init) => fetch(input, { ...init, credentials: 'same-origin' }) });

createRoot(document.getElementById('explorer')).render(
  <GraphiQL
    fetcher={fetcher}
    plugins={[recipesPlugin(page.recipes), HISTORY_PLUGIN]}
    defaultTabs={page.tabs}
    defaultEditorToolsVisibility={false}
    shouldPersistHeaders={false}
    showPersistHeadersSettings={false}
    inputValueDeprecation
  >
    <GraphiQL.Logo>
      <a href="/">Atmos catalog</a>
    </GraphiQL.Logo>
  </GraphiQL>,
);
