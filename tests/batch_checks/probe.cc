// Runs the checks of a source over a CSV file as ingestion would, but in shards that a seed chooses
// and with as little memory as it is told. A program of the tests;
// tests/oracle/test_batch_checks.py compares what it prints with oracles.
//
//   coeval_batch_probe check FOLDER SOURCE SEED MEMORY NOW
//       FOLDER holds coeval.toml, SOURCE.csv with a column `known`, files OTHER.csv of the sources
//       that sums are compared with, and may hold history.txt (lines: hour, rows). A JSON object a
//       finding.
//   coeval_batch_probe profile FOLDER SOURCE FILE OUT
//       The profile of a CSV file of the source.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <numeric>
#include <random>

#include "data/json.h"
#include "define/project.h"
#include "quality/batch_checks.h"
#include "quality/profile.h"
#include "stores/text_table_files.h"

namespace {

using namespace coeval;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(2);
}
template <class T>
T must(Result<T> result) {
  if (!result) give_up(one_line(result.error()));
  return std::move(*result);
}

data::Batch rows_of_file(const std::string& path, const data::Schema& schema) {
  stores::ReadOptions options;
  options.schema = schema;
  auto reader = must(stores::make_csv_files()->open(path, options));
  if (!reader->bad_rows().empty()) give_up(path + ": " + reader->bad_rows()[0].reason);
  std::vector<data::Batch> batches;
  for (;;) {
    batches.push_back(must(reader->next()));
    if (batches.back().rows == 0 && batches.size() > 1) break;
    if (batches.back().rows == 0) return batches.back();
  }
  batches.pop_back();
  return must(data::concatenate(batches));
}

// Rows in pieces of random sizes, given to random accumulators that are merged in random order.
std::vector<quality::BatchFinding> in_shards(const quality::BatchChecks& checks,
                                             const data::Batch& batch, std::uint64_t seed,
                                             const quality::BatchContext& context) {
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> order(static_cast<std::size_t>(batch.rows));
  std::iota(order.begin(), order.end(), 0);
  if (seed % 2 == 1) std::shuffle(order.begin(), order.end(), random);
  std::vector<quality::BatchAccumulator> shards;
  for (std::uint64_t i = 0; i <= seed % 4; ++i) shards.push_back(checks.start());
  const data::Column& known = *batch.find("known");
  for (std::size_t from = 0; from < order.size();) {
    const std::size_t to = std::min(order.size(), from + 1 + random() % 5000);
    const std::span<const std::int64_t> rows(order.data() + from, to - from);
    std::vector<std::int64_t> known_us;
    for (const std::int64_t row : rows) known_us.push_back(known.integer(row));
    shards[random() % shards.size()].add({data::take(batch, rows), known_us, rows});
    from = to;
  }
  while (shards.size() > 1) {
    shards[random() % (shards.size() - 1)].merge(std::move(shards.back()));
    shards.pop_back();
  }
  return shards[0].finish(context);
}

void print(const quality::BatchFinding& finding) {
  data::Json json;
  json.set("rule", finding.rule).set("outcome", quality::name(finding.outcome));
  json.set("observed", finding.observed).set("rows_count", finding.rows_count);
  if (finding.number) json.set("number", *finding.number);
  data::Json rows = data::Json::Array(), examples = data::Json::Array();
  for (const std::int64_t row : finding.rows) rows.push(row);
  for (const std::string& example : finding.examples) examples.push(example);
  json.set("rows", std::move(rows)).set("examples", std::move(examples));
  std::cout << json.dump() << "\n";
}

void check(const define::Project& project, const define::Source& source, const std::string& folder,
           char** argv) {
  quality::BatchCheckOptions options;
  options.memory_bytes = std::strtoull(argv[5], nullptr, 10);
  const quality::BatchChecks checks(source, define::Environment::train,
                                    quality::references_in(folder), options);
  quality::BatchContext context;
  context.now_us = std::strtoll(argv[6], nullptr, 10);
  quality::HourlyRows history;
  if (std::ifstream lines(folder + "/history.txt"); lines) {
    context.history = &history;
    for (std::int64_t hour = 0, rows = 0; lines >> hour >> rows;) history.rows[hour] = rows;
  }
  context.other_sum = [&](int other, int column) -> Result<quality::ColumnSum> {
    const auto& of = project.sources[static_cast<std::size_t>(other)];
    const data::Batch batch = rows_of_file(folder + "/" + of.name + ".csv", of.schema);
    quality::ColumnSum sum(of.schema.fields[static_cast<std::size_t>(column)].type);
    sum.add(batch.columns[static_cast<std::size_t>(column)]);
    return sum;
  };
  const data::Batch batch = rows_of_file(folder + "/" + source.name + ".csv", source.schema);
  for (const auto& finding : in_shards(checks, batch, std::strtoull(argv[4], nullptr, 10), context))
    print(finding);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (argc != (verb == "check" ? 7 : 6))
    give_up("read the source of this program for its arguments");
  const std::string folder = argv[2];
  const define::Checked checked = define::check_file(folder + "/coeval.toml");
  if (!checked.project) give_up(one_line(checked.errors.at(0)));
  const int index = checked.project->source_index(argv[3]);
  if (index < 0) give_up("no such source");
  const define::Source& source = checked.project->sources[static_cast<std::size_t>(index)];
  if (verb == "check") {
    check(*checked.project, source, folder, argv);
    return 0;
  }
  quality::Profile profile(source.schema);
  if (auto status = profile.add(rows_of_file(argv[4], source.schema)); !status)
    give_up(one_line(status.error()));
  if (auto status = quality::write_profile(argv[5], profile); !status)
    give_up(one_line(status.error()));
  return 0;
}
