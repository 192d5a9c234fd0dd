#include "serving/question_rules.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "define/project.h"

namespace coeval::serving {
namespace {

constexpr const char* kDefinition = R"toml([project]
name = "shop"
[source.orders]
time  = "ts"
known = "ts + 1h"
[source.orders.columns]
ts     = { type = "timestamp", known = "ts", min = 2001-01-01 }
amount = { type = "float64", known = "ts", min = 0, max = 1000 }
kind   = { type = "string", known = "ts", enum = ["card", "cash"], nullable = true }
)toml";

constexpr std::int64_t kDay2001 = 978'307'200'000'000;  // 2001-01-01

define::Source orders() {
  define::Checked checked = define::check_text(kDefinition, "coeval.toml");
  for (const Error& error : checked.errors) MESSAGE(one_line(error));
  REQUIRE(checked.project.has_value());
  return checked.project->sources[0];
}

struct Asked {
  std::int64_t ts;
  data::Value amount, kind;
};

/// Rows of (amount, kind, ts) with T = ts.
QuestionBatch questions(const define::Source& source, const std::vector<int>& columns,
                        const std::vector<Asked>& rows) {
  QuestionBatch batch;
  std::vector<data::ColumnBuilder> builders;
  for (const int column : columns) {
    batch.rows.schema.fields.push_back(source.schema.fields[static_cast<std::size_t>(column)]);
    builders.emplace_back(batch.rows.schema.fields.back().type);
  }
  for (const Asked& row : rows) {
    builders[0].append(row.amount);
    builders[1].append(row.kind);
    builders[2].append(data::Value{row.ts});
    batch.at_us.push_back(row.ts);
  }
  for (data::ColumnBuilder& builder : builders) batch.rows.columns.push_back(builder.finish());
  batch.rows.rows = static_cast<std::int64_t>(rows.size());
  return batch;
}

}  // namespace

TEST_CASE("every kind of declared rule holds for questions") {
  const define::Source source = orders();
  const std::vector<int> columns = {source.schema.index_of("amount"),
                                    source.schema.index_of("kind"), source.schema.index_of("ts")};
  const auto rules = quality::RowChecks::compile(source, columns);
  REQUIRE(rules.has_value());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  QuestionBatch batch = questions(source, columns,
                                  {{kDay2001, 1.0, std::string("card")},
                                   {kDay2001, -0.5, std::string("cheque")},
                                   {kDay2001 + 1, 1000.0, data::Value()},
                                   {kDay2001, nan, std::string("cash")},
                                   {kDay2001 - 1, data::Value(), std::string("cash")},
                                   {kDay2001 + 2, 0.0, std::string("cash")}});
  const std::vector<BadQuestion> bad = take_out_bad_questions(**rules, batch);
  REQUIRE(bad.size() == 3);
  CHECK(bad[0].row == 1);
  REQUIRE(bad[0].broken.size() == 2);
  CHECK(bad[0].broken[0].rule == "amount.min");
  CHECK(bad[0].broken[0].found.dump() == "-0.5");
  CHECK(bad[0].broken[1].rule == "kind.enum");
  CHECK(bad[0].broken[1].reason == "kind must be one of \"card\", \"cash\", found \"cheque\"");
  CHECK(bad[1].row == 3);
  REQUIRE(bad[1].broken.size() == 1);
  CHECK(bad[1].broken[0].rule == "amount.finite");
  CHECK(bad[1].broken[0].found.dump() == "\"NaN\"");
  CHECK(bad[2].row == 4);
  REQUIRE(bad[2].broken.size() == 2);
  CHECK(bad[2].broken[0].rule == "amount.null");
  CHECK(bad[2].broken[1].rule == "ts.min");

  // The others are as they were, each with its own time.
  REQUIRE(batch.rows.rows == 3);
  CHECK(batch.at_us == std::vector<std::int64_t>{kDay2001, kDay2001 + 1, kDay2001 + 2});
  CHECK(batch.rows.columns[0].real(0) == 1.0);
  CHECK(batch.rows.columns[0].real(1) == 1000.0);
  CHECK(batch.rows.columns[1].is_null(1));
  CHECK(batch.rows.columns[0].real(2) == 0.0);
}

TEST_CASE("good questions are left as they are") {
  const define::Source source = orders();
  const std::vector<int> columns = {source.schema.index_of("amount"),
                                    source.schema.index_of("kind"), source.schema.index_of("ts")};
  const auto rules = quality::RowChecks::compile(source, columns);
  QuestionBatch batch = questions(source, columns, {{kDay2001, 5.0, std::string("card")}});
  CHECK(take_out_bad_questions(**rules, batch).empty());
  CHECK(batch.rows.rows == 1);
  QuestionBatch none = questions(source, columns, {});
  CHECK(take_out_bad_questions(**rules, none).empty());
}

}  // namespace coeval::serving
