#include "quality/proposal.h"

#include <doctest/doctest.h>

#include "define/project.h"

namespace coeval::quality {
namespace {

using data::Type;
using data::Value;

ObservedFile flights() {
  ObservedFile file{"data/flights-3m.parquet", 3'000'000, {}};
  const auto add = [&](std::string name, Type type, std::int64_t nulls, std::optional<Value> least,
                       std::optional<Value> most, std::int64_t distinct) -> ObservedColumn& {
    ObservedColumn column;
    column.name = std::move(name);
    column.type = type;
    column.rows = file.rows;
    column.nulls = nulls;
    column.least = std::move(least);
    column.most = std::move(most);
    column.distinct = distinct;
    return file.columns.emplace_back(std::move(column));
  };
  const auto number = [](std::int64_t value) { return Value(value); };
  add("flight no", Type::int64, 0, number(1), number(3'000'000), 3'000'000);
  add("date", Type::timestamp, 0, number(978'307'200'000'000), number(988'675'200'000'000), 100'000)
      .distinct_is_exact = false;
  add("landed", Type::timestamp, 10, number(978'307'200'000'000), number(988'675'200'000'000), 90);
  add("distance", Type::int32, 0, number(21), number(4962), 1400);
  add("delay", Type::int32, 63'000, number(-120), number(1500), 1200);
  add("origin", Type::string, 0, {}, {}, 280);
  auto& status = add("status", Type::string, 0, {}, {}, 2);
  status.top = {{"late", 2'000'000}, {"on \"time\"", 1'000'000}};
  add("mail", Type::string, 0, {}, {}, 2'900'000).personal =
      PersonalColumn{"mail", PersonalKind::email, 511, 512};
  return file;
}

bool has(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  CHECK_MESSAGE(found, part << "\nis not in\n" << text);
  return found;
}

TEST_CASE("a proposal asks for the known time, and is a definition once it has an answer") {
  std::string text = propose_definition("flights", {flights()});
  const define::Checked unanswered = define::check_text(text, "coeval.toml");
  REQUIRE(unanswered.errors.size() == 1);
  CHECK(unanswered.errors[0].code == Code::no_known_time);

  const std::string question = "# known = \"date + 1h\"";
  REQUIRE(has(text, question));
  text.replace(text.find(question), 2, "");
  const define::Checked checked = define::check_text(text, "coeval.toml");
  for (const Error& error : checked.errors) FAIL_CHECK(error.message);
  REQUIRE(checked.project.has_value());
  const define::Source& source = checked.project->sources.at(0);
  CHECK(source.name == "flights_3m");
  CHECK(source.time_column == "date");
  CHECK(source.schema.fields.size() == 8);
  CHECK(source.columns[static_cast<std::size_t>(source.identity.id)].name == "flight no");
}

TEST_CASE("each line has its evidence") {
  const std::string text = propose_definition("flights", {flights()});
  has(text, "seen 21..4,962 in 3,000,000 rows");
  has(text, "seen -120..1,500 in 2,937,000 rows, 2.1 % null");
  has(text, "{ type = \"int32\", nullable = true }");
  has(text, "{ type = \"int32\", min = 0 }");
  has(text, "enum = [\"late\", \"on \\\"time\\\"\"]");
  has(text, "pii = true");
  has(text, "511 of 512 looked at are like an e-mail address");
  has(text, "Keys that views may count by: distance (1,400 values), delay (1,200 values), origin");
}

TEST_CASE("without a timestamp the event time is asked for too") {
  ObservedFile file{"a.csv", 3, {}};
  ObservedColumn column;
  column.name = "x";
  column.type = Type::int64;
  column.rows = column.distinct = 3;
  column.epoch_unit = "seconds";
  file.columns.push_back(column);
  const std::string text = propose_definition("p", {file});
  has(text, "# time = \"…\"");
  has(text, "looks like seconds since the epoch");
  const define::Checked checked = define::check_text(text, "coeval.toml");
  CHECK_FALSE(checked.project.has_value());
}

TEST_CASE("names of sources are names, and differ") {
  CHECK(source_name_of("data/flights-3m.parquet") == "flights_3m");
  CHECK(source_name_of("2024.csv.gz") == "source_2024");
  CHECK(source_name_of("/x/and.jsonl") == "source_and");
  CHECK(source_name_of("été.csv") == "__t__");
  const ObservedFile one{"a/x.csv", 0, {}}, two{"b/x.csv", 0, {}};
  const std::string text = propose_definition("p", {one, two});
  has(text, "[source.x]");
  has(text, "[source.x_2]");
}

TEST_CASE("a column that no definition can name is left as a comment") {
  ObservedFile file = flights();
  file.columns[3].name = "dist.ance";
  const std::string text = propose_definition("p", {file});
  has(text, "# \"dist.ance\"");
}

TEST_CASE("numbers for people") {
  CHECK(with_separators(0) == "0");
  CHECK(with_separators(999) == "999");
  CHECK(with_separators(1000) == "1,000");
  CHECK(with_separators(-1234567) == "-1,234,567");
}

}  // namespace
}  // namespace coeval::quality
