"""Search once more, plainly: every thing is asked whether it answers, one after the other. Slow and simple on purpose."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

SEPARATORS = "\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f"
ORDER = ("SERVICE", "COMPONENT", "STACK", "TEAM", "ENVIRONMENT", "WORKFLOW", "PROVISIONING_REQUEST", "COMPONENT_INSTANCE")
MOST_TERMS = 20


def words(text):
    """The words of a text: small letters without accents."""
    bare = re.sub("[\u0300-\u036f]+", "", unicodedata.normalize("NFKD", (text or "")[:4000])).lower()
    return [word[:100] for word in re.split(f"[{SEPARATORS}]+", bare) if word]


def joined(*parts):
    """Texts one after the other; what is empty is left out."""
    return " · ".join(part for part in parts if part)


@dataclass
class Entry:
    """What a thing is found by."""

    name: str
    title: str | None
    body: str

    @property
    def shown(self):
        """The name as people write it."""
        return self.name if self.title in {None, self.name} else f"{self.title} ({self.name})"

    @property
    def folded(self):
        """The name's words."""
        return " ".join(words(self.name))[:200]

    @property
    def named(self):
        """The lists of words of name and title."""
        return [words(self.name), words(self.title)]

    @property
    def all(self):
        """All lists of words."""
        return [*self.named, words(self.body)]


def entry(store, kind, row):
    """The entry of a row."""

    def tenant():
        found = store.one(row["tenant_id"])
        return None if found["hidden"] else found["name"]

    match kind:
        case "SERVICE":
            return Entry(row["slug"], row["title"], joined(row["description"], row["category"], " ".join(row["tags"])))
        case "COMPONENT":
            return Entry(row["name"], row["title"], joined(row["description"], row["category"]))
        case "STACK":
            labels = " ".join(value for _, value in sorted(row["labels"].items()))
            place = (row["namespace"], tenant(), row["account"], row["stage"], row["region"])
            return Entry(row["name"], None, joined(*place, " ".join(row["tags"]), labels))
        case "TEAM":
            return Entry(row["slug"], row["title"], row["cost_center"] or "")
        case "ENVIRONMENT":
            return Entry(row["name"], None, joined(tenant(), row["account"], row["stage"], row["region"], row["kind"].lower()))
        case "WORKFLOW":
            return Entry(row["name"], None, joined(row["description"], re.sub(r"\.ya?ml$", "", row["file"])))
        case "PROVISIONING_REQUEST":
            action = row["action"].replace("_", " ").lower()
            requester = store.one(row["requester_id"])["name"]
            said = (row["component_name"], row["stack_name"], action, requester, row["justification"])
            return Entry(str(row["number"]), None, joined(*said))
        case _:
            return Entry(row["name"], None, "")


def trigrams(word):
    """The trigrams of a word."""
    padded = f"  {word} "
    return {padded[place : place + 3] for place in range(len(padded) - 2)}


def alike(word, asked):
    """Whether a word may be what a misspelled one means."""
    if len(asked) < 5 or asked.isdigit() or len(word) < 4 or abs(len(word) - len(asked)) > 2 or word.startswith(asked):
        return False
    mine, theirs = trigrams(word), trigrams(asked)
    return 10 * len(mine & theirs) >= 3 * len(mine | theirs)


class Question:
    """A query: its terms, each a word or a phrase."""

    def __init__(self, text):
        self.terms, self.begins, listed = [], True, []
        for quoted, bare in re.findall(r'"([^"]*)"|([^"]+)', text[:1000]):
            found = words(quoted or bare)[: MOST_TERMS - len(self.terms)]
            if not found:
                continue
            listed += found
            if quoted:
                self.begins = False
                self.terms.append(tuple(found))
            else:
                self.terms += found
        self.text = " ".join(listed)

    def has(self, lists, term, *, loosely=False):
        """Whether lists of words have a term."""
        if isinstance(term, tuple):
            return any(tuple(one[place : place + len(term)]) == term for one in lists for place in range(len(one)))
        return any(word.startswith(term) or (loosely and alike(word, term)) for one in lists for word in one)

    def found(self, lists, *, loosely=False):
        """The places of the terms that lists of words have."""
        return {place for place, term in enumerate(self.terms) if self.has(lists, term, loosely=loosely)}

    def way(self, entry, place=None):
        """How well an entry answers, `place` being what an instance's stack is found by; None when it doesn't."""
        everything = set(range(len(self.terms)))
        if entry.folded == self.text:
            return 0
        if self.begins and entry.folded.startswith(self.text):
            return 10
        if self.found(entry.named) == everything:
            return 20
        if place is not None and not self.found(entry.all, loosely=True):
            return None
        lists = [entry.all, *([place.all] if place else [])]
        if set().union(*(self.found(one) for one in lists)) == everything:
            return 30
        return 40 if set().union(*(self.found(one, loosely=True) for one in lists)) == everything else None

    def marked(self, text):
        """A text with its found words in «»."""
        text = text.translate({0xAB: '"', 0xBB: '"'})
        whole = {word for term in self.terms if isinstance(term, tuple) for word in term}

        def mark(piece):
            found = any(
                word in whole or any(isinstance(term, str) and (word.startswith(term) or alike(word, term)) for term in self.terms)
                for word in words(piece[0])
            )
            return f"«{piece[0]}»" if found else piece[0]

        made = re.sub(f"[^{SEPARATORS}]+", mark, text[:2000])
        at = made.find("«") + 1
        start = 0 if at <= 60 else at - 41
        return ("…" if start else "") + made[start : start + 200] + ("…" if len(made) > max(at - 40, 0) + 200 else "")

    def highlight(self, shown, body):
        """What a hit shows of itself."""
        shown, body = self.marked(shown), self.marked(body)
        if "«" not in body:
            return shown
        return body if "«" not in shown else f"{shown} · {body}"


def hits(reader, text, kinds):
    """What a viewer finds, as the columns of hits."""
    question = Question(text)
    if not question.terms:
        return
    for place, kind in enumerate(ORDER):
        if kinds is not None and kind not in kinds:
            continue
        for row in reader.store.rows[kind.lower()]:
            if row.get("removed_at") is not None or not reader.sees(row):
                continue
            made, stack = entry(reader.store, kind, row), None
            if kind == "COMPONENT_INSTANCE":
                stack = entry(reader.store, "STACK", reader.store.one(row["stack_id"]))
            way = question.way(made, stack)
            if way is not None:
                yield {
                    "id": row["id"],
                    "rank": way + place,
                    "name": made.folded,
                    "score": (100 - way - place) / 100,
                    "highlight": question.highlight(made.shown, stack.name if stack else made.body),
                }
