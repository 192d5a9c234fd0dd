// Rules of rows: CPU nanoseconds a value over batches, patterns of many shapes beside RE2's own
// call, and CPU nanoseconds a row where rows come one by one, as over HTTP. The best of seven runs.
// Exits 1 when a pattern's verdicts are not RE2's.
//
//   checks_bench [rows]

#include <re2/re2.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>

#include "data/column.h"
#include "define/project.h"
#include "quality/checks.h"

namespace {

using namespace coeval;

double cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

double best_ns(std::int64_t values, const std::function<void()>& work) {
  double best = 1e300;
  for (int i = 0; i < 7; ++i) {
    const double start = cpu_ns();
    work();
    best = std::min(best, (cpu_ns() - start) / static_cast<double>(values));
  }
  return best;
}

define::Source source_of(const std::string& columns, const std::string& checks = "") {
  const std::string text =
      "[project]\nname = \"bench\"\n[source.s]\ntime = \"ts\"\nknown = \"event time\"\n"
      "[source.s.columns]\nts = \"timestamp\"\n" +
      columns + (checks.empty() ? "" : "[source.s.checks]\n" + checks);
  auto checked = define::check_text(text, "coeval.toml");
  if (!checked.project) {
    std::fprintf(stderr, "%s\n", define::render(checked.errors[0], text, false).c_str());
    std::exit(1);
  }
  return checked.project->sources[0];
}

data::Column numbers(data::Type type, std::int64_t rows, double null_share) {
  std::mt19937_64 random(1);
  data::ColumnBuilder builder(type);
  for (std::int64_t i = 0; i < rows; ++i) {
    if (static_cast<double>(random() % 1000) < null_share * 1000)
      builder.append_null();
    else if (data::is_float(type))
      builder.append_real(static_cast<double>(random() % 3000));
    else
      builder.append_integer(static_cast<std::int64_t>(random() % 3000));
  }
  return builder.finish();
}

// Texts of 20 bytes: # is some digit, ? a small letter, ^ a capital, all else as it stands.
data::Column texts(std::int64_t rows, std::string_view shape) {
  std::mt19937_64 random(1);
  data::ColumnBuilder builder(data::Type::string);
  for (std::int64_t i = 0; i < rows; ++i) {
    std::string text(shape);
    for (char& c : text) {
      if (c == '#') c = static_cast<char>('0' + random() % 10);
      if (c == '?') c = static_cast<char>('a' + random() % 26);
      if (c == '^') c = static_cast<char>('A' + random() % 26);
    }
    builder.append_string(text);
  }
  return builder.finish();
}

void column(const char* what, const std::string& declared, data::Column values) {
  const define::Source source = source_of("c = " + declared + "\n");
  const std::vector<int> only = {source.schema.index_of("c")};
  const auto checks = *quality::RowChecks::compile(source, only);
  const data::Batch batch{
      {{source.schema.fields[static_cast<std::size_t>(only[0])]}}, {values}, values.size()};
  std::size_t bad = 0;
  const double ns = best_ns(values.size(), [&] { bad = checks->check(batch).size(); });
  std::printf("%-58s %8.2f ns a value, %zu bad\n", what, ns, bad);
}

struct PatternCase {
  const char* pattern;
  const char* shape;
};
constexpr PatternCase kPatterns[] = {
    {"tx_[0-9a-f]{4}-\\d{6}-\\d{5}", "tx_####-######-#####"},
    {"(?i)TX_[0-9a-f]{4}-\\d{6}-\\d{5}", "tx_####-######-#####"},
    {"[[:alnum:]._%+-]+@[[:alnum:].-]+\\.[[:alpha:]]{2,}", "???????##@??????.org"},
    {"\\p{L}+(?: \\p{L}+)*", "Zoë Ångström Mül"},
    {"[\\p{L} .'-]{1,40}", "Zoë Ångström Mül"},
    {".*\\berror\\b.*", "??? error ##########"},
    {"(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)){3}:\\d+",
     "1##.1##.1##.1##:####"},
    {"[^\\x00-\\x1f\\x{7f}-\\x{9f}]{1,100}", "???? ####, ???? ####"},
    {".{1,200}", "Café à ##### ?????"},
    {"\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])T\\d{2}:\\d{2}:\\d{2}(?:Z|[+-]\\d{2}:\\d{2}"
     ")",
     "2024-05-1#T##:##:##Z"},
    {"[A-Z]{2}\\d{2}(?: ?[A-Z0-9]{4}){3,7}", "^^##^^^^############"},
    {"(?m)(?:^\\S+$\\n?)+", "?????\n????\n????\n####"},
    {"(?s).*(?:DROP|SELECT|--).*", "????????? -- #######"},
    {"\\Qa.b\\E(?:\\x41|\\101|[^\\W\\d])+", "a.b^^^^^^^^^^^^^^^^^"},
};

// Whether the verdicts are RE2's, of texts that match and of such that end too early.
bool pattern(const PatternCase& of, std::int64_t rows) {
  const data::Column values = texts(rows, of.shape);
  const define::Source source =
      source_of("c = { type = \"string\", pattern = '''" + std::string(of.pattern) + "''' }\n");
  const std::vector<int> only = {source.schema.index_of("c")};
  const auto checks = *quality::RowChecks::compile(source, only);
  const data::Batch batch{
      {{source.schema.fields[static_cast<std::size_t>(only[0])]}}, {values}, values.size()};
  std::size_t bad = 0, bad_by_re2 = 0;
  const double ours = best_ns(rows, [&] { bad = checks->check(batch).size(); });
  const RE2 regex(of.pattern);
  const double by_re2 = best_ns(rows, [&] {
    bad_by_re2 = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::string_view text = values.string(i);
      bad_by_re2 += RE2::FullMatch(re2::StringPiece(text.data(), text.size()), regex) ? 0 : 1;
    }
  });
  std::printf("%-90s %6.1f ns a value, RE2 %6.1f%s\n", of.pattern, ours, by_re2,
              bad == bad_by_re2 ? "" : "  WRONG");
  return bad == bad_by_re2;
}

