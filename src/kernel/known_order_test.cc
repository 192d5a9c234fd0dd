#include "define/known_order.h"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <random>

#include "base/rounds_for_tests.h"
#include "base/time.h"
#include "kernel/evaluate.h"

namespace coeval::kernel {
namespace {

using data::Type;

// A row of times, numbers with and without a declared minimum, and a text.
define::Source some_source() {
  define::Source source;
  const auto add = [&](const char* name, Type type, std::optional<data::Value> min) {
    define::SourceColumn column;
    column.name = name;
    column.type = type;
    column.nullable = true;
    column.min = std::move(min);
    source.schema.fields.push_back({name, type, true});
    source.columns.push_back(std::move(column));
  };
  add("ts", Type::timestamp, {});
  add("us", Type::timestamp, {});
  add("n", Type::int32, std::int64_t{0});
  add("m", Type::int64, std::int64_t{-3});
  add("z", Type::int64, {});
  add("p", Type::float64, 0.0);
  add("q", Type::float64, -1.5);
  add("f", Type::float32, 0.0);
  add("r", Type::float64, {});
  add("s", Type::string, {});
  add("b", Type::boolean, {});
  return source;
}

class RandomText {
 public:
  explicit RandomText(std::uint64_t seed) : random_(seed) {}

  std::string number(int depth) {
    if (depth == 0)
      return one_of({"n", "m", "z", "p", "q", "f", "r", "0", "1", "2.5", "-4", "n", "p"});
    const std::string a = number(depth - 1), b = number(depth - 1);
    switch (random_() % 24) {
      case 0:
        return "(" + a + " + " + b + ")";
      case 1:
        return "(" + a + " - " + one_of({"1", "0.5", "-2"}) + ")";
      case 2:
        return "(" + a + " * " + b + ")";
      case 3:
        return "(" + a + " / " + b + ")";
      case 4:
        return "abs(" + a + ")";
      case 5:
        return "clamp(" + a + ", " + b + ", " + number(0) + ")";
      case 6:
        return "greatest(" + a + ", " + b + ")";
      case 7:
        return "least(" + a + ", " + b + ")";
      case 8:
        return "if(b, " + a + ", " + b + ")";
      case 9:
        return "coalesce(" + a + ", " + b + ")";
      case 10:
        return "length(s)";
      case 11:
        return "floor(" + a + ")";
      case 12:
        return "ceil(" + a + ")";
      case 13:
        return "round(" + a + ", " + one_of({"0", "1", "-1"}) + ")";
      case 14:
        return "trunc(" + a + ")";
      case 15:
        return "sqrt(" + a + ")";
      case 16:
        return "sign(" + a + ")";
      case 17:
        return one_of({"hour(ts)", "day(us)", "week(ts)", "quarter(ts)", "weekday(us)"});
      case 18:
        return "case when b then " + a + " when n > 3 then " + b + " else 0 end";
      case 19:
        return "nullif(" + a + ", " + b + ")";
      case 20:
        return "(cast(" + a + " as int64) % 7)";
      case 21:
        return "cast(" + a + " as " + one_of({"int64", "float32", "bool"}) + ")";
      case 22:
        return "exp(" + a + ")";
      default:
        return "width_bucket(" + a + ", 0, 10, 5)";
    }
  }

  std::string duration() {
    if (random_() % 3 == 0) return one_of({"5min", "90s", "0s", "2h", "7us"});
    return one_of({"minutes", "seconds", "hours"}) + "(" + number(static_cast<int>(random_() % 3)) +
           ")";
  }

  std::string time(int depth) {
    if (depth == 0) return one_of({"ts", "ts", "ts", "us"});
    const std::string a = time(depth - 1), b = time(depth - 1);
    switch (random_() % 9) {
      case 0:
        return "greatest(" + a + ", " + b + ")";
      case 1:
        return "least(" + a + ", " + b + ")";
      case 2:
        return "if(b, " + a + ", " + b + ")";
      case 3:
        return "coalesce(" + a + ", " + b + ")";
      case 4:
        return "date_trunc('" + one_of({"hour", "day", "week", "month", "minute"}) + "', " + a +
               ")";
      case 5:
        return "(" + a + " - " + duration() + ")";
      case 6:
        return "case when n > 3 then " + a + " else " + b + " end";
      default:
        return "(" + a + " + " + duration() + ")";
    }
  }

