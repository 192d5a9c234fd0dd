"""Events with ids, from a file and live: duplicates, corrections and deletions in every verb that reads them."""

import datetime
import json
import pathlib
import unittest

from program import CUT, DEFINITION, Project, Server, orders, stamp

CORRECTED = DEFINITION.replace('known = "ts + minutes(30)"', '''known = "coalesce(said, ts + minutes(30))"
id       = "tx"
replaces = "was"
deleted  = "void"''').replace("[source.orders.columns]", """[source.orders.columns]
tx      = { type = "int64", known = "least(ts, coalesce(said, ts + minutes(30)))" }
was     = { type = "int64", nullable = true }
void    = { type = "bool" }
said    = { type = "timestamp", nullable = true }""").replace('bad     = "mean(bad = 1)"', '''bad     = "mean(bad = 1)"
most    = "max(amount)"
newest  = "last(amount)"
middle  = "quantile(amount, 0.5)"''')

HEAD = "ts,user,amount,bad,tx,was,void,said\n"


def rows():
    """Every tenth order is said again an hour later; every seventh is corrected or deleted within two days."""
    count = 8000
    for number, (moment, user, amount, bad) in enumerate(orders(count)):
        yield moment, user, amount, bad, number, None, False, None
        if number % 10 == 0:
            yield moment, user, amount + 1, bad, number, None, False, moment + datetime.timedelta(hours=1)
        if number % 7 == 0:
            later = moment + datetime.timedelta(hours=number % 48, minutes=40)
            other = user if number % 3 else "u7"
            yield moment, other, amount / 2, bad, count + number, number, number % 4 == 0, later
            if number % 5 == 0:
                much_later = later + datetime.timedelta(days=1)
                yield moment, user, amount / 4, bad, count + number, count + number, False, much_later


def text_of(row):
    moment, user, amount, bad, tx, was, void, said = row
    return ",".join([stamp(moment), user, repr(amount), str(bad), str(tx), "" if was is None else str(was),
                     "true" if void else "false", "" if said is None else stamp(said)])


def known(row):
    return row[7] or row[0] + datetime.timedelta(minutes=30)


