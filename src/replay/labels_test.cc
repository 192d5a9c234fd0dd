#include "replay/labels.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/time.h"
#include "data/row_codec.h"
#include "stores/event_log.h"
#include "stores/record_names.h"
#include "stores/text_table_files.h"

namespace coeval::replay {
namespace {

constexpr std::int64_t kStart = 1704067200000000;  // 2024-01-01
constexpr std::int64_t kWithin = 10 * kDayUs;

constexpr const char* kDefinition = R"toml(
[project]
name = "payments"
[source.payments]
path  = "payments.csv"
time  = "ts"
known = "ts + 1h"
[source.payments.columns]
ts    = { type = "timestamp", known = "ts" }
card  = { type = "string", known = "ts", nullable = true }
shop  = { type = "int32", known = "ts" }
fraud = { type = "bool", nullable = true }
[source.backs]
path  = "backs.csv"
time  = "ts"
known = "ts + hours(late)"
[source.backs.columns]
ts     = { type = "timestamp" }
card   = "string"
shop   = "int32"
amount = { type = "float64", nullable = true }
late   = { type = "int32", min = 0 }
[model.own]
question = { from = "payments", at = "ts" }
label    = "fraud"
inputs   = ["shop"]
split    = { train_until = 2024-02-01, validate_until = 2024-03-01, test_until = 2024-04-01 }
[model.mature]
question = { from = "payments", at = "ts" }
label    = { value = "fraud", known = "ts + 7d" }
inputs   = ["shop"]
split    = { train_until = 2024-02-01, validate_until = 2024-03-01, test_until = 2024-04-01 }
[model.joined]
question = { from = "payments", at = "ts" }
label    = { value = "amount > 0", from = "backs", by = ["card", "shop"], within = "10d" }
inputs   = ["shop"]
split    = { train_until = 2024-02-01, validate_until = 2024-03-01, test_until = 2024-04-01 }
[model.again]
question = { from = "payments", at = "ts" }
label    = { value = "true", from = "payments", by = ["card"], within = "1d" }
inputs   = ["shop"]
split    = { train_until = 2024-02-01, validate_until = 2024-03-01, test_until = 2024-04-01 }
)toml";

// Of a model that reads a view of the source that asks.
constexpr const char* kViewed = R"toml(
[view.card]
from    = "payments"
by      = ["card"]
windows = ["1d"]
spent   = "count()"
[model.viewed]
question = { from = "payments", at = "ts" }
label    = { value = "amount > 0", from = "backs", by = ["card", "shop"], within = "10d" }
inputs   = ["shop", "card.spent_1d"]
split    = { train_until = 2024-02-01, validate_until = 2024-03-01, test_until = 2024-04-01 }
)toml";

struct Payment {
  std::int64_t ts = 0;
  std::string card;  // empty = null
  int shop = 0;
  std::string fraud;
};
struct Back {
  std::int64_t ts = 0;
  std::string card;
  int shop = 0;
  std::string amount;
  int late = 0;
};