 private:
  std::string one_of(std::initializer_list<const char*> words) {
    return *(words.begin() + random_() % words.size());
  }
  std::mt19937_64 random_;
};

// Rows that keep the declared minima; small values, so that equal ones and edges come up.
data::Batch random_rows(const define::Source& source, std::mt19937_64& random, int rows) {
  data::Batch batch;
  batch.schema = source.schema;
  batch.rows = rows;
  for (const auto& column : source.columns) {
    data::ColumnBuilder builder(column.type);
    for (int row = 0; row < rows; ++row) {
      if (random() % 12 == 0) {
        builder.append_null();
        continue;
      }
      const auto small = static_cast<std::int64_t>(random() % 9) - 4;
      switch (column.type) {
        case Type::timestamp:
          // Around the midnights that São Paulo's clocks leapt over and showed twice.
          builder.append_integer(
              *parse_time(random() % 2 == 0 ? "2001-10-14T03:00:00Z" : "2002-02-17T02:00:00Z") +
              small * 30 * kMinuteUs);
          break;
        case Type::boolean:
          builder.append_boolean(random() % 2 == 0);
          break;
        case Type::string:
          builder.append_string(std::string(random() % 4, 'x'));
          break;
        case Type::float32:
        case Type::float64: {
          const std::array values = {-0.0, 0.0, 0.1, 1e-300, 7.3, 1e9, -1.5, -0.4, -1e6};
          double value = values[random() % values.size()];
          const auto* min = column.min ? std::get_if<double>(&*column.min) : nullptr;
          if (min != nullptr && value < *min) value = *min;
          builder.append_real(value);
          break;
        }
        default: {
          const auto* min = column.min ? std::get_if<std::int64_t>(&*column.min) : nullptr;
          builder.append_integer(min != nullptr ? std::max(*min, small) : small);
        }
      }
    }
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

struct Proofs {
  int tried = 0, proved = 0;
};

// semantics: D2. What is proved is never refuted by a row.
Proofs play(const TimeZone* zone, std::uint64_t seed, int rounds) {
  const define::Source source = some_source();
  const define::KnownOrder order(source);
  define::Project project;
  project.zone = zone;
  RandomText text(seed);
  std::mt19937_64 random(seed);
  Proofs proofs;
  for (int round = 0; round < rounds; ++round) {
    const std::string a_text = text.time(static_cast<int>(random() % 3));
    const std::string b_text = text.time(static_cast<int>(random() % 4));
    const auto a = define::compile_expression(a_text, source.schema, false, "a", &project);
    const auto b = define::compile_expression(b_text, source.schema, false, "b", &project);
    if (!a || !b) continue;  // a type that the random text got wrong
    ++proofs.tried;
    if (!order.at_most(**a, **b)) continue;
    ++proofs.proved;
    const data::Batch rows = random_rows(source, random, 200);
    EvaluationCounts counts;
    const data::Column left = evaluate(**a, rows, {}, counts),
                       right = evaluate(**b, rows, {}, counts);
    for (std::int64_t row = 0; row < rows.rows; ++row)
      if (!left.is_null(row) && !right.is_null(row) && left.integer(row) > right.integer(row))
        FAIL(a_text << " is not at most " << b_text << " in row " << row);
  }
  return proofs;
}

TEST_CASE("an order that was proved is kept by every row, whatever the zone") {
  const auto zone = TimeZone::find("America/Sao_Paulo");
  REQUIRE(zone);
  const Proofs utc = play(nullptr, 1, test_rounds(60'000)),
               local = play(*zone, 2, test_rounds(60'000));
  MESSAGE((utc.proved + local.proved) << " of " << (utc.tried + local.tried) << " proved");
  CHECK(utc.tried + local.tried > test_rounds(60'000));
  CHECK(utc.proved + local.proved > test_rounds(6'000));
}

TEST_CASE("no row is below a number's lower bound") {
  const define::Source source = some_source();
  const define::KnownOrder order(source);
  RandomText text(3);
  std::mt19937_64 random(4);
  int bounded = 0;
  for (int round = 0; round < test_rounds(60'000); ++round) {
    const std::string written = text.number(1 + static_cast<int>(random() % 3));
    const auto expr = define::compile_expression(written, source.schema, false, "x");
    if (!expr) continue;
    const auto bound = order.lower_bound(**expr);
    if (!bound) continue;
    ++bounded;
    const data::Batch rows = random_rows(source, random, 100);
    EvaluationCounts counts;
    const data::Column values = evaluate(**expr, rows, {}, counts);
    for (std::int64_t row = 0; row < rows.rows; ++row) {
      if (values.is_null(row)) continue;
      const double value = data::is_float(values.type()) ? values.real(row)
                                                         : static_cast<double>(values.integer(row));
      if (value < *bound) FAIL(written << " is " << value << " in a row, below " << *bound);
    }
  }
  MESSAGE(bounded << " bounded");
  CHECK(bounded > test_rounds(10'000));
}

}  // namespace
}  // namespace coeval::kernel
