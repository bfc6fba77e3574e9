"""atmos-catalog: an Atmos estate as one graph, with governed provisioning.

The way of the data is the plan of the house: manifests (`stacks`) become a snapshot (`indexer`), rows (`store`,
`records`), a graph (`graph`) and pages (`portal`, `web`); requests (`provisioning`) become commits (`gitops`) and
applies (`executors`), carried out by the `worker`. Imports point down only.
"""

__version__ = "0.1.0"
