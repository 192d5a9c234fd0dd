#include "training/model_card.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "training/gates.h"
#include "training/model_card_words.h"

namespace coeval::training {
namespace {

const std::string kDefinition = R"toml([project]
name = "shop"
[source.orders]
path  = "orders.csv"
time  = "ts"
known = "ts + minutes(30)"
[source.orders.columns]
ts      = { type = "timestamp", known = "ts" }
user    = { type = "string", known = "ts", pii = true }
country = { type = "string", known = "ts" }
amount  = { type = "float64", known = "ts", min = 0 }
bad     = { type = "int32", min = 0, max = 1 }
[view.user]
from    = "orders"
by      = ["user"]
windows = ["1d", "14d"]
bad     = "mean(bad = 1)"

# Stops <script>alert(1)</script> orders | early.
# - *Ask* Anna.
[model.risk]
# Not for refunds.
question = { from = "orders", at = "ts" }
label    = "bad  =  1"
inputs   = ["hour", "amount", "user.*", "amount / user.bad_1d"]
trainer  = "xgboost"
split    = { train_until = 2024-03-01, validate_until = 2024-04-01, test_until = 2024-05-01, gap = "1h" }
slices   = ["user", "country", "amount > 20"]
threshold = 0.25
gate     = { worst_slice = { auc = ">= 0.6" } }
)toml";

data::Json parsed(const std::string& text) {
  auto json = data::parse_json(text);
  REQUIRE(json.has_value());
  return std::move(*json);
}

// Numbers that anyone can add up; the curves are those of four rows.
const std::string kTest =
    R"json({"rows": 1000, "positives": 60, "auc": 0.75, "average_precision": 0.5,
 "log_loss": 0.25, "brier": 0.125, "calibration_error": 0.0625,
 "calibration_bins": [{"count": 500, "mean_score": 0.01, "positive_share": 0.02},
                      {"count": 0, "mean_score": 0.0, "positive_share": 0.0},
                      {"count": 500, "mean_score": 0.1, "positive_share": 0.1}],
 "confusion": {"threshold": 0.25, "true_positives": 30, "false_positives": 94, "false_negatives": 30,
               "true_negatives": 846},
 "curves": {"false_positive_rate": [0.0, 0.5, 1.0], "true_positive_rate": [0.0, 1.0, 1.0],
            "recall": [0.5, 1.0], "precision": [1.0, 0.5],
            "histogram_positives": [0, 60], "histogram_negatives": [900, 40]}})json";

struct World {
  define::Project project;
  models::ModelCard card;
  data::Json metrics;
  Evidence evidence;
  DatasetFacts facts;
  Importance importance;

  explicit World(const std::string& definition = kDefinition) {
    auto checked = define::check_text(definition, "coeval.toml");
    const std::string first = checked.errors.empty() ? "" : checked.errors.front().message;
    REQUIRE(first == "");
    REQUIRE(checked.project.has_value());
    project = std::move(*checked.project);
    card.name = "risk";
    card.ir_hash = "f00d";
    card.engine = "xgboost 3.4.1";
    card.threshold = 0.25;
    card.details.set("definition", definition);
    card.details.set("created", "2024-06-01T00:00:00Z");
    card.details.set("rounds_used", 20);
    metrics.set("train", parsed(R"json({"rows": 5000, "positives": 500, "auc": 0.875})json"));
    metrics.set("test", parsed(kTest));
    evidence.test = Metrics{{"auc", 0.75}};
    evidence.test_rows = 1000;
    evidence.champion_version = 2;
    evidence.champion = Metrics{{"auc", 0.7}};
    evidence.comparisons = {{.metric = "auc",
                             .candidate = 0.75,
                             .champion = 0.7,
                             .improvement = 0.05,
                             .lower = -0.01,
                             .upper = 0.11,
                             .p_value = 0.2,
                             .units = 30,
                             .replicates = 2000,
                             .unit = "day"}};
    evidence.slices = {
        {.slice = "country",
         .value = "FR",
         .rows = 400,
         .positives = 20,
         .metrics = {{"auc", 0.8}}},
        {.slice = "user",
         .value = "alice@x.org",
         .rows = 100,
         .positives = 50,
         .metrics = {{"auc", 0.55}}},
        {.slice = "country",
         .value = "<img src=x>",
         .rows = 300,
         .positives = 15,
         .metrics = {{"auc", 0.7}}},
        {.slice = "amount > 20", .value = "true", .rows = 300, .positives = 15, .metrics = {}}};
    evidence.small_slices = 3;
    evidence.leak_auc = 0.7;
    evidence.leak_input = "amount";
    evidence.missing["cost_per_million"] = "the clock stood still";
    facts.counts.set(SplitPart::train, {5000, 500});
    facts.counts.set(SplitPart::test, {1000, 60});
    facts.counts.set(SplitPart::gap, {7, 0});
    facts.sources = {{"orders",
                      {.read = 6010, .accepted = 6007, .quarantined = 3},
                      1704067200000000,
                      1714521600000000}};
    importance = {{0.1, 0.4, 0.2, 0.3, 0.05}, 64};
  }

