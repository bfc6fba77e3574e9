"""The graph as the contract means it: stock graphql-core over plain rows, written independently of the compiler."""
