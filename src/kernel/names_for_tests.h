#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "define/project.h"
#include "kernel/event_index.h"
#include "kernel/kernel.h"
#include "kernel/shape_for_tests.h"

namespace coeval::kernel::testing {

/// A row of a source whose events have names.
struct NamedEvent {
  std::int64_t ts = 0, known = 0;
  std::string id;
  std::optional<std::string> replaces;
  bool gone = false;
  std::string k = "a";
  std::int64_t n = 0;
  std::optional<double> x;
  std::optional<std::string> w;
};

/// `views` are tables of the definition; `identity` lines of its source.
inline std::shared_ptr<const define::Project> named_project(const std::string& identity,
                                                            const std::string& views) {
  auto checked = define::check_text(R"toml([project]
name = "t"
[source.s]
time = "ts"
known = "event time"
)toml" + identity + R"toml(
[source.s.columns]
ts = { type = "timestamp" }
id = { type = "string" }
r = { type = "string", nullable = true }
gone = { type = "bool" }
k = { type = "string" }
n = { type = "int32" }
x = { type = "float64", nullable = true }
w = { type = "string", nullable = true }
)toml" + views,
                                    "coeval.toml");
  for (const Error& error : checked.errors) FAIL_CHECK(one_line(error));
  REQUIRE(checked.project);
  return std::make_shared<const define::Project>(std::move(*checked.project));
}

inline data::Batch batch_of(const define::Project& project, std::span<const NamedEvent> events) {
  data::Batch batch;
  batch.schema = project.sources[0].schema;
  batch.rows = static_cast<std::int64_t>(events.size());
  const auto text = [](data::ColumnBuilder& to, const std::optional<std::string>& value) {
    value ? to.append_string(*value) : to.append_null();
  };
  for (const auto& field : batch.schema.fields) {
    data::ColumnBuilder builder(field.type);
    for (const NamedEvent& e : events) {
      if (field.name == "ts") builder.append_integer(e.ts);
      if (field.name == "id") builder.append_string(e.id);
      if (field.name == "r") text(builder, e.replaces);
      if (field.name == "gone") builder.append_boolean(e.gone);
      if (field.name == "k") builder.append_string(e.k);
      if (field.name == "n") builder.append_integer(e.n);
      if (field.name == "x") e.x ? builder.append_real(*e.x) : builder.append_null();
      if (field.name == "w") text(builder, e.w);
    }
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

inline std::vector<std::int64_t> known_of(std::span<const NamedEvent> events) {
  std::vector<std::int64_t> known;
  for (const NamedEvent& e : events) known.push_back(e.known);
  return known;
}

/// A kernel over all views, with the names that it is fed by.
struct NamedKernel {
  explicit NamedKernel(std::shared_ptr<const define::Project> p) : project(std::move(p)) {
    std::vector<int> views;
    for (std::size_t i = 0; i < project->views.size(); ++i) views.push_back(static_cast<int>(i));
    std::string text = std::to_string(project->views[0].lateness_us);
    for (const auto& aggregate : project->views[0].aggregates) text += aggregate.name;
    auto made = Kernel::create(project, views, shape_for(text));
    REQUIRE(made);
    kernel = std::move(*made);
    names = std::make_unique<EventIndexes>(*project);
  }
  /// Takes events in position order, as one block.
  void apply(std::span<const NamedEvent> events) {
    const data::Batch rows = batch_of(*project, events);
    const auto known = known_of(events);
    std::optional<Amendments> amendments;
    if (EventIndex* index = names->of(0)) amendments = index->take(rows, known);
    const auto block =
        kernel->prepare_events(0, rows, known, run_in_turn, amendments ? &*amendments : nullptr);
    REQUIRE(block);
    for (std::int64_t row = 0; row < block->rows; ++row) kernel->apply(*block, row);
  }
  void apply(const NamedEvent& event) { apply(std::span(&event, 1)); }

  /// The cells of view 0 as text, so that strings compare too.
  std::vector<std::string> ask(const std::string& k, std::int64_t at) {
    NamedEvent key;
    key.k = k;
    const std::array at_us = {at};
    const std::array views = {0};
    auto block = kernel->prepare_questions(batch_of(*project, std::span(&key, 1)), at_us, views);
    REQUIRE(block);
    std::vector<Cell> cells(project->views[0].feature_count());
    kernel->ask(0, *block, 0, cells);
    std::vector<std::string> out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const data::Type type = project->views[0].feature_type(i);
      const data::Value value = to_column(type, std::span(&cells[i], 1)).value(0);
      out.push_back(data::is_null(value) ? "null" : data::to_text(value, type));
      if (cells[i].valid && type != data::Type::string)
        out.back() += " " + std::to_string(cells[i].bits);
    }
    return out;
  }
  std::string bytes() const { return serialize_state(*kernel, *names); }

  std::shared_ptr<const define::Project> project;
  std::unique_ptr<Kernel> kernel;
  std::unique_ptr<EventIndexes> names;
};

inline const std::string kCorrected = "id = \"id\"\nreplaces = \"r\"\ndeleted = \"gone\"\n";

/// Events of few keys; every other replaces or deletes one that came before it, or one unknown.
inline std::vector<NamedEvent> random_named_events(std::mt19937_64& random, std::size_t count,
                                                   std::int64_t step_us, std::size_t keys) {
  std::vector<NamedEvent> events;
  std::int64_t known = std::int64_t{1} << 50;
  for (std::size_t i = 0; i < count; ++i) {
    NamedEvent e;
    // One draw a statement: the order within an expression is the compiler's choice, and the events
    // must be the same in every build.
    const auto step = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(step_us));
    if (random() % 2 == 0) known += step;
    e.known = known;
    e.ts = known - static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(20 * step_us));
    if (random() % 2 == 0) e.ts -= e.ts % (5 * step_us);
    const bool again = i > 0 && random() % 8 == 0;
    e.id = "e" + std::to_string(again ? random() % i : i);
    if (random() % 2 == 0) {
      const std::size_t farthest = random() % 4 == 0 ? i + 1 : 6;
      const std::size_t back = 1 + random() % farthest;
      e.replaces = back > i ? "e" + std::to_string(i + 3) : "e" + std::to_string(i - back);
      if (random() % 10 == 0) e.replaces = e.id;
    }
    e.gone = random() % 4 == 0;
    e.k = std::string(1, static_cast<char>('a' + random() % keys));
    e.n = static_cast<std::int64_t>(random() % 40) - 10;
    if (random() % 5 != 0) e.x = random() % 9 == 0 ? 9e12 : static_cast<double>(random() % 999) / 8;
    if (random() % 5 != 0) e.w = std::string(1, static_cast<char>('p' + random() % 4));
    events.push_back(std::move(e));
  }
  return events;
}

}  // namespace coeval::kernel::testing
