"""What the names of events say: duplicates, corrections, deletions. By looking at all rows before each row."""

from oracle_cases import DAY_US, parse_duration
from oracle_expressions import Parser


class Names:
    """The declaration of one source, of rows in position order."""

    def __init__(self, source, zone):
        self.id = source.get("id")
        self.replaces = source.get("replaces")
        self.dedup = parse_duration(source["dedup"]) if "dedup" in source else 7 * DAY_US
        deleted = source.get("deleted")
        self.deleted = Parser(deleted, zone).parse() if deleted else lambda row: False

    def replaced(self, row):
        return row[self.replaces] if self.replaces else None

    def names_itself(self, row):
        return self.replaced(row) == row[self.id]

    def standing(self, rows):
        """The rows that count once all of `rows` have come."""
        if self.id is None:
            return rows
        accepted, gone = [], set()
        for place, row in enumerate(rows):
            if not self.names_itself(row) and self.newest_use(row, accepted):
                continue  # a duplicate
            if self.deleted(row) is True or (not self.names_itself(row) and self.was_named(row, accepted)):
                gone.add(place)
            same = [at for at, other in accepted if other[self.id] == self.replaced(row)]
            if self.replaced(row) is not None and same:
                gone.add(same[-1])
            accepted.append((place, row))
        return [row for place, row in accepted if place not in gone]

    def newest_use(self, row, accepted):
        uses = [other for _, other in accepted if other[self.id] == row[self.id]]
        return bool(uses) and row["known"] - uses[-1]["known"] <= self.dedup

    def was_named(self, row, accepted):
        return any(self.replaced(other) == row[self.id] and not self.names_itself(other)
                   and row["known"] - other["known"] <= self.dedup for _, other in accepted)