// Ten rules over seven columns, of a row alone.
void single_rows() {
  const std::string columns =
      "tail = { type = \"string\", pattern = \"N[0-9A-Z]{1,5}\" }\n"
      "origin = { type = \"string\", pattern = \"[A-Z]{3}\", max_length = 3 }\n"
      "destination = { type = \"string\", enum = [\"ATL\", \"ORD\", \"LAX\"] }\n"
      "delay = { type = \"int32\", min = -120, max = 3000 }\n"
      "distance = { type = \"float64\", min = 0, max = 6000 }\n"
      "seats = { type = \"int32\", nullable = true, min = 1 }\n";
  for (const char* checks : {"", "route = { row = \"origin <> destination\" }\n"}) {
    const define::Source source = source_of(columns, checks);
    const auto rules = *quality::RowChecks::compile(source);
    data::Batch row{source.schema, {}, 1};
    for (const data::Field& field : source.schema.fields) {
      data::ColumnBuilder builder(field.type);
      if (field.type == data::Type::string)
        builder.append_string(field.name == "tail"     ? "N123AA"
                              : field.name == "origin" ? "LAX"
                                                       : "ATL");
      else if (data::is_float(field.type))
        builder.append_real(100);
      else
        builder.append_integer(100);
      row.columns.push_back(builder.finish());
    }
    constexpr int kRows = 20'000;
    std::size_t bad = 0;
    const double ns = best_ns(kRows, [&] {
      for (int i = 0; i < kRows; ++i) bad += rules->check(row).size();
    });
    std::printf("one row, %2zu rules%-41s %8.1f ns a row, %zu bad\n", rules->rules().size(),
                *checks == '\0' ? "" : ", one an expression", ns, bad);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t rows = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  column("int32, null and range", "{ type = \"int32\", min = 0, max = 3000 }",
         numbers(data::Type::int32, rows, 0));
  column("int64, null and range, 2 % nulls",
         "{ type = \"int64\", nullable = true, min = 0, max = 3000 }",
         numbers(data::Type::int64, rows, 0.02));
  column("float64, null, finite and range", "{ type = \"float64\", min = 0, max = 3000 }",
         numbers(data::Type::float64, rows, 0));
  column("float64, null, finite and range, 3 % of rows above it",
         "{ type = \"float64\", min = 0, max = 2910 }", numbers(data::Type::float64, rows, 0));
  const data::Column distinct = texts(rows, kPatterns[0].shape);
  column("20 bytes, UTF-8 alone", "\"string\"", distinct);
  column("20 bytes, 3 to 20 characters", "{ type = \"string\", min_length = 3, max_length = 20 }",
         distinct);
  single_rows();
  bool right = true;
  for (const PatternCase& of : kPatterns) right = pattern(of, rows) && right;
  return right ? 0 : 1;
}
