"""The only room that speaks GraphQL: Strawberry types, and the compiler from operations to selections."""