class World {
 public:
  World(const std::vector<Payment>& payments, const std::vector<Back>& backs)
      : folder_(std::filesystem::temp_directory_path() /
                ("coeval-labels-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    {
      std::ofstream file(folder_ / "payments.csv");
      file << "ts,card,shop,fraud\n";
      for (const auto& row : payments)
        file << format_time(row.ts) << ',' << row.card << ',' << row.shop << ',' << row.fraud
             << '\n';
    }
    {
      std::ofstream file(folder_ / "backs.csv");
      file << "ts,card,shop,amount,late\n";
      for (const auto& row : backs)
        file << format_time(row.ts) << ',' << row.card << ',' << row.shop << ',' << row.amount
             << ',' << row.late << '\n';
    }
    auto checked = define::check_text(kDefinition, (folder_ / "coeval.toml").string());
    for (const auto& error : checked.errors) FAIL_CHECK(one_line(error));
    REQUIRE(checked.project);
    checked.project->folder = folder_.string();
    project = std::make_shared<const define::Project>(std::move(*checked.project));
  }
  ~World() { std::filesystem::remove_all(folder_); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Past past(PastOptions options = {}) const {
    const OpenFormat formats = [this](const std::string&) -> Result<stores::TableFiles*> {
      return csv_.get();
    };
    auto loaded = load_past(*project, formats, options);
    REQUIRE(loaded);
    return std::move(*loaded);
  }

  // "+ 2024-01-02T00:00:00Z", "-" or "?" for each payment.
  std::vector<std::string> labels(const std::string& model, const Past& past) const {
    const auto found = labels_of(*project, *project->find_model(model), past);
    std::vector<std::string> out;
    for (std::int64_t row = 0; row < found.label.size(); ++row) {
      const std::int64_t known = found.known_us[static_cast<std::size_t>(row)];
      CHECK(found.label.is_null(row) == (known == Labels::kNever));
      out.push_back(found.label.is_null(row)
                        ? "?"
                        : (found.label.bit(row) ? "+ " : "- ") + format_time(known));
    }
    return out;
  }

  std::shared_ptr<const define::Project> project;

 private:
  std::filesystem::path folder_;
  std::unique_ptr<stores::TableFiles> csv_ = stores::make_csv_files();
};

std::string day(int days, int hours = 0) {
  return format_time(kStart + days * kDayUs + hours * kHourUs);
}

using Lines = std::vector<std::string>;

TEST_CASE("a label of the row is known with it, and not before its maturity") {
  const World world({{kStart, "a", 1, "true"},
                     {kStart + kDayUs, "a", 1, "false"},
                     {kStart + 2 * kDayUs, "b", 1, ""}},
                    {});
  CHECK(world.labels("own", world.past()) == Lines{"+ " + day(0, 1), "- " + day(1, 1), "?"});
  CHECK(world.labels("mature", world.past()) == Lines{"+ " + day(7), "- " + day(8), "?"});
}

TEST_CASE("an event in [at, at + within) makes a row positive, time without one negative") {
  const World world({{kStart, "a", 1, ""},                 // at the very moment
                     {kStart + kDayUs, "b", 1, ""},        // the last microsecond counts
                     {kStart, "b", 1, ""},                 // one microsecond more does not
                     {kStart, "a", 2, ""},                 // another shop
                     {kStart, "", 1, ""},                  // no key, no label
                     {kStart + 2 * kDayUs, "c", 1, ""},    // amount 0 and null are no chargeback
                     {kStart + 40 * kDayUs, "a", 1, ""},   // not yet ten days
                     {kStart + 40 * kDayUs, "d", 1, ""}},  // not yet ten days, but already positive
                    {{kStart, "a", 1, "5", 3},
                     {kStart + 11 * kDayUs - 1, "b", 1, "5", 24},
                     {kStart + 3 * kDayUs, "c", 1, "0", 0},
                     {kStart + 3 * kDayUs, "c", 1, "", 0},
                     {kStart + 41 * kDayUs, "d", 1, "1", 2},
                     {kStart + 45 * kDayUs, "e", 1, "1", 0}});
  CHECK(world.labels("joined", world.past()) ==
        Lines{"+ " + day(0, 3), "+ " + format_time(kStart + 12 * kDayUs - 1), "- " + day(10),
              "- " + day(10), "?", "- " + day(12), "?", "+ " + day(41, 2)});
}

TEST_CASE("a row is no event for itself, its twin is") {
  const World world({{kStart, "a", 1, ""},
                     {kStart + kDayUs, "a", 1, ""},
                     {kStart + kDayUs, "a", 2, ""},
                     {kStart + 9 * kDayUs, "z", 1, ""}},
                    {});
  CHECK(world.labels("again", world.past()) ==
        Lines{"- " + day(1), "+ " + day(1, 1), "+ " + day(1, 1), "?"});
}

TEST_CASE("as of a date, only what was known before it exists") {
  const World world({{kStart, "a", 1, "true"},
                     {kStart + 5 * kDayUs, "b", 1, "true"},
                     {kStart + 20 * kDayUs, "c", 1, "true"}},
                    {{kStart + 2 * kDayUs, "a", 1, "5", 24 * 20},
                     {kStart + 6 * kDayUs, "b", 1, "5", 24},
                     {kStart + 60 * kDayUs, "z", 1, "5", 0}});
  CHECK(world.labels("joined", world.past()) ==
        Lines{"+ " + day(22), "+ " + day(7), "- " + day(30)});
  PastOptions options;
  options.as_of_us = kStart + 12 * kDayUs;
  // The first chargeback had happened, but nobody knew: restated later, from negative to positive.
  CHECK(world.labels("joined", world.past(options)) == Lines{"- " + day(10), "+ " + day(7)});
  options.as_of_us = kStart + 10 * kDayUs;
  CHECK(world.labels("joined", world.past(options)) == Lines{"?", "+ " + day(7)});
  options.as_of_us = kStart + 10 * kDayUs + 1;
  CHECK(world.labels("joined", world.past(options)) == Lines{"- " + day(10), "+ " + day(7)});
  CHECK(world.labels("mature", world.past(options)) == Lines{"+ " + day(7), "?"});
  CHECK(world.past(options).id != world.past().id);
}

TEST_CASE("the log ends at that date too, and a live row matures from its arrival") {
  const World world({{kStart, "a", 1, "true"}}, {});
  const auto log = stores::make_memory_log();
  const auto& source =
      world.project->sources[static_cast<std::size_t>(world.project->source_index("payments"))];
  const auto append = [&](std::int64_t ts, std::int64_t known) {
    data::Batch row;
    row.schema = source.schema;
    row.rows = 1;
    for (const auto& field : source.schema.fields) {
      data::ColumnBuilder builder(field.type);
      if (field.name == "ts")
        builder.append_integer(ts);
      else if (field.name == "card")
        builder.append_string("a");
      else if (field.name == "shop")
        builder.append_integer(1);
      else
        builder.append_boolean(true);
      row.columns.push_back(builder.finish());
    }
    const std::string payload = data::encode_row(row, 0);
    stores::Draft draft;
    draft.kind = stores::RecordKind::event;
    draft.known = KnownTime{known};
    draft.source = stores::source_tag(source.name);
    draft.schema_version = stores::schema_tag(source.schema);
    draft.payload = payload;
    REQUIRE(log->append(draft));
  };
  append(kStart + kDayUs, kStart + 2 * kDayUs);
  append(kStart + 2 * kDayUs, kStart + 30 * kDayUs);
  REQUIRE(log->sync());
  PastOptions options;
  options.log = log.get();
  CHECK(world.labels("own", world.past(options)) ==
        Lines{"+ " + day(0, 1), "+ " + day(2), "+ " + day(30)});
  CHECK(world.labels("mature", world.past(options)) ==
        Lines{"+ " + day(7), "+ " + day(8), "+ " + day(30)});
  options.as_of_us = kStart + 30 * kDayUs;
  CHECK(world.labels("own", world.past(options)) == Lines{"+ " + day(0, 1), "+ " + day(2)});
}

// The rule of LabelEvents once more, over all pairs.
TEST_CASE("labels of random events are those of brute force") {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<Payment> payments;
    std::vector<Back> backs;
    for (int i = 0; i < 60; ++i)
      payments.push_back({kStart + static_cast<std::int64_t>(random() % 40) * kDayUs,
                          std::string(1, static_cast<char>('a' + random() % 3)),
                          static_cast<int>(random() % 2), ""});
    for (int i = 0; i < 40; ++i)
      backs.push_back({kStart + static_cast<std::int64_t>(random() % 50) * kDayUs,
                       std::string(1, static_cast<char>('a' + random() % 3)),
                       static_cast<int>(random() % 2), random() % 3 == 0 ? "0" : "2",
                       static_cast<int>(random() % 300)});
    const World world(payments, backs);
    PastOptions options;
    const bool cut = round % 2 == 0;
    const std::int64_t as_of = kStart + static_cast<std::int64_t>(20 + random() % 30) * kDayUs;
    if (cut) options.as_of_us = as_of;

    const auto known_of = [](const Back& back) { return back.ts + back.late * kHourUs; };
    const auto exists = [&](std::int64_t known) { return !cut || known < as_of; };
    std::int64_t end = INT64_MIN;
    bool any_cut = false;
    for (const auto& back : backs) {
      if (exists(known_of(back))) end = std::max(end, known_of(back));
      any_cut |= !exists(known_of(back));
    }
    if (any_cut) end = std::max(end, as_of);
    Lines expected;
    for (const auto& payment : payments) {
      if (!exists(payment.ts + kHourUs)) continue;
      std::int64_t known = INT64_MAX;
      for (const auto& back : backs)
        if (exists(known_of(back)) && back.card == payment.card && back.shop == payment.shop &&
            back.amount == "2" && back.ts >= payment.ts && back.ts < payment.ts + kWithin)
          known = std::min(known, known_of(back));
      const std::int64_t matured = payment.ts + kWithin;
      if (known != INT64_MAX)
        expected.push_back("+ " + format_time(known));
      else
        expected.push_back(matured <= end && exists(matured) ? "- " + format_time(matured) : "?");
    }
    CHECK(world.labels("joined", world.past(options)) == expected);
  }
}

TEST_CASE("each source that rows and labels need is named once, in order") {
  auto checked = define::check_text(std::string(kDefinition) + kViewed, "coeval.toml");
  for (const auto& error : checked.errors) FAIL_CHECK(one_line(error));
  REQUIRE(checked.project);
  const auto sources = [&](const std::string& name) {
    const auto model = std::ranges::find(checked.project->models, name, &define::Model::name);
    REQUIRE(model != checked.project->models.end());
    return sources_of(*checked.project, *model);
  };
  // By name: 0 is "backs".
  CHECK(sources("own") == std::vector<int>{1});
  CHECK(sources("again") == std::vector<int>{1});
  CHECK(sources("joined") == std::vector<int>{0, 1});
  CHECK(sources("viewed") == std::vector<int>{0, 1});
}

}  // namespace
}  // namespace coeval::replay
