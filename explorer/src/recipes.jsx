// A panel of recipes, by persona: each opens in a tab of its own.
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';

/** The plugin that shows `shelf`: per persona a `heading` and its `recipes`, each a `title`, a `text`, a `query` and perhaps `variables`. */
export const recipesPlugin = (shelf) => ({ title: 'Recipes', icon: Icon, content: () => <Recipes shelf={shelf} /> });

function Recipes({ shelf }) {
  const open = useOpen();
  return (
    <section aria-label="Recipes">
      <div className="graphiql-doc-explorer-title">Recipes</div>
      {shelf.map(({ heading, recipes }) => (
        <details key={heading} open>
          <summary className="graphiql-doc-explorer-section-title">{heading}</summary>
          <ul className="graphiql-history-items">
            {recipes.map((recipe) => (
              <li key={recipe.title} className="graphiql-history-item">
                <button
                  type="button"
                  className="graphiql-un-styled graphiql-history-item-label"
                  title={recipe.text}
                  disabled={!open}
                  onClick={() => open(recipe)}
                >
                  {recipe.title}
                </button>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </section>
  );
}

/** What opens a recipe: a new tab takes over the editors, then they are filled. Null while they aren't there yet. */
function useOpen() {
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const { addTab } = useGraphiQLActions();
  if (!queryEditor || !variableEditor) return null;
  return ({ query, variables = '' }) => {
    addTab();
    queryEditor.setValue(query);
    variableEditor.setValue(variables);
  };
}

const Icon = () => (
  <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
    <path d="M6 3h11a2 2 0 0 1 2 2v16H7a2 2 0 0 1-2-2V4a1 1 0 0 1 1-1Zm-1 15a2 2 0 0 1 2-2h12M9 7h6M9 11h4" />
  </svg>
);
