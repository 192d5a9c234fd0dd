"""The model card of a built version: one page that needs nothing else, and the same in Markdown."""

import html.parser
import json
import unittest

from program import DEFINITION, Project
from test_training import OPTIONS, PARTS, SPLIT, card, changed

COMMENT = "# Which <b>orders</b> go bad | ask Anna & Bob.\n"


class Page(html.parser.HTMLParser):
    """Checks that tags nest; keeps what there is of them."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            raise AssertionError(f"</{tag}> closes {self.open[-3:]}")
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


class ModelCard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        definition = changed(DEFINITION, (SPLIT, PARTS + OPTIONS), ("[model.risk]", COMMENT + "[model.risk]"),
                             ('user    = { type = "string",', 'user    = { type = "string", pii = true,'))
        cls.project = Project(definition)
        cls.project.run("build")
        cls.project.run("show", "risk", "--card", cls.project.folder / "card.html")
        cls.project.run("show", "risk", "--card", cls.project.folder / "card.md")
        cls.html = (cls.project.folder / "card.html").read_text()
        cls.markdown = (cls.project.folder / "card.md").read_text()
        cls.page = Page(cls.html)
        cls.model, cls.metrics = card(cls.project)

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def test_the_page_is_whole_and_stands_alone(self):
        self.assertEqual(self.page.open, [])
        self.assertNotIn("http", self.html)
        tags = [tag for tag, _ in self.page.tags]
        self.assertEqual(tags.count("svg"), 5)
        for tag in ("script", "link", "img", "iframe", "object"):
            self.assertNotIn(tag, tags)
        self.assertFalse([each for _, each in self.page.tags if "src" in each or "href" in each])

    def test_charts_have_titles_and_headers_a_scope(self):
        ids = {each["id"] for tag, each in self.page.tags if "id" in each}
        for tag, each in self.page.tags:
            if tag == "svg":
                self.assertEqual(each["role"], "img")
                self.assertTrue(set(each["aria-labelledby"].split()) <= ids)
            if tag == "th":
                self.assertIn(each["scope"], ("col", "row"))

    def test_the_numbers_are_those_of_the_folder(self):
        text = " ".join(self.page.text)
        for part in ("train", "validate", "calibrate", "threshold", "test"):
            for metric in ("auc", "log_loss", "brier"):
                self.assertIn(f"{self.metrics[part][metric]:.5f}", text)
                self.assertIn(f"{self.metrics[part][metric]:.5f}", self.markdown)
        for gate in self.model["gates"]:
            self.assertIn(gate["gate"], text)
        facts = json.loads(next((self.project.folder / ".coeval/datasets").glob("*.facts.json")).read_text())
        self.assertIn(f"{facts['parts']['train']['rows']:,}", text)

    def test_importance_is_of_the_inputs_that_matter(self):
        # Bad users are bad again; the hour says nothing.
        rows = {line.split("`")[1]: float(line.split("|")[-2]) for line in self.markdown.splitlines()
                if line.startswith("| `user.bad_14d`") or line.startswith("| `hour`")}
        self.assertGreater(rows["user.bad_14d"], rows["hour"])

    def test_what_a_person_wrote_is_text(self):
        self.assertIn("Which <b>orders</b> go bad | ask Anna & Bob.", "".join(self.page.text))
        self.assertIn("Which &lt;b&gt;orders&lt;/b&gt; go bad \\| ask Anna &amp; Bob.", self.markdown)

    def test_the_same_card_again(self):
        self.project.run("show", "risk", "--version", "1", "--card", self.project.folder / "again.html")
        self.assertEqual((self.project.folder / "again.html").read_text(), self.html)

    def test_a_card_without_its_dataset_says_so(self):
        twin = self.project.copy()
        try:
            for file in (twin.folder / ".coeval/datasets").iterdir():
                file.unlink()
            told = twin.json("show", "risk", "--card", twin.folder / "card.md")
            self.assertEqual((told["model"], told["version"]), ("risk", 1))
            self.assertIn("The dataset is no longer beside the model", (twin.folder / "card.md").read_text())
        finally:
            twin.remove()

    def test_refused(self):
        other = self.project.run("show", "risk", "--card", self.project.folder / "card.pdf", check=None)
        self.assertNotEqual(other.returncode, 0)
        self.assertIn("neither .md nor .html", other.stderr)
        self.assertFalse((self.project.folder / "card.pdf").exists())
        none = self.project.run("show", "risk", "--version", "9", "--card", self.project.folder / "nine.md", check=None)
        self.assertNotEqual(none.returncode, 0)
        nowhere = self.project.run("show", "risk", "--card", self.project.folder / "no/card.md", check=None)
        self.assertIn("no/card.md", nowhere.stderr)
        word = self.project.run("show", "feature", "user.bad_1d", "--card", self.project.folder / "f.md", check=None)
        self.assertIn("a feature has no model card", word.stderr)


if __name__ == "__main__":
    unittest.main()
