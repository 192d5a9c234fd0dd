// CPU time of checks of whole batches, per row of a batch of two million, on one thread. Prints one
// line a figure: CHECK VALUE UNIT. bench/batch_checks_peers.py does the same work on the same rows
// in DuckDB and pandas.
//
//   batch_checks_bench [ROWS [NAME]]       NAME: a part of the names of the figures

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "data/column.h"
#include "quality/batch_checks.h"

namespace {

using namespace coeval;
using define::Check;
using define::CheckKind;

constexpr std::int64_t kPieceRows = 1 << 17;
constexpr std::size_t kAll = std::size_t{4} << 30, kLittle = std::size_t{8} << 20;
enum Place : int { kAt, kId, kFlight, kDay, kValue };

double cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

define::Source flights() {
  define::Source source;
  source.name = "flights";
  source.time_index = kAt;
  const auto add = [&](std::string name, data::Type type) {
    define::SourceColumn column;
    column.name = std::move(name);
    column.type = type;
    source.schema.fields.push_back({column.name, type, false});
    source.columns.push_back(std::move(column));
  };
  add("at", data::Type::timestamp);
  add("id", data::Type::int64);
  add("flight", data::Type::string);
  add("day", data::Type::string);
  add("value", data::Type::float64);
  return source;
}

struct Piece {
  data::Batch batch;
  std::vector<std::int64_t> known, numbers;
};

// Unique ids in no order, and pairs of texts that are unique together.
Piece piece_of(const data::Schema& schema, std::int64_t from, std::int64_t to) {
  std::vector<data::ColumnBuilder> builders;
  for (const auto& field : schema.fields) builders.emplace_back(field.type);
  Piece piece;
  for (std::int64_t i = from; i < to; ++i) {
    const std::uint64_t mixed = static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15;
    builders[kAt].append_integer(i * 1000);
    builders[kId].append_integer(static_cast<std::int64_t>(mixed >> 1));
    builders[kFlight].append_string("FL" + std::to_string(i % 20'011));
    builders[kDay].append_string("day " + std::to_string(i / 20'011));
    builders[kValue].append_real(static_cast<double>(mixed >> 11) * 0x1p-53);
    piece.known.push_back(i * 1000);
    piece.numbers.push_back(i);
  }
  piece.batch = {schema, {}, to - from};
  for (auto& builder : builders) piece.batch.columns.push_back(builder.finish());
  return piece;
}

void measure(const std::string& name, Check check, const std::vector<Piece>& pieces,
             std::int64_t rows, std::size_t memory_bytes) {
  define::Source source = flights();
  check.name = name;
  source.checks.push_back(std::move(check));
  quality::BatchCheckOptions options;
  options.memory_bytes = memory_bytes;
  const quality::BatchChecks checks(source, define::Environment::train, nullptr, options);
  double best = 1e300;
  for (int run = 0; run < 3; ++run) {
    const double before = cpu_ns();
    auto accumulator = checks.start();
    for (const Piece& piece : pieces) accumulator.add({piece.batch, piece.known, piece.numbers});
    const auto findings = accumulator.finish({});
    best = std::min(best, (cpu_ns() - before) / static_cast<double>(rows));
    if (findings[0].outcome != quality::Outcome::passed) {
      std::fprintf(stderr, "%s: %s\n", name.c_str(), findings[0].observed.c_str());
      std::exit(1);
    }
  }
  std::printf("%s %.1f ns/row\n", name.c_str(), best);
}

Check check_of(CheckKind kind, std::vector<int> columns) {
  Check check;
  check.kind = kind;
  check.columns = std::move(columns);
  check.max = 1e15;
  check.p = 0.99;
  check.span_us = 1'000'000;
  return check;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string only = argc > 2 ? argv[2] : "";
  const std::int64_t rows = argc > 1 ? std::atoll(argv[1]) : 2'000'000;
  const define::Source source = flights();
  std::vector<Piece> pieces;
  for (std::int64_t from = 0; from < rows; from += kPieceRows)
    pieces.push_back(piece_of(source.schema, from, std::min(rows, from + kPieceRows)));

  const auto run = [&](const std::string& name, const Check& check, std::size_t memory = kAll) {
    if (name.find(only) != std::string::npos) measure(name, check, pieces, rows, memory);
  };
  run("unique_integer", check_of(CheckKind::unique, {kId}));
  run("unique_integer_spilled", check_of(CheckKind::unique, {kId}), kLittle);
  run("unique_two_texts", check_of(CheckKind::unique, {kFlight, kDay}));
  run("unique_two_texts_spilled", check_of(CheckKind::unique, {kFlight, kDay}), kLittle);
  run("distinct_integer", check_of(CheckKind::distinct, {kId}));
  run("distinct_text", check_of(CheckKind::distinct, {kFlight}));
  run("mean", check_of(CheckKind::mean, {kValue}));
  run("quantile", check_of(CheckKind::quantile, {kValue}));
  run("out_of_order_share", check_of(CheckKind::out_of_order_share, {}));
  run("gap", check_of(CheckKind::gap, {}));
  Check by_flight = check_of(CheckKind::gap, {});
  by_flight.keys = {kFlight};
  run("gap_by_text", by_flight);
  return 0;
}
