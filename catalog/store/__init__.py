"""Everything that is SQL: the embedded server, connections, migrations, the queue and each room's statements.

May import `records`, `config`, `errors` and `values`. The decision that shaped it: no other room speaks SQL, so what a row, a lock
or a constraint means is read here; reads are compiled to one statement each and run by `reader`, writes go through `database`.
"""
