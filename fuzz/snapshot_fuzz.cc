// Bytes that claim to be a kernel's state, of two definitions in turn: plain aggregates, and those
// that gather values, hold strings, and end at a calendar's periods. Whatever is accepted must be a
// state with exactly those bytes, and must be able to answer and to take events.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "define/project.h"
#include "kernel/kernel.h"

namespace {

using namespace coeval;

constexpr const char* kPlain = R"toml([project]
name = "t"
[source.s]
path = "s.csv"
time = "ts"
known = "event time"
[source.s.columns]
ts = { type = "timestamp" }
k = { type = "string" }
n = { type = "int32" }
m = { type = "int64", nullable = true }
x = { type = "float64", nullable = true }
[view.a]
from = "s"
by = ["k"]
windows = ["1h", "all"]
rows = "count()"
n = "mean(n)"
m = "sum(m)"
x = "mean(x)"
low = "min(x)"
newest = "last(m)"
[view.b]
from = "s"
by = []
windows = ["1h"]
late = "mean(n >= 15)"
)toml";

constexpr const char* kGathering = R"toml([project]
name = "t"
zone = "Europe/Berlin"
[source.s]
path = "s.csv"
time = "ts"
known = "event time"
[source.s.columns]
ts = { type = "timestamp" }
k = { type = "string" }
n = { type = "int32" }
m = { type = "int64", nullable = true }
x = { type = "float64", nullable = true }
w = { type = "string", nullable = true }
[view.a]
from = "s"
by = ["k"]
windows = ["1h", "all"]
numbers = "distinct(n)"
words = "distinct(w)"
high = "quantile(x, 0.9)"
middle = "quantile(n, 0.5)"
often = "mode(m)"
said = "mode(w)"
before = "lag(x, 2)"
newest = "latest(w)"
least = "min(w)"
oldest = "first(w)"
fading = "decayed_sum(x, 1h)"
faded = "decayed_mean(n, 1h)"
spread = "var(x)"
wide = "std_pop(m)"
trend = "slope(n)"
share = "ratio(n, x) where m > 0"
any = "any(m > 0)"
age = "since_last()"
[view.b]
from = "s"
by = ["n"]
windows = ["1h offset 1h", "today", "this_week", "this_month"]
rows = "count()"
sum = "sum(x)"
word = "last(w)"
pace = "rate()"
words = "distinct(w)"
)toml";

using ProjectPtr = std::shared_ptr<const define::Project>;

ProjectPtr project_of(const char* definition) {
  auto result = define::check_text(definition, "coeval.toml");
  if (!result.project) std::abort();
  return std::make_shared<const define::Project>(std::move(*result.project));
}

data::Batch row(const define::Project& project) {
  data::Batch batch;
  batch.schema = project.sources[0].schema;
  batch.rows = 1;
  for (const auto& field : batch.schema.fields) {
    data::ColumnBuilder builder(field.type);
    if (field.type == data::Type::string)
      builder.append_string("a");
    else if (data::is_float(field.type))
      builder.append_real(0.25);
    else
      builder.append_integer(1'000'000);
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

void play(const ProjectPtr& project, std::string_view bytes) {
  const std::vector<int> views = {0, 1};
  auto kernel = kernel::Kernel::create(project, views);
  if (!kernel) std::abort();
  const bool accepted = (*kernel)->restore(bytes).has_value();
  if (accepted && (*kernel)->serialize() != bytes) std::abort();
  const data::Batch event = row(*project);
  const std::array<std::int64_t, 1> at = {2'000'000'000}, known = {1'000'000};
  const auto questions = (*kernel)->prepare_questions(event, at, views);
  const auto events = (*kernel)->prepare_events(0, event, known);
  if (!questions || !events) std::abort();
  for (int step = 0; step < 2; ++step) {
    for (const int view : views) {
      const auto& declared = project->views[static_cast<std::size_t>(view)];
      std::vector<kernel::Cell> cells(declared.feature_count());
      (*kernel)->ask(view, *questions, 0, cells);
      for (std::size_t i = 0; i < cells.size(); ++i)
        if (kernel::to_column(declared.feature_type(i), std::array{cells[i]}).size() != 1)
          std::abort();
    }
    (*kernel)->apply(*events, 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::array<ProjectPtr, 2> projects = {project_of(kPlain), project_of(kGathering)};
  for (const auto& project : projects) play(project, {reinterpret_cast<const char*>(data), size});
  return 0;
}
