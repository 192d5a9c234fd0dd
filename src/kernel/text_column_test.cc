#include "kernel/text_column.h"

#include <doctest/doctest.h>

#include "kernel/evaluated_for_tests.h"

namespace coeval::kernel {
namespace {

TEST_CASE("a column of text that becomes too long is coded, with the same values") {
  for (const std::size_t room : {3, 5, 6, 8, 11, 100}) {
    CAPTURE(room);
    TextColumn texts(room);
    CHECK(texts.append("ab"));
    texts.append_null();
    CHECK(texts.append(""));
    for (int i = 0; i < 20; ++i) CHECK(texts.append("ab"));
    CHECK(texts.append("c"));
    texts.append_null();
    const data::Column column = texts.finish();
    REQUIRE(column.size() == 25);
    CHECK(column.is_coded() == (room < 43));
    CHECK(column.string(0) == "ab");
    CHECK(column.is_null(1));
    CHECK((!column.is_null(2) && column.string(2).empty()));
    CHECK(column.string(22) == "ab");
    CHECK(column.string(23) == "c");
    CHECK(column.is_null(24));
  }
}

TEST_CASE("distinct texts that still have no room are null, and the caller is told") {
  TextColumn texts(4);
  CHECK(texts.append("abc"));
  CHECK_FALSE(texts.append("de"));
  CHECK(texts.append("d"));
  CHECK(texts.append("abc"));
  CHECK_FALSE(texts.append("e"));
  const data::Column column = texts.finish();
  CHECK(column.string(0) == "abc");
  CHECK(column.is_null(1));
  CHECK(column.string(2) == "d");
  CHECK(column.string(3) == "abc");
  CHECK(column.is_null(4));
}

TEST_CASE("a text result with more distinct text than a column holds is counted") {
  std::vector<data::Value> words;
  for (int i = 0; i < 3000; ++i) words.emplace_back(std::to_string(1000 + i));
  const data::Batch batch = testing::batch_of(data::Type::string, words);
  const auto expr = define::compile_expression("concat('a', x)", batch.schema, false, "test");
  REQUIRE(expr);
  EvaluationCounts counts;
  const data::Column cut = evaluate(**expr, batch, {}, counts, 5 * 2500);
  CHECK(counts.texts_without_room == 500);
  CHECK(cut.string(2499) == "a3499");
  CHECK(cut.is_null(2500));
  counts = {};
  const data::Column whole = evaluate(**expr, batch, {}, counts, 5 * 3000);
  CHECK(counts.texts_without_room == 0);
  CHECK(whole.string(2999) == "a3999");
}

}  // namespace
}  // namespace coeval::kernel
