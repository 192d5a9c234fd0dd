#include "definitions.h"

#include <numeric>
#include <utility>

#include "serving/small_model_for_tests.h"

namespace coeval::sim {

namespace {

const std::string kColumns = R"toml(
time = "ts"
known = "event time"
)toml";

// The columns of source NAME.
std::string columns_of(const std::string& source) {
  return "[source." + source + R"toml(.columns]
ts   = { type = "timestamp" }
id   = { type = "string" }
r    = { type = "string", nullable = true }
gone = { type = "bool" }
k    = { type = "string" }
n    = { type = "int32", min = -1000, max = 1000 }
x    = { type = "float64", nullable = true }
w    = { type = "string", nullable = true }
)toml";
}

std::string source(const std::string& name, const std::string& identity = {}) {
  return "[source." + name + "]" + kColumns + identity + columns_of(name);
}

// The questions have the events' columns but for the label; the model reads all that views answer.
std::string model(const std::string& inputs) {
  return R"toml(
[source.asked]
time = "asked_at"
known = "event time"
[source.asked.columns]
asked_at = { type = "timestamp" }
k        = { type = "string", known = "asked_at" }
outcome  = { type = "bool" }
[model.all]
question = { from = "asked", at = "asked_at" }
label    = "outcome"
inputs   = [)toml" +
         inputs + R"toml(]
split    = { train_until = 2001-05-01, validate_until = 2001-06-01, test_until = 2001-07-01 }
gate     = { auc = ">= 0.5" }
)toml";
}

const std::string kPlain = R"toml(
[view.by_key]
from     = "events"
by       = ["k"]
windows  = ["1h", "1d", "all"]
lateness = "2h"
rows     = "count()"
total    = "sum(x)"
middle   = "mean(x) where n > 0"
least    = "min(x)"
most     = "max(n)"
kinds    = "distinct(w)"
newest   = "last(x)"
[view.over_all]
from    = "events"
by      = []
windows = ["1h", "1d"]
rows    = "count()"
total   = "sum(n)"
often   = "mode(w)"
spread  = "std(x)"
)toml";

const std::string kNamed = R"toml(
[view.by_key]
from     = "events"
by       = ["k"]
windows  = ["1h", "1d", "all"]
lateness = "1h"
rows     = "count()"
total    = "sum(x)"
newest   = "last(w)"
kinds    = "distinct(n)"
)toml";

const std::string kLookedUp = R"toml(
[lookup.place]
from     = "places"
by       = ["k"]
columns  = ["w", "n"]
lateness = "1h"
[view.by_place]
from     = "events"
by       = ["k"]
windows  = ["1h", "1d"]
lateness = "1h"
rows     = "count() where place.w = 'p' or place.n > 0"
total    = "sum(x) where place.n > n"
)toml";

Result<serving::LoadedModel> load_model(const define::Project& project) {
  return serving::testing::stump_model(*project.find_model(kModel), {{0, 15, -0.5f, 0.5f}}, {"p"});
}

Result<Definition> make(const std::string& name, const std::string& toml) {
  define::Checked checked =
      define::check_text("[project]\nname = \"" + name + "\"\n" + toml, name + ".toml");
  if (!checked.project) return std::unexpected(checked.errors.front());
  Definition made;
  made.name = name;
  made.project = std::make_shared<const define::Project>(std::move(*checked.project));
  made.views.resize(made.project->views.size());
  std::iota(made.views.begin(), made.views.end(), 0);
  for (const define::View& view : made.project->views)
    made.lateness_us = std::max(made.lateness_us, view.lateness_us);
  for (std::size_t i = 0; i < made.project->sources.size(); ++i)
    if (made.project->sources[i].name != "asked") made.sources.push_back(static_cast<int>(i));
  COEVAL_ASSIGN(made.model, load_model(*made.project));
  return made;
}

}  // namespace

Result<std::vector<Definition>> make_definitions() {
  const std::string identity =
      "id = \"id\"\ndedup = \"3h\"\nreplaces = \"r\"\ndeleted = \"gone\"\n";
  const std::pair<std::string, std::string> texts[] = {
      {"plain", source("events") + kPlain + model("\"by_key.*\", \"over_all.*\"")},
      {"named", source("events", identity) + kNamed + model("\"by_key.*\"")},
      {"looked_up", source("events") + source("places") + kLookedUp + model("\"by_place.*\"")}};
  std::vector<Definition> all;
  for (const auto& [name, text] : texts) {
    COEVAL_ASSIGN(Definition made, make(name, text));
    all.push_back(std::move(made));
  }
  return all;
}

}  // namespace coeval::sim
