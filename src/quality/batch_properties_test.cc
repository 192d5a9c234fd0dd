// Whatever the pieces, their order, the merges and the memory: the findings of a batch are those of
// one pass. (semantics: A1)

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <bit>

#include "quality/batch_for_tests.h"

namespace coeval::quality {
namespace {

using namespace for_tests;

std::vector<Check> every_check() {
  std::vector<Check> checks;
  const auto add = [&](CheckKind kind, std::vector<int> columns) -> Check& {
    checks.push_back(check_of(kind, std::move(columns)));
    checks.back().max = 1;
    checks.back().span_us = 40;
    return checks.back();
  };
  add(CheckKind::unique, {kId});
  add(CheckKind::unique, {kName});
  add(CheckKind::unique, {kId, kName, kTruth});
  add(CheckKind::unique, {kX});
  add(CheckKind::rows, {});
  add(CheckKind::volume, {}).span_us = 4 * 7 * kDayUs;
  add(CheckKind::null_share, {kName});
  add(CheckKind::distinct, {kName});
  add(CheckKind::distinct, {kX});
  add(CheckKind::mean, {kX});
  add(CheckKind::mean, {kAmount});
  add(CheckKind::quantile, {kX}).p = 0.37;
  add(CheckKind::quantile, {kAmount}).p = 0.5;
  add(CheckKind::sum, {kX});
  add(CheckKind::freshness, {}).freshness_of = define::FreshnessOf::both;
  add(CheckKind::late_share, {});
  add(CheckKind::out_of_order_share, {});
  add(CheckKind::gap, {});
  add(CheckKind::gap, {}).keys = {kId, kName};
  for (const CheckKind kind : {CheckKind::psi, CheckKind::ks, CheckKind::linf, CheckKind::js})
    add(kind, {kX});
  for (const CheckKind kind :
       {CheckKind::psi, CheckKind::chi2, CheckKind::new_values, CheckKind::vanished_values})
    add(kind, {kName});
  return checks;
}

Result<ColumnReference> reference_of(const std::string&, const data::Field& column) {
  data::ColumnBuilder builder(column.type);
  ColumnReference reference;
  if (column.type == data::Type::string) {
    reference.values.emplace();
    for (int i = 0; i < 300; ++i)
      builder.append_string(std::string(1, static_cast<char>('a' + i % 4)));
    for (char c = 'a'; c < 'e'; ++c) reference.values->push_back(std::string(1, c));
  } else {
    for (int i = 0; i < 300; ++i) builder.append_real(i % 10);
  }
  COEVAL_ASSIGN(reference.bins, stats::ReferenceBins::of(builder.finish()));
  return reference;
}

rc::Gen<Row> any_row() {
  return rc::gen::exec([] {
    Row row;
    row.at = *rc::gen::inRange<std::int64_t>(0, 300) + *rc::gen::element<std::int64_t>(0, kHourUs);
    row.known = row.at + *rc::gen::inRange<std::int64_t>(0, 60);
    const auto maybe = [&](int place, Value value) {
      if (*rc::gen::inRange(0, 6) != 0) row.values.emplace_back(place, std::move(value));
    };
    maybe(kId, *rc::gen::inRange<std::int64_t>(0, 12));
    maybe(kName, std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, 7))));
    maybe(kX, *rc::gen::weightedOneOf<double>(
                  {{8, rc::gen::map(rc::gen::inRange(0, 12), [](int x) { return x * 1.0; })},
                   {1, rc::gen::element(1e300, -1e300, 1e-300, -0.0)}}));
    maybe(kAmount, *rc::gen::inRange<std::int64_t>(-1000, 1000));
    maybe(kTruth, *rc::gen::arbitrary<bool>());
    return row;
  });
}

// Findings compared by their bits: NaN equals itself.
bool are_same(std::vector<BatchFinding> a, std::vector<BatchFinding> b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].number.has_value() != b[i].number.has_value()) return false;
    if (a[i].number &&
        std::bit_cast<std::uint64_t>(*a[i].number) != std::bit_cast<std::uint64_t>(*b[i].number))
      return false;
    a[i].number.reset();
    b[i].number.reset();
    if (!(a[i] == b[i])) return false;
  }
  return true;
}

