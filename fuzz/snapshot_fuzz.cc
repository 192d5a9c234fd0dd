// Bytes that claim to be a kernel's state. Whatever is accepted must be a state with exactly those
// bytes, and must be able to answer and to take events.

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

constexpr const char* kDefinition = R"toml([project]
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

std::shared_ptr<const define::Project> project() {
  static const auto checked = [] {
    auto result = define::check_text(kDefinition, "coeval.toml");
    if (!result.project) std::abort();
    return std::make_shared<const define::Project>(std::move(*result.project));
  }();
  return checked;
}

data::Batch row() {
  data::Batch batch;
  batch.schema = project()->sources[0].schema;
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<int> views = {0, 1};
  auto kernel = kernel::Kernel::create(project(), views);
  if (!kernel) std::abort();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const bool accepted = (*kernel)->restore(bytes).has_value();
  if (accepted && (*kernel)->serialize() != bytes) std::abort();
  const data::Batch event = row();
  const std::array<std::int64_t, 1> at = {2'000'000'000}, known = {1'000'000};
  const auto questions = (*kernel)->prepare_questions(event, at, views);
  const auto events = (*kernel)->prepare_events(0, event, known);
  if (!questions || !events) std::abort();
  for (int step = 0; step < 2; ++step) {
    for (const int view : views) {
      std::vector<kernel::Cell> cells(
          project()->views[static_cast<std::size_t>(view)].feature_count());
      (*kernel)->ask(view, *questions, 0, cells);
    }
    (*kernel)->apply(*events, 0);
  }
  return 0;
}