  CardDocument document(bool whole = true) {
    const define::Model& model = project.models[0];
    if (whole) {
      card.details.set("evidence", to_json(evidence));
      card.details.set("gates", to_json(judge(model.gates, evidence)));
    }
    CardSubject subject{
        .project = project, .model = model, .card = card, .metrics = metrics, .version = 3};
    if (whole) {
      subject.facts = facts;
      subject.importance = importance;
    } else {
      subject.no_importance = "covers are absent";
    }
    return model_card(subject);
  }
};

const CardSection& section(const CardDocument& card, const std::string& title) {
  const auto found = std::ranges::find(card.sections, title, &CardSection::title);
  REQUIRE(found != card.sections.end());
  return *found;
}

/// The nth table of a section.
const CardTable& table(const CardDocument& card, const std::string& title, int nth = 0) {
  for (const CardBlock& block : section(card, title).blocks)
    if (const auto* found = std::get_if<CardTable>(&block); found != nullptr && nth-- == 0)
      return *found;
  FAIL("no such table in " << title);
  static const CardTable kNone;
  return kNone;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("a card has every section, in the order in which it is read") {
  const CardDocument card = World().document();
  std::vector<std::string> titles;
  for (const auto& each : card.sections) titles.push_back(each.title);
  CHECK(titles == std::vector<std::string>{"Purpose", "Data", "Features", "Training", "Metrics",
                                           "Against the champion", "Gates", "Slices", "Limits",
                                           "Identity"});
  CHECK(card.title == "risk, version 3");
  CHECK(card.verdict.kind ==
        CardText::Kind::failed);  // the worst slice, and gates without evidence
}

TEST_CASE("the purpose tells question, label as written, and the comments of the model's table") {
  World world;
  const std::string text = card_markdown(world.document());
  CHECK(has(text, "`bad  =  1`"));
  CHECK(has(text, "known at `ts + minutes(30)`"));
  CHECK(comments_of(kDefinition, "risk") ==
        std::vector<std::string>{"Stops <script>alert(1)</script> orders | early.", "- *Ask* Anna.",
                                 "Not for refunds."});
  CHECK(comments_of(kDefinition, "other").empty());
  CHECK(comments_of("no toml [", "risk").empty());
}

TEST_CASE("data has sources and parts with their times") {
  World world;
  const CardDocument card = world.document();
  const CardTable& sources = table(card, "Data");
  REQUIRE(sources.rows.size() == 1);
  CHECK(sources.rows[0][1].text == "6,010");
  CHECK(sources.rows[0][3].text == "3");
  CHECK(sources.rows[0][5].text == "2024-01-01T00:00:00Z");
  CHECK(sources.rows[0][6].text == "2024-05-01T00:00:00Z");
  const CardTable& parts = table(card, "Data", 1);
  REQUIRE(parts.rows.size() == 2);  // the split has no rows to validate by in these facts
  CHECK(parts.rows[0][1].text == "2024-01-01T00:00:00Z");
  CHECK(parts.rows[0][2].text == "2024-03-01T00:00:00Z");
  CHECK(parts.rows[0][5].text == "10.0 %");
  CHECK(parts.rows[1][0].text == "test");
  CHECK(parts.rows[1][1].text == "2024-04-01T00:00:00Z");
}

TEST_CASE("each input says what it is made of and when that is known") {
  World world;
  const CardDocument card = world.document();
  const CardTable& inputs = table(card, "Features");
  REQUIRE(inputs.rows.size() == world.project.models[0].inputs.size());
  const auto row = [&](const std::string& name) {
    for (const auto& each : inputs.rows)
      if (each[0].text == name) return each;
    FAIL("no input " << name);
    return std::vector<CardText>();
  };
  CHECK(row("amount")[2].text == "of the question");
  CHECK(row("amount")[3].text == "ts");
  CHECK(row("hour")[3].text == "with the question");
  CHECK(has(row("user.bad_14d")[2].text, " of orders by user, in the 14d before"));
  CHECK(row("user.bad_14d")[3].text == "events of orders from ts + minutes(30) on");
  for (const auto& each : inputs.rows) {
    if (!has(each[0].text, "/")) continue;
    CHECK(has(each[2].text, "; user.bad_1d: "));
    CHECK(each[3].text == "ts; events of orders from ts + minutes(30) on");
  }
}

TEST_CASE("the champion's comparison shows the interval") {
  World world;
  const CardDocument card = world.document();
  const auto& row = table(card, "Against the champion").rows.at(0);
  CHECK(row[3].text == "+0.05000");
  CHECK(row[4].text == "-0.01000 to +0.11000");
  CHECK(row[6].text == "30 by day, 2,000 times");
  world.evidence.first_model = true;
  CHECK(has(card_markdown(world.document()), "There was no champion yet"));
}

TEST_CASE("trials show their metric, not its negative, and none where they were given up") {
  World world;
  world.project.models[0].training.search.trials = 3;
  world.project.models[0].training.search.metric = "auc";
  world.card.details.set("trials", parsed(R"json([
    {"trial": 2, "state": "finished", "params": {"eta": "0.1"}, "loss": -0.75, "latency_us": 0.25},
    {"trial": 0, "state": "finished", "params": {}, "loss": -0.5, "latency_us": 0.125},
    {"trial": 1, "state": "pruned", "params": {"eta": "1"}, "loss": 0.0, "latency_us": 0.0}])json"));
  const CardDocument card = world.document();
  const CardTable& trials = table(card, "Training", 1);
  REQUIRE(trials.rows.size() == 3);
  CHECK(trials.columns[2].text == "AUC");
  CHECK(trials.rows[0][2].text == "0.75000");
  CHECK(trials.rows[0][4].text == "eta = 0.1");
  CHECK(trials.rows[1][4].text == "as defined");
  CHECK(trials.rows[2][2].text == "–");
}

TEST_CASE("slices stand worst first, one without the metric before all, personal values masked") {
  World world;
  const CardDocument card = world.document();
  const auto& rows = table(card, "Slices").rows;
  REQUIRE(rows.size() == 4);
  CHECK(rows[0][0].text == "amount > 20");
  CHECK(rows[1][0].text == "user");
  CHECK(rows[1][1].text == "(personal: not shown)");
  CHECK(rows[2][1].text == "<img src=x>");
  CHECK(rows[3][1].text == "FR");
  CHECK(rows[3][4].text == "0.80000");
}

TEST_CASE("a verdict about a personal slice does not name its value either") {
  World world;
  world.evidence.slices.pop_back();  // the slice without an AUC, which would be judged first
  const CardDocument card = world.document();
  bool found = false;
  for (const auto& row : table(card, "Gates").rows)
    found = found || has(row[2].text, "where user is (personal) (100 rows)");
  CHECK(found);
  for (const std::string& text : {card_html(card), card_markdown(card)}) {
    CHECK_FALSE(has(text, "alice"));
  }
}

TEST_CASE("limits tell what was not measured, what is small and what was left out") {
  World world;
  const std::string text = card_markdown(world.document());
  CHECK(has(text, "Not measured: cost\\_per\\_million (the clock stood still)"));
  CHECK(has(text, "The part test has only 60 rows of its smaller class"));
  CHECK_FALSE(has(text, "The part train has only"));
  CHECK(has(text, "3 values of slices were not judged"));
  CHECK(has(text, "7 rows lie in the gap"));
  CHECK(has(text, "3 rows of orders broke a rule"));
  CHECK(has(text, "Scores were not calibrated"));
}

TEST_CASE(
    "the page has five charts with titles, table headers with a scope, and nothing from outside") {
  World world;
  const std::string page = card_html(world.document());
  CHECK(times(page, "<svg ") == 5);
  CHECK(times(page, "role=\"img\"") == 5);
  CHECK(times(page, "<th>") == 0);
  CHECK(times(page, "<th ") == times(page, "<th scope="));
  for (const char* outside : {"http", "<script", "<img", "src=\"", "@import", "url("})
    CHECK_MESSAGE(times(page, outside) == 0, outside);
  CHECK(has(page, "prefers-color-scheme:dark"));
  CHECK(has(page, "@media print"));
  CHECK(has(page, "&lt;script&gt;alert(1)&lt;/script&gt;"));
  CHECK(has(page, "&lt;img src=x&gt;"));
  // (94 / 940, 30 / 60) of the field from 50 to 288 and from 226 up to 10.
  CHECK(has(page, "<circle class=\"mark\" cx=\"73.8\" cy=\"118.0\""));
}

TEST_CASE("Markdown has the same tables, and what a person wrote means nothing in it") {
  World world;
  const std::string text = card_markdown(world.document());
  CHECK_FALSE(has(text, "<svg"));
  CHECK_FALSE(has(text, "<script"));
  CHECK(has(text, "> Stops &lt;script&gt;alert(1)&lt;/script&gt; orders \\| early."));
  CHECK(has(text, "> \\- \\*Ask\\* Anna."));
  CHECK(has(text, "| AUC | 0.87500 | 0.75000 |"));
  CHECK(has(text, "| `amount > 20` |"));
  CHECK(text.ends_with("\n"));
}

TEST_CASE("Markdown's own signs are escaped where they would mean something") {
  CHECK(markdown_text("a_b*c|d") == "a\\_b\\*c\\|d");
  CHECK(markdown_text("<i>&amp;") == "&lt;i&gt;&amp;amp;");
  CHECK(markdown_text("[x](y)") == "\\[x\\](y)");
  CHECK(markdown_text("two\nlines\t|") == "two lines \\|");
  CHECK(markdown_text("1. one") == "1\\. one");
  CHECK(markdown_text("0.75") == "0.75");
  CHECK(markdown_text("-0.5") == "-0.5");
  CHECK(markdown_text("- item") == "\\- item");
  CHECK(markdown_text("---") == "\\---");
  CHECK(markdown_text("see http://x.org, www.x.org, a@x.org") ==
        "see http\\://x.org, www\\.x.org, a\\@x.org");
}

TEST_CASE("a code span cannot be ended by what it holds") {
  CardDocument card;
  card.sections = {{"s", {CardTable{"", {{"a"}}, {{code("x`|``y")}}}, CardParagraph{{code("`")}}}}};
  const std::string text = card_markdown(card);
  CHECK(has(text, "| ```x`\\|``y``` |"));
  CHECK(has(text, "`` ` ``"));
}

TEST_CASE("a version without evidence, curves, facts or importance says so in each place") {
  World world;
  world.metrics = parsed(R"json({"test": {"rows": 10, "positives": 2, "auc": null}})json");
  const CardDocument card = world.document(false);
  const std::string text = card_markdown(card), page = card_html(card);
  CHECK(times(page, "<svg ") == 0);
  CHECK(card.verdict.text == "gates not recorded");
  CHECK(has(text, "The dataset is no longer beside the model"));
  CHECK(has(text, "How much each input matters is not told: covers are absent."));
  CHECK(has(text, "The curves of the test part were not kept"));
  CHECK(has(text, "Nothing was recorded: this version has no evidence."));
  CHECK(has(text, "No verdicts were recorded"));
  CHECK(has(text, "made without recorded evidence"));
  CHECK(has(text, "The part test has only 2 rows of its smaller class"));
  CHECK(has(text, "| AUC | – |"));
}

TEST_CASE("importance of a folder that is not there is an error, not zero") {
  const auto found = importance_of("/nonexistent/model", "00");
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().code == Code::no_such_file);
}

TEST_CASE("metrics of another shape are dashes, never a crash") {
  World world;
  world.metrics = parsed(R"json({"test": {"rows": "many", "auc": [], "curves": {"recall": 1},
    "calibration_bins": [1, {"count": "x"}], "confusion": {"true_positives": 1}}, "train": 5})json");
  world.card.details.set("evidence", parsed("[]"));
  world.card.details.set("gates", parsed(R"json([1, {"gate": 2}])json"));
  world.card.details.set("trials", parsed(R"json([7, {"trial": 1, "params": 3}])json"));
  const CardDocument card = world.document(false);
  CHECK(times(card_html(card), "<svg ") == 0);
  CHECK(has(card_markdown(card), "Not compared") == false);
  CHECK(card.verdict.text == "2 gates failed");
}

}  // namespace coeval::training