struct World {
  World() : of(source()) {
    of.checks = every_check();
    for (std::int64_t week = 1; week <= 4; ++week) history.rows[-168 * week] = 20;
    context.history = &history;
    context.now_us = 1000;
    context.other_sum = [](int, int) -> Result<ColumnSum> { return ColumnSum(data::Type::int64); };
  }
  define::Source of;
  HourlyRows history;
  BatchContext context;
};

TEST_CASE("shards of a batch in any order, on any threads, merged, find what one pass finds") {
  const World world;
  WorkerPool pool(3);
  CHECK(rc::check("findings are a function of the set of rows", [&] {
    auto rows = *rc::gen::container<std::vector<Row>>(any_row());
    for (int times = *rc::gen::element(0, 0, 4); times > 0 && !rows.empty(); --times)
      rows.insert(rows.end(), rows.begin(),
                  rows.begin() + static_cast<std::ptrdiff_t>(rows.size()));
    for (std::size_t i = 0; i < rows.size(); ++i)
      rows[i].number = static_cast<std::int64_t>(2 * i + 5);
    const BatchChecks checks(world.of, define::Environment::train, reference_of);
    auto whole = checks.start();
    add(whole, world.of, rows);
    const auto expected = whole.finish(world.context);

    std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
    std::shuffle(rows.begin(), rows.end(), random);
    std::vector<BatchAccumulator> shards;
    for (auto count = *rc::gen::inRange(1, 8); count > 0; --count) shards.push_back(checks.start());
    for (std::size_t from = 0; from < rows.size();) {
      const std::size_t to = std::min(rows.size(), from + 1 + random() % 40);
      add(shards[random() % shards.size()], world.of,
          {rows.begin() + static_cast<std::ptrdiff_t>(from),
           rows.begin() + static_cast<std::ptrdiff_t>(to)},
          random() % 2 == 0 ? &pool : nullptr);
      from = to;
    }
    while (shards.size() > 1) {
      shards[random() % (shards.size() - 1)].merge(std::move(shards.back()));
      shards.pop_back();
    }
    RC_ASSERT(are_same(shards[0].finish(world.context), expected));
  }));
}

TEST_CASE("what went to disk, on any threads, is found as what stayed in memory is") {
  const World world;
  WorkerPool pool(3);
  std::mt19937_64 random(11);
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < 60'000; ++i)
    rows.push_back({static_cast<std::int64_t>(random() % 10'000'000),
                    9'000'000,
                    i,
                    {{kId, static_cast<std::int64_t>(random() % 50'000)},
                     {kName, "name of some length " + std::to_string(random() % 40'000)},
                     {kX, static_cast<double>(random() % 1'000'000) / 7},
                     {kAmount, static_cast<std::int64_t>(random() % 1'000'000)}}});
  std::vector<std::vector<BatchFinding>> findings;
  for (const std::size_t memory : {std::size_t{0}, std::size_t{1} << 30}) {
    BatchCheckOptions options;
    options.memory_bytes = memory;
    const BatchChecks checks(world.of, define::Environment::train, reference_of, options);
    auto accumulator = checks.start();
    for (std::size_t from = 0; from < rows.size(); from += 20'000)
      add(accumulator, world.of,
          {rows.begin() + static_cast<std::ptrdiff_t>(from),
           rows.begin() + static_cast<std::ptrdiff_t>(from + 20'000)},
          memory == 0 ? &pool : nullptr);
    findings.push_back(accumulator.finish(world.context));
  }
  CHECK(are_same(findings[0], findings[1]));
  for (const BatchFinding& finding : findings[0]) {
    CAPTURE(finding.kind);
    CAPTURE(finding.observed);
    CHECK((finding.outcome == Outcome::passed || finding.outcome == Outcome::failed ||
           finding.kind == "volume"));
  }
}

}  // namespace
}  // namespace coeval::quality