class Corrections(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project(CORRECTED, count=1)
        cls.rows = list(rows())
        (cls.project.folder / "orders.csv").write_text(HEAD + "".join(text_of(row) + "\n" for row in cls.rows))
        cls.project.build_and_promote()

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def twin(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        return twin

    def test_the_build_tells_duplicates_and_asks_once_for_each_order(self):
        twin = self.twin()
        twin.run("dataset", "risk", "--out", twin.folder / "rows.csv")
        self.assertEqual(len((twin.folder / "rows.csv").read_text().splitlines()), 1 + 8000)

    def test_live_traffic_audits_clean_in_both_modes_over_restarts(self):
        twin = self.twin()
        asked = 0
        for begin, end in ((CUT, "2024-04-05"), ("2024-04-05", "2024-04-09"), ("2024-04-09", "2024-05-01")):
            server = Server(twin, as_of=CUT if begin == CUT else None)
            played = json.loads(twin.run("replay", "--from", begin, "--to", end, "--url", server.url, "--json").stdout)
            self.assertEqual(played["refused_count"], 0)
            asked += played["models"]["risk"]["questions_count"]
            if begin == CUT:
                server.kill()  # the next one comes up from the log
            else:
                status, metrics = server.call("GET", "/metrics")
                self.assertRegex(metrics, r'coeval_events_duplicate_total{source="orders"} [1-9]')
                self.assertRegex(metrics, r'coeval_events_deleting_total{source="orders"} [1-9]')
                self.assertEqual(server.stop(), 0)
        in_april = [row for row in self.rows if row[5] is None and row[7] is None and stamp(row[0]) >= CUT]
        self.assertEqual(asked, len([row for row in in_april if stamp(row[0]) < "2024-05-01"]))
        for mode in ([], ["--against-dataset"]):
            report = twin.json("audit", *mode)
            self.assertEqual((report["predictions_count"], report["differ_count"]), (asked, 0))
        replayed = twin.json("plan", "--replay")
        self.assertIn('"features_differ_count": 0', json.dumps(replayed))

    def test_show_feature_says_what_became_of_an_event_and_agrees_with_the_kernel(self):
        # Order 21 is corrected (21 % 4 != 0) to user u7, for 21 % 3 == 0, 21 hours and 40 minutes later.
        moment, user, *_ = next(row for row in self.rows if row[4] == 21)
        line = 2 + next(i for i, row in enumerate(self.rows) if row[4] == 21)
        after = moment + datetime.timedelta(hours=23)
        shown = self.project.json("show", "feature", "user.amount_14d", "--key", user, "--at", stamp(after))
        self.assertTrue(shown["agrees"])
        fates = {event["place"].rsplit(" ", 1)[1]: event.get("fate")
                 for reason in shown["excluded"] for event in reason["events"]}
        self.assertIn("replaced by", fates[str(line)])
        self.assertIn("line " + str(line + 1), fates[str(line)])
        before = moment + datetime.timedelta(hours=2)
        shown = self.project.json("show", "feature", "user.amount_14d", "--key", user, "--at", stamp(before))
        self.assertTrue(shown["agrees"])
        self.assertIn(str(line), [event["place"].rsplit(" ", 1)[1] for event in shown["inside"]])

    def test_features_of_any_question_are_those_of_a_plain_scan(self):
        twin = self.twin()
        questions = [(self.rows[i][1], known(self.rows[i]) + datetime.timedelta(minutes=1))
                     for i in range(0, len(self.rows), 97)]
        (twin.folder / "ask.csv").write_text(
            "user,at\n" + "".join(f"{user},{stamp(at)}\n" for user, at in questions))
        twin.run("dataset", "--features", "user.orders_14d,user.most_14d", "--questions", twin.folder / "ask.csv",
                 "--at", "at", "--out", twin.folder / "told.csv")
        told = [line.split(",") for line in (twin.folder / "told.csv").read_text().splitlines()]
        columns = {name: i for i, name in enumerate(told[0])}
        self.assertEqual(len(told) - 1, len(questions))
        in_order = sorted(self.rows, key=known)
        for row in told[1:]:
            at = datetime.datetime.fromisoformat(row[columns["at"]].replace("Z", "+00:00"))
            window = self.standing(in_order, row[columns["user"]], at)
            self.assertEqual(row[columns["user.orders_14d"]], str(len(window)))
            most = row[columns["user.most_14d"]]
            self.assertEqual(float(most) if most else None, max(window, default=None))

    @staticmethod
    def standing(in_order, user, at):
        """Amounts of what counts: the newest said of each order, but duplicates (said again, replacing nothing)."""
        newest = {}
        for row in in_order:
            if known(row) >= at:
                break
            order = row[4] % 8000
            if row[7] is None or row[5] is not None:
                newest[order] = row
        begin = at - datetime.timedelta(days=14)
        return [row[2] for row in newest.values() if row[1] == user and not row[6] and begin <= row[0] < at]

    def test_ingest_counts_duplicates(self):
        twin = self.twin()
        more = twin.folder / "more.csv"
        more.write_text(HEAD + "2024-05-02T00:00:00Z,u1,1,0,90000,,false,\n" * 3)
        counts = twin.json("ingest", "orders", more)[0]
        self.assertEqual((counts["read_count"], counts["accepted_count"], counts["duplicates_count"]), (3, 1, 2))


class BadDeclarations(unittest.TestCase):
    def test_a_window_longer_than_what_the_log_keeps_is_refused(self):
        project = Project(CORRECTED.replace('id       = "tx"', 'id       = "tx"\nretention = "14d"'), count=1)
        self.addCleanup(project.remove)
        shown = project.run("check", check=2)
        self.assertIn("C0416", shown.stderr)
        self.assertIn("15d", shown.stderr)


if __name__ == "__main__":
    unittest.main()
