#include "define/difference.h"

#include <doctest/doctest.h>

#include "define/canonical_parts.h"
#include "define/definition_for_tests.h"

namespace coeval::define {
namespace {

using testing::changed;
using testing::kFlights;
using testing::project_of;

Difference after_change(const std::string& from, const std::string& to) {
  return difference(project_of(kFlights), project_of(changed(kFlights, from, to)));
}

std::vector<std::string> names(const std::vector<Change>& changes) {
  std::vector<std::string> out;
  for (const auto& change : changes)
    out.push_back(std::string(name(change.kind)) + " " + change.name);
  return out;
}

using Names = std::vector<std::string>;

TEST_CASE("layout, comments and order make no difference") {
  CHECK(difference(project_of(kFlights), project_of(kFlights)).empty());
  CHECK(
      after_change("windows = [\"3h\", \"14d\"]", "windows = [\"14d\",   \"3h\"] # both").empty());
  CHECK(after_change("\"weekday\", ", "\"weekday\"  ,").empty());
}

TEST_CASE("a new window brings a feature for each aggregate, and changes the view") {
  const auto found = after_change("\"14d\"]", "\"14d\", \"30d\"]");
  CHECK(names(found.features) ==
        Names{"added origin.far_30d", "added origin.flights_30d", "added origin.late_30d"});
  CHECK(names(found.views) == Names{"changed origin.longest_window"});
  CHECK(found.rebuilt_views == Names{"origin"});
  REQUIRE(found.models.size() == 1);
  CHECK(found.models[0].request_changed);
  CHECK(names(found.models[0].inputs) ==
        Names{"added origin.far_30d", "added origin.flights_30d", "added origin.late_30d"});
  // What counts as late changed for each feature of the view; weekday, distance and origin stay.
  CHECK(found.models[0].columns_recomputed.size() == 3 * 3 + 1);
}

TEST_CASE("a changed aggregate shows both canonical texts, and who reads it") {
  const auto found = after_change("mean(delay >= 15)", "mean(delay >= 20)");
  CHECK(names(found.features) == Names{"changed origin.late_14d", "changed origin.late_3h"});
  CHECK(found.features[0].before.find("15)") != std::string::npos);
  CHECK(found.features[0].after.find("20)") != std::string::npos);
  CHECK(found.features[0].before.find("20)") == std::string::npos);
  REQUIRE(found.models.size() == 1);
  const auto& model = found.models[0];
  CHECK(model.inputs.empty());
  CHECK(model.settings.empty());
  CHECK(model.request_changed);
  CHECK(model.columns_recomputed == Names{"origin.late_3h", "origin.late_14d", "pressure"});
}

TEST_CASE("an input taken away, one put in, and an order turned around") {
  const auto fewer = after_change("\"weekday\", ", "");
  REQUIRE(fewer.models.size() == 1);
  CHECK(names(fewer.models[0].inputs) == Names{"removed weekday"});
  CHECK(fewer.models[0].columns_recomputed.empty());
  CHECK(fewer.models[0].request_changed);
  CHECK_FALSE(fewer.models[0].inputs_reordered);
  CHECK(fewer.features.empty());
  CHECK(fewer.rebuilt_views.empty());

  const auto more = after_change("\"weekday\", ", "\"weekday\", \"hour\", ");
  REQUIRE(more.models.size() == 1);
  CHECK(names(more.models[0].inputs) == Names{"added hour"});
  CHECK(more.models[0].columns_recomputed == Names{"hour"});

  const auto turned = after_change("\"weekday\", \"distance\"", "\"distance\", \"weekday\"");
  REQUIRE(turned.models.size() == 1);
  CHECK(turned.models[0].inputs_reordered);
  CHECK(turned.models[0].inputs.empty());
  CHECK(turned.models[0].columns_recomputed.empty());
}

TEST_CASE("label, split, gates and parameters are told by name and leave the request alone") {
  const auto label = after_change("label    = \"delay >= 15\"", "label    = \"delay >= 30\"");
  REQUIRE(label.models.size() == 1);
  CHECK(names(label.models[0].settings) == Names{"changed label"});
  CHECK(label.models[0].columns_recomputed == Names{"label"});
  CHECK_FALSE(label.models[0].request_changed);

  const auto split = after_change("train_until = 2001-05-01", "train_until = 2001-04-01");
  CHECK(names(split.models.at(0).settings) == Names{"changed train_until"});
  CHECK(split.models[0].columns_recomputed.empty());

  const auto gate = after_change("auc = \">= 0.77\"", "auc = \">= 0.8\", brier = \"<= 0.2\"");
  CHECK(names(gate.models.at(0).settings) == Names{"changed gate auc", "added gate brier"});
  CHECK(gate.models[0].settings[0].before == ">= 0.77");
  CHECK(gate.models[0].settings[0].after == ">= 0.8");

  const auto params = after_change("gate     =", "params   = { eta = 0.05 }\ngate     =");
  REQUIRE(params.models.size() == 1);
  CHECK_FALSE(params.models[0].settings.empty());
  CHECK_FALSE(params.models[0].request_changed);
  CHECK(params.rebuilt_views.empty());
}

TEST_CASE("a column's rule changes its source, and all that is made of it") {
  const auto found = after_change("max = 6000", "max = 7000");
  CHECK(names(found.sources) == Names{"changed flights.distance"});
  CHECK(found.rebuilt_views == Names{"origin"});
  CHECK(found.models.at(0).columns_recomputed.size() == 3 + 6 + 1 + 1);  // and the label
  CHECK(found.models[0].request_changed);
}

TEST_CASE("expressions of [features] and whole parts come and go by name") {
  const auto expression = after_change("late_3h / origin", "late_3h - origin");
  CHECK(names(expression.expressions) == Names{"changed pressure"});
  CHECK(names(expression.models.at(0).inputs) == Names{"changed pressure"});
  CHECK(expression.models[0].columns_recomputed == Names{"pressure"});

  const std::string view =
      "[view.all]\nfrom = \"flights\"\nby = []\nwindows = [\"1h\"]\nn = \"count()\"\n[features]";
  const auto added = after_change("[features]", view);
  CHECK(names(added.views) == Names{"added all"});
  CHECK(names(added.features) == Names{"added all.n_1h"});
  CHECK(added.rebuilt_views == Names{"all"});
  CHECK(added.models.empty());  // nothing reads it
  const auto removed =
      difference(project_of(changed(kFlights, "[features]", view)), project_of(kFlights));
  CHECK(names(removed.views) == Names{"removed all"});
  CHECK(names(removed.features) == Names{"removed all.n_1h"});
  CHECK(removed.rebuilt_views.empty());

  const auto renamed = after_change("[model.late]", "[model.tardy]");
  REQUIRE(renamed.models.size() == 2);
  CHECK(renamed.models[0].kind == ChangeKind::removed);
  CHECK(renamed.models[1].kind == ChangeKind::added);
  CHECK(renamed.models[1].columns_recomputed.back() == "label");
}

TEST_CASE("whatever changes the canonical text shows as a difference") {
  const std::vector<std::pair<std::string, std::string>> edits = {
      {"\"flights\"\n[source", "\"other\"\n[source"},
      {"flights.parquet", "flights.csv"},
      {"[A-Z]{3}", "[A-Z]{4}"},
      {"min = -120", "min = -60"},
      {"by      = [\"origin\"]", "by      = [\"origin\", \"distance\"]"},
      {"by      = [\"origin\"]", "by      = [\"origin\"]\nlateness = \"2d\""},
      {"\"3h\", ", "\"3h\", \"4h\", "},
      {"distance > 1000", "distance > 2000"},
      {"test_until = 2001-07-01", "test_until = 2001-08-01"},
  };
  for (const auto& [from, to] : edits) {
    const auto before = project_of(kFlights), after = project_of(changed(kFlights, from, to));
    REQUIRE(before.ir != after.ir);
    CHECK_MESSAGE(!difference(before, after).empty(), from);
    CHECK_MESSAGE(!difference(after, before).empty(), from);
  }
}

TEST_CASE("columns of a lookup are features without a window") {
  const std::string lookup =
      "[lookup.place]\nfrom = \"flights\"\nby = [\"origin\"]\ncolumns = [\"distance\"]\n[features]";
  const std::string text = changed(kFlights, "[features]", lookup);
  const auto added = difference(project_of(kFlights), project_of(text));
  CHECK(names(added.features) == Names{"added place.distance"});
  CHECK(names(added.views) == Names{"added place"});
}

TEST_CASE("a name that holds quotes and blanks is read back from the canonical text") {
  const auto parts = canonical_parts(
      "model m\n  input \"a \\\"b\\\" c\" int64 = x\n  by \"p\"\n  by \"q\"\nzone UTC\n");
  REQUIRE(parts.size() == 2);
  REQUIRE(parts[0].facts.size() == 2);
  CHECK(parts[0].facts[0].name == "a \"b\" c");
  CHECK(parts[0].facts[0].text == "int64 = x");
  CHECK(parts[0].facts[1].text == "\"p\", \"q\"");
  CHECK(parts[1].text == "UTC");
}

}  // namespace
}  // namespace coeval::define
