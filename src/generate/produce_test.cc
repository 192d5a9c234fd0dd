#include "generate/produce.h"

#include <doctest/doctest.h>

#include <utility>

#include "data/hash.h"
#include "data/text_tables.h"
#include "generate/churn.h"
#include "generate/clicks.h"
#include "generate/fraud.h"
#include "generate/generated_for_tests.h"
#include "generate/recsys.h"
#include "generate/series.h"

namespace coeval::generate {
namespace {

FraudOptions small_fraud() {
  FraudOptions options;
  options.cards = 300;
  options.terminals = 600;
  options.days = 140;  // several batches
  options.label_delay.log_normal = true;
  options.unreported = 0.1;
  options.late = options.duplicates = options.out_of_order = 0.05;
  options.drifts = {{60, DriftKind::volume}, {80, DriftKind::attack}, {100, DriftKind::disguise}};
  options.schema_change_day = 50;
  return options;
}

std::vector<std::pair<std::string, std::unique_ptr<Generator>>> all_kinds(
    const FraudOptions& fraud = small_fraud()) {
  std::vector<std::pair<std::string, std::unique_ptr<Generator>>> all;
  all.push_back({"fraud", good(make_fraud(fraud))});
  all.push_back({"clicks", good(make_clicks({.sessions = 7'000, .queries = 50}))});
  all.push_back({"recsys", good(make_recsys({.rows = 70'000, .users = 500, .items = 90}))});
  all.push_back({"churn", good(make_churn({.customers = 6'000}))});
  all.push_back({"series", good(make_series({.series = 95, .gaps = 0.05}))});
  return all;
}

// CHECK would print both texts.
bool is_same(const std::string& a, const std::string& b) { return a == b; }

std::string without_header(const std::string& text) { return text.substr(text.find('\n') + 1); }

TEST_CASE("rows do not depend on threads, and shards are the whole, cut") {
  FraudOptions fraud = small_fraud();
  fraud.schema_change_day.reset();  // shards before it have a column less
  for (const auto& [kind, generator] : all_kinds(fraud)) {
    CAPTURE(kind);
    const std::string whole = data::write_csv(rows_of(*generator));
    CHECK(is_same(data::write_csv(rows_of(*generator, {}, 2)), whole));
    CHECK(is_same(data::write_csv(rows_of(*generator, {}, 5)), whole));
    std::string together;
    for (std::int64_t shard = 0; shard < 4; ++shard) {
      const data::Batch part = rows_of(*generator, {shard, 4, std::nullopt}, 2);
      CHECK(part.rows > 0);
      together += without_header(data::write_csv(part));
    }
    CHECK(is_same(together, without_header(whole)));
  }
}

TEST_CASE("any first rows are the beginning of all rows") {
  for (const auto& [kind, generator] : all_kinds()) {
    CAPTURE(kind);
    const data::Batch whole = rows_of(*generator);
    const std::string text = without_header(data::write_csv(whole));
    for (const std::int64_t rows : {std::int64_t{0}, std::int64_t{1}, std::int64_t{777},
                                    whole.rows / 2, whole.rows, whole.rows + 1}) {
      const data::Batch first = rows_of(*generator, {0, 1, rows});
      CHECK(first.rows == std::min(rows, whole.rows));
      if (first.rows > 0)
        CHECK(is_same(text.substr(0, without_header(data::write_csv(first)).size()),
                      without_header(data::write_csv(first))));
    }
  }
}

TEST_CASE("smaller sizes give the beginning of larger ones") {
  FraudOptions fewer = small_fraud();
  fewer.days = 70;
  const data::Batch fraud = rows_of(*good(make_fraud(fewer)));
  const std::string all = data::write_csv(rows_of(*good(make_fraud(small_fraud()))));
  const std::string beginning = data::write_csv(fraud);
  CHECK(is_same(all.substr(0, beginning.size()), beginning));
  const std::string series = data::write_csv(rows_of(*good(make_series({.series = 20}))));
  const std::string seven = data::write_csv(rows_of(*good(make_series({.series = 7}))));
  CHECK(is_same(series.substr(0, seven.size()), seven));
}

TEST_CASE("a number of rows is cut into shards where pieces are equally long") {
  const auto clicks = good(make_clicks({.sessions = 1000, .queries = 50}));
  const data::Batch whole = rows_of(*clicks, {0, 1, 1234});
  CHECK(whole.rows == 1234);
  std::string together;
  for (std::int64_t shard = 0; shard < 3; ++shard)
    together += without_header(data::write_csv(rows_of(*clicks, {shard, 3, 1234})));
  CHECK(is_same(together, without_header(data::write_csv(whole))));
  const auto refused = pieces_of(*good(make_churn({})), {0, 3, 1000});
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::usage);
}

TEST_CASE("more shards than pieces leave some empty, and the last piece is in the last one") {
  const auto series = good(make_series({.series = 2, .days = 5}));
  std::int64_t rows = 0;
  for (std::int64_t shard = 0; shard < 7; ++shard) rows += rows_of(*series, {shard, 7, {}}).rows;
  CHECK(rows == 10);
  CHECK(rows_of(*series, {0, 7, {}}).rows == 0);
  CHECK(rows_of(*series, {6, 7, {}}).rows == 5);
}

TEST_CASE("what a taker refuses ends it") {
  const auto recsys = good(make_recsys({.rows = 1000}));
  const auto produced = produce(
      *recsys, {0, 1000, {}}, 2,
      [](const data::Batch&) -> Status { return fail(Code::disk_full, "no room"); },
      [](std::int64_t, std::int64_t) {});
  REQUIRE(!produced);
  CHECK(produced.error().code == Code::disk_full);
}

// What seed 1 gives, on every machine and by every compiler. A change here changes everybody's
// data: say so in the changelog.
TEST_CASE("rows of a seed have the bytes that they always had") {
  const std::vector<std::pair<std::string, std::string>> known = {
      {"fraud", "3afbf25c3ffe631abf113f9233fe43d0e4eca127e431ae6bf0c26f2babe45552"},
      {"clicks", "ed852cf8cdf07f89f57e2cce7b609109ebd0275a6b5ee002c44db7a5fc3f7079"},
      {"recsys", "7e7777f2a943a3929800eeace70c8a106326d9f903ffd92883e0fa9a185063b2"},
      {"churn", "bd233296be97b626f18968e94a5976d3ba326ee514db6e2a4e02a995983b48af"},
      {"series", "ca3430cc955eeef084e4c9ce7cba94ffc5d3646f9f3fafa31fbc39eb804d6b18"},
  };
  const auto kinds = all_kinds();
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    CAPTURE(kinds[i].first);
    CHECK(kinds[i].first == known[i].first);
    const std::string text = data::write_csv(rows_of(*kinds[i].second, {0, 1, 20'000}));
    CHECK(data::sha256_hex(text) == known[i].second);
  }
}

}  // namespace
}  // namespace coeval::generate
