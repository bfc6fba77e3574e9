"""A long history replayed commit by commit: at every moment the catalog equals one that was indexed there alone."""

import random

from catalog.config import Config
from catalog.indexer import run
from catalog.store.database import Database

COMMITS = 200
SAMPLED = (1, 40, 80, 120, 160, 200)
TABLES = ("stack", "component", "component_instance", "config", "dependency", "environment", "tenant", "team", "service", "service_instance",
          "service_component", "service_instance_component", "cost_estimate", "manifest", "manifest_import", "workflow", "diagnostic")  # fmt: skip
# Moments, and what only tells how often something was written or which run saw it, differ between catalogs.
MOMENTS = "'{changed_at,removed_at,run_id,since,estimated_at,version}'::text[]"
LIVE = {
    "stack": "where removed_at is null",
    "component": "where removed_at is null",
    "component_instance": "where removed_at is null",
    "config": "where hash in (select config_hash from component_instance where removed_at is null)",
    "manifest": "where removed_at is null",
    "manifest_import": "where exists (select from manifest m where m.id = t.manifest_id and m.removed_at is null)",
    "cost_estimate": "where subject_kind <> 'ComponentInstance' or subject_id in (select id from component_instance where removed_at is null)",
}
THEN = """
select i.id, coalesce(v.row, to_jsonb(i)) - '{changed_at,removed_at,state}'::text[], v.config_hash from instance_version v
join component_instance i on i.id = v.instance_id
where v.from_number <= $1 and (v.to_number is null or v.to_number > $1) order by 1
"""


async def rows(catalog):
    """What a catalog holds now, table by table."""
    found = {}
    for table in TABLES:
        found[table] = await catalog.ask(f"select (to_jsonb(t) - {MOMENTS})::text from {table} t {LIVE.get(table, '')} order by 1")
    return found


class Writer:
    """Writes one commit after another into a repository: edits of every kind, now and then a fault that the next commit mends."""

    def __init__(self, place, git, files):
        self.place, self.git, self.files = place, git, dict(files)
        self.chance = random.Random(5)
        self.stacks = ["dev", "prod"]
        self.broken = None
        git(place.path, "init", "--quiet")
        self.save({}, "first")

    def save(self, changed, message):
        self.files |= changed
        self.place.write({name: text for name, text in changed.items() if text is not None})
        for name in (name for name, text in changed.items() if text is None):
            self.place.remove(name)
        self.git(self.place.path, "add", ".")
        self.git(self.place.path, "commit", "--quiet", "--allow-empty", "-m", message)

    def step(self, number, *, whole):
        if self.broken is not None:
            self.save(self.broken, "mend")
            self.broken = None
            return
        kinds = ["variable", "price", "stack", "unstack", "component", "code", "mixin", "team", "workflow", "nothing"]
        what = self.chance.choice(kinds if whole else [*kinds, "fault"])
        self.save(getattr(self, what)(number), what)

    def variable(self, number):
        name = f"stacks/orgs/{self.chance.choice(self.stacks)}.yaml"
        return {name: self.files[name] + f"settings: {{edit: {number}}}\n" if "settings:" not in self.files[name] else
                self.files[name].split("settings:")[0] + f"settings: {{edit: {number}}}\n"}  # fmt: skip

    def price(self, number):
        return {"stacks/catalog/vpc.yaml": self.files["stacks/catalog/vpc.yaml"].replace("$", "€" if number % 2 else "$")}

    def stack(self, number):
        self.stacks.append(f"s{number}")
        return {f"stacks/orgs/s{number}.yaml": f"import: [orgs/_defaults, catalog/vpc]\nvars: {{stage: s{number}}}\n"}

    def unstack(self, _number):
        gone = [name for name in self.stacks if name.startswith("s")]
        if not gone:
            return {}
        self.stacks.remove(gone[0])
        return {f"stacks/orgs/{gone[0]}.yaml": None}

    def component(self, number):
        name = f"stacks/orgs/{self.stacks[-1]}.yaml"
        head, _, tail = self.files[name].partition("components:\n")
        added = f"components:\n  terraform:\n    c{number}:\n      metadata: {{component: vpc}}\n      settings: {{depends_on: {{1: {{component: vpc}}}}}}\n"
        return {name: head + added + (tail.partition("  terraform:\n")[2] if tail else "")}

    def code(self, number):
        return {"components/terraform/vpc/main.tf": f'variable "cidr" {{\n  type = string\n  description = "edit {number}"\n}}\n'}

    def mixin(self, number):
        return {"stacks/orgs/_defaults.yaml": f"vars: {{namespace: acme, tenant: plat, region: eu-west-{number % 3 + 1}}}\n"}

    def team(self, number):
        return {
            "seeds/teams.yaml": f"organizations: [{{name: acme, default_team: platform}}]\nteams: [{{slug: platform, title: Platform {number}}}, {{slug: data}}]\n"
        }

    def workflow(self, number):
        return {
            "stacks/workflows/w.yaml": f"workflows:\n  plan: {{description: Plan {number}, steps: [{{command: terraform plan vpc}}]}}\n"
        }

    def fault(self, _number):
        name = "stacks/orgs/prod.yaml"
        self.broken = {name: self.files[name]}
        return {name: "vars: {stage: [\n"}

    nothing = staticmethod(lambda _number: {})


async def test_two_hundred_commits_one_by_one_are_what_each_is_alone(catalog, place, files, git, new_database, tmp_path):
    """At each sampled commit every table equals that of a fresh index, and versions go on telling what was current then."""
    catalog.config.redaction_key_file.write_bytes(b"k" * 32)
    writer, memory, told = Writer(place, git, files), run.Memory(), {}
    for number in range(1, COMMITS + 1):
        if number > 1:
            writer.step(number, whole=number in SAMPLED or number + 1 in SAMPLED)
        report = await catalog.index(f"file://{place.path}", name="shop", memory=memory, confirmed=True)
        assert (report.number, report.error) == (number, None)
        if number in SAMPLED:
            home = tmp_path / f"alone-{number}"
            home.mkdir()
            (home / "redaction.key").write_bytes(b"k" * 32)
            database = await Database.open(Config(home=home, database_url=await new_database()))
            alone = type(catalog)(database)
            await alone.index(f"file://{place.path}", name="shop")
            mine, theirs = await rows(catalog), await rows(alone)
            for table in TABLES:
                assert mine[table] == theirs[table], (number, table)
            told[number] = await alone.ask(THEN, number)
            await database.close()

    for number, expected in told.items():
        assert await catalog.ask(THEN, number) == expected, number
