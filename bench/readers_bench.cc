// Megabytes a second of CPU time, on one core, that the readers of CSV and JSON lines parse and
// type, beside the plain readers that are their oracles. Rows are of integers, a float, short
// strings and timestamps, as flights have them.
//
//   readers_bench [FOLDER]    also leaves the two files in FOLDER, for peers to read
//   (readers_peers.py)

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <random>
#include <string>

#include "data/text_tables.h"
#include "stores/byte_source.h"
#include "stores/text_table_files.h"

namespace {

using namespace coeval;
using data::Type;

constexpr int kRows = 600'000;

const data::Schema kSchema = {{{"flight", Type::int64, false},
                               {"at", Type::timestamp, false},
                               {"carrier", Type::string, false},
                               {"origin", Type::string, false},
                               {"destination", Type::string, false},
                               {"distance", Type::int32, true},
                               {"delay", Type::float64, true},
                               {"price", Type::float64, false}}};

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec) * 1e-6 +
         static_cast<double>(used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_stime.tv_usec) * 1e-6;
}

data::Batch rows() {
  std::mt19937_64 random(1);
  constexpr std::string_view kCarriers[] = {"AA", "DL", "UA", "WN", "B6", "AS"};
  std::vector<data::ColumnBuilder> columns;
  for (const data::Field& field : kSchema.fields) columns.emplace_back(field.type);
  const auto airport = [&] {
    const auto n = random() % 300;
    return std::string{static_cast<char>('A' + n % 26), static_cast<char>('A' + n / 26 % 26),
                       static_cast<char>('A' + n * 7 % 26)};
  };
  for (int row = 0; row < kRows; ++row) {
    columns[0].append_integer(static_cast<std::int64_t>(random() % 10'000'000));
    columns[1].append_integer(991353600000000 + row * std::int64_t{13'000'000});
    columns[2].append_string(kCarriers[random() % 6]);
    columns[3].append_string(airport());
    columns[4].append_string(airport());
    columns[5].append_integer(static_cast<std::int64_t>(random() % 4'962));
    if (random() % 50 == 0)
      columns[6].append_null();
    else
      columns[6].append_real(static_cast<double>(random() % 2'000) / 10 - 30);
    columns[7].append_real(static_cast<double>(random() % 100'000) / 100);
  }
  data::Batch batch{kSchema, {}, kRows};
  for (auto& column : columns) batch.columns.push_back(column.finish());
  return batch;
}

void report(const char* name, const std::string& text, const std::function<std::int64_t()>& read) {
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    const double before = cpu_seconds();
    if (read() != kRows) std::abort();
    best = std::min(best, cpu_seconds() - before);
  }
  std::printf("%-28s %7.0f MB/s %8.1f ns a row\n", name,
              static_cast<double>(text.size()) / 1e6 / best, best / kRows * 1e9);
}

std::int64_t streamed(stores::TableFiles& files, const std::string& text, bool code_strings) {
  stores::ReadOptions options;
  options.schema = kSchema;
  options.code_strings = code_strings;
  options.open_bytes = [&](const std::string& path) {
    return Result<std::unique_ptr<stores::ByteSource>>(stores::bytes_of_text(path, text));
  };
  auto reader = files.open("text", options).value();
  std::int64_t count = 0;
  for (;;) {
    const data::Batch batch = reader->next().value();
    if (reader->at_end(batch)) return count;
    count += batch.rows;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const data::Batch table = rows();
  const std::string csv = data::write_csv(table), jsonl = data::write_jsonl(table);
  if (argc > 1) {
    std::ofstream(std::string(argv[1]) + "/rows.csv") << csv;
    std::ofstream(std::string(argv[1]) + "/rows.jsonl") << jsonl;
  }
  const auto csv_files = stores::make_csv_files(), jsonl_files = stores::make_jsonl_files();
  report("CSV", csv, [&] { return streamed(*csv_files, csv, true); });
  report("CSV, strings not coded", csv, [&] { return streamed(*csv_files, csv, false); });
  report("CSV, the plain reader", csv, [&] { return data::read_csv(csv, kSchema)->rows.rows; });
  report("JSON lines", jsonl, [&] { return streamed(*jsonl_files, jsonl, true); });
  report("JSON lines, not coded", jsonl, [&] { return streamed(*jsonl_files, jsonl, false); });
  report("JSON lines, the plain reader", jsonl,
         [&] { return data::read_jsonl(jsonl, kSchema)->rows.rows; });
  return 0;
}
