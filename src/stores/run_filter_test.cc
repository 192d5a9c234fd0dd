#include "stores/run_filter.h"

#include <doctest/doctest.h>

#include <random>

namespace coeval::stores {

namespace {

using Op = RunCondition::Op;
using Kind = RunFilter::Node::Kind;

RunFilter parsed(std::string_view text) {
  auto filter = parse_run_filter(text);
  if (!filter) FAIL(one_line(filter.error()));
  return std::move(*filter);
}

// The tree in brackets, to be compared with what a person reads.
std::string tree(const RunFilter& filter, int index) {
  const auto& node = filter.nodes[static_cast<std::size_t>(index)];
  if (node.kind == Kind::condition) return node.condition.field;
  const std::string left = tree(filter, node.left);
  if (node.kind == Kind::none) return "!" + left;
  return "(" + left + (node.kind == Kind::all ? " & " : " | ") + tree(filter, node.right) + ")";
}

std::string tree(std::string_view text) {
  const RunFilter filter = parsed(text);
  return tree(filter, filter.root);
}

RunCondition only(std::string_view text) {
  const RunFilter filter = parsed(text);
  REQUIRE(filter.nodes.size() == 1);
  return filter.nodes[0].condition;
}

}  // namespace

TEST_CASE("a condition has a field, an operator and a literal") {
  const RunCondition number = only("test.auc >= 0.77");
  CHECK(number.field == "test.auc");
  CHECK(number.op == Op::at_least);
  CHECK(std::get<double>(number.literal) == 0.77);
  CHECK(number.field_at.column == 1);
  CHECK(number.field_at.length == 8);
  CHECK(number.literal_at.column == 13);
  CHECK(std::get<double>(only("a<-1.5e-3").literal) == -1.5e-3);
  CHECK(std::get<double>(only("a = +.5").literal) == 0.5);
  CHECK(only("a != 1").op == Op::unequal);
  CHECK(only("a < 1").op == Op::less);
  CHECK(only("a <= 1").op == Op::at_most);
  CHECK(only("a > 1").op == Op::greater);
  CHECK(only("a = 1").op == Op::equal);
  CHECK(only("a is null").op == Op::missing);
  CHECK(only("a IS NOT NULL").op == Op::present);
  CHECK(std::get<std::string>(only("state = 'it''s'").literal) == "it's");
  CHECK(std::get<std::string>(only("state = \"a \"\"b\"\"\"").literal) == "a \"b\"");
  CHECK(std::get<std::string>(only("state = ''").literal).empty());
  CHECK(only("`slice.origin.São Paulo` > 0").field == "slice.origin.São Paulo");
  CHECK(only("recall@10 > 0").field == "recall@10");
}

TEST_CASE("and binds tighter than or, not tighter than both, brackets most") {
  CHECK(tree("a = 1 or b = 1 and c = 1") == "(a | (b & c))");
  CHECK(tree("a = 1 and b = 1 or c = 1") == "((a & b) | c)");
  CHECK(tree("(a = 1 or b = 1) and c = 1") == "((a | b) & c)");
  CHECK(tree("not a = 1 and b = 1") == "(!a & b)");
  CHECK(tree("not (a = 1 and b = 1)") == "!(a & b)");
  CHECK(tree("not not a = 1") == "!!a");
  CHECK(tree("a = 1 AND b = 1 Or c = 1") == "((a & b) | c)");
  CHECK(tree("a = 1 or b = 1 or c = 1") == "((a | b) | c)");
  CHECK(parsed("").root == -1);
  CHECK(parsed(" \t\n").root == -1);
}

TEST_CASE("what cannot be read is told with its place") {
  struct Bad {
    const char* text;
    int line, column;
    const char* says;
  };
  const Bad all[] = {
      {"test.auc", 1, 9, "found the end"},
      {"test.auc >=", 1, 12, "a number, or a text"},
      {"test.auc >= good", 1, 13, "neither a number nor a text"},
      {"a == 1", 1, 4, "a number, or a text"},
      {"a = 1 and", 1, 10, "a field"},
      {"a = 1 b = 2", 1, 7, "'and' or 'or'"},
      {"and a = 1", 1, 1, "a field"},
      {"(a = 1", 1, 7, "')'"},
      {"a = 1)", 1, 6, "'and' or 'or'"},
      {"a = 'x", 1, 5, "not closed"},
      {"a = 1.2.3", 1, 5, "no number"},
      {"a = 12abc", 1, 5, "no number"},
      {"a = 1e999", 1, 5, "no number"},
      {"a = nan", 1, 5, "neither"},
      {"a ~ 1", 1, 3, "means nothing"},
      {"a ! 1", 1, 3, "means nothing"},
      {"a; b", 1, 2, "means nothing"},
      {"a = 1 &&  b = 1", 1, 7, "means nothing"},
      {"1 = a", 1, 1, "a field"},
      {"'a' = 1", 1, 1, "a field"},
      {"a is 1", 1, 6, "'null'"},
      {"a is not b", 1, 10, "'null'"},
      {"a = 1 and\nb > ", 2, 5, "a number, or a text"},
      {"`São Paulo` = ", 1, 15, "a number, or a text"},
      {"not", 1, 4, "a field"},
      {"()", 1, 2, "a field"},
  };
  for (const Bad& bad : all) {
    CAPTURE(bad.text);
    const auto filter = parse_run_filter(bad.text);
    REQUIRE(!filter);
    CHECK(filter.error().code == Code::expression_syntax);
    CHECK(filter.error().position.file == kFilterOption);
    CHECK(filter.error().position.line == bad.line);
    CHECK(filter.error().position.column == bad.column);
    CAPTURE(filter.error().message);
    CHECK(filter.error().message.find(bad.says) != std::string::npos);
  }
}

TEST_CASE("filters have bounds") {
  std::string deep, many, levels;
  for (int i = 0; i < 100'000; ++i) deep += "(";
  CHECK(parse_run_filter(deep).error().code == Code::too_deep);
  CHECK(parse_run_filter(std::string(9'000, '(')).error().code == Code::too_deep);
  for (int i = 0; i < 2'000; ++i) deep += "not ";
  CHECK(parse_run_filter(std::string_view(deep).substr(100'000)).error().code == Code::too_deep);
  for (int i = 0; i < 100; ++i) many += (i > 0 ? " or a = 1" : "a = 1");
  CHECK(parse_run_filter(many).has_value());
  CHECK(parse_run_filter(many + " or a = 1").error().code == Code::too_deep);
  for (int i = 0; i < 49; ++i) levels += "(";
  CHECK(parse_run_filter(levels + "a = 1" + std::string(49, ')')).has_value());
}

TEST_CASE("no text breaks the parser") {
  const char* pieces[] = {"a",    "test.auc", "=",  "!=",   "<",   ">=",  "(",  ")",  "and",
                          "or",   "not",      "is", "null", "1",   "-",   "'",  "\"", "`",
                          "e",    ".",        "+",  " ",    "\n",  "é",   "\0", "\\", "%",
                          "0x1F", "1e",       "''", "🙂",   "x'y", "\xff"};
  std::mt19937 random(7);
  int read = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    for (auto left = random() % 12; left > 0; --left) {
      text += pieces[random() % std::size(pieces)];
      if (random() % 2 == 0) text += ' ';
    }
    const auto filter = parse_run_filter(text);
    if (filter) {
      ++read;
      const int nodes = static_cast<int>(filter->nodes.size());
      REQUIRE(filter->root < nodes);
      for (int i = 0; i < nodes; ++i) {
        const auto& node = filter->nodes[static_cast<std::size_t>(i)];
        REQUIRE((node.left < i && node.right < i));
        REQUIRE((node.kind == Kind::condition) == (node.left < 0));
      }
      continue;
    }
    const SourcePosition& at = filter.error().position;
    CAPTURE(text);
    REQUIRE(at.line >= 1);
    REQUIRE(at.column >= 1);
    REQUIRE(at.column <= static_cast<int>(text.size()) + 1);
    REQUIRE(at.length >= 1);
  }
  CHECK(read > 100);
}

}  // namespace coeval::stores
