#include "quality/broken_rules.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace coeval::quality {
namespace {

constexpr const char* kDefinition = R"toml([project]
name = "shop"
[source.orders]
time  = "ts"
known = "ts + 1h"
[source.orders.columns]
ts     = { type = "timestamp" }
user   = { type = "string", pattern = "u[0-9]+" }
amount = { type = "float64", min = 0, max = 1000 }
kind   = { type = "string", enum = ["card", "cash"], nullable = true }
[source.visits]
time  = "ts"
known = "event time"
[source.visits.columns]
ts   = { type = "timestamp" }
user = { type = "string", pattern = "[a-z][0-9]+", nullable = true }
page = { type = "int32", min = 1 }
)toml";

const define::Project& project() {
  static const define::Checked checked = define::check_text(kDefinition, "coeval.toml");
  REQUIRE(checked.project.has_value());
  return *checked.project;
}

data::Batch questions(const std::vector<data::Field>& fields,
                      const std::vector<std::vector<data::Value>>& rows) {
  data::Batch batch;
  batch.schema.fields = fields;
  batch.rows = static_cast<std::int64_t>(rows.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    data::ColumnBuilder builder(fields[i].type);
    for (const auto& row : rows) builder.append(row[i]);
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

const std::vector<data::Field> kFields = {{"user", data::Type::string, true},
                                          {"amount", data::Type::float64, true},
                                          {"kind", data::Type::string, true}};

int source(const char* name) {
  return static_cast<int>(std::ranges::find(project().sources, name, &define::Source::name) -
                          project().sources.begin());
}

std::string refusal(const std::vector<int>& sources, const data::Batch& batch) {
  const auto kept = check_questions(project(), sources, batch.schema, batch);
  if (kept) return "";
  CHECK(kept.error().code == Code::bad_row);
  return kept.error().message;
}

}  // namespace

TEST_CASE("questions from outside obey every kind of rule, and all that is wrong is named") {
  const std::vector orders = {source("orders")};
  CHECK(refusal(orders, questions(kFields, {{"u1", 5.0, "cash"}, {"u2", 1000.0, {}}})) == "");
  CHECK(refusal(orders, questions(kFields, {{"u1", 5.0, "cash"}, {"bob", 1001.0, "coin"}})) ==
        "1 question breaks the declared rules: row 1: user must match u[0-9]+, found \"bob\"; "
        "amount must be at most 1000, found 1001; kind must be one of \"card\", \"cash\", found "
        "\"coin\"");
  CHECK(refusal(orders, questions(kFields, {{{}, -1.0, {}}})) ==
        "1 question breaks the declared rules: row 0: user must not be null; amount must be at "
        "least 0, found -1");
}

TEST_CASE("of many bad questions the first three are named, and all are counted") {
  std::vector<std::vector<data::Value>> rows;
  for (int i = 0; i < 10; ++i) rows.push_back({"u1", i % 2 == 0 ? 1.0 : -1.0, "card"});
  const std::string text = refusal({source("orders")}, questions(kFields, rows));
  CHECK(text.starts_with("5 questions break the declared rules: row 1: "));
  CHECK(text.find("row 5: ") != std::string::npos);
  CHECK(text.find("row 7: ") == std::string::npos);
  CHECK(text.ends_with("; …"));
}

TEST_CASE(
    "a key of several sources must keep the rules of one; a column of no asked source, its own") {
  const std::vector both = {source("orders"), source("visits")};
  const std::vector visits = {source("visits")};
  const auto user = [](const char* name) { return questions({kFields[0]}, {{name}}); };
  CHECK(refusal(both, user("u7")) == "");
  CHECK(refusal(both, user("x7")) == "");  // a visitor who can never have ordered
  CHECK(refusal(both, user("X7")).starts_with("1 question breaks"));
  CHECK(refusal({source("orders")}, user("x7")).starts_with("1 question breaks"));
  CHECK(refusal(both, questions({kFields[0]}, {{data::Value{}}})) == "");  // null in visits
  CHECK(refusal(visits, questions({kFields[1]}, {{-1.0}})) ==
        "1 question breaks the declared rules: row 0: amount must be at least 0, found -1");
}

TEST_CASE("columns that no source has, or of another type, have no rules") {
  const std::vector orders = {source("orders")};
  CHECK(refusal(orders, questions({{"note", data::Type::string, true}}, {{"x"}})) == "");
  CHECK(refusal(orders, questions({{"amount", data::Type::int64, true}}, {{std::int64_t{-1}}})) ==
        "");
  CHECK(refusal(orders, questions(kFields, {})) == "");
}

}  // namespace coeval::quality
