#include "replay/plan_replay.h"

#include <doctest/doctest.h>

#include "define/project.h"

namespace coeval::replay {
namespace {

constexpr const char* kDefinition = R"toml(
[project]
name = "shop"
[source.orders]
path  = "orders.csv"
time  = "ts"
known = "ts + 30min"
[source.orders.columns]
ts     = { type = "timestamp", known = "ts" }
user   = { type = "string", known = "ts" }
shop   = { type = "string", known = "ts" }
amount = { type = "float64", known = "ts" }
bad    = { type = "int32" }
[view.user]
from    = "orders"
by      = ["user"]
windows = ["1d"]
n       = "count()"
mean    = "mean(amount)"
[features]
size = "amount / 2"
[model.risk]
question = { from = "orders", at = "ts" }
label    = "bad = 1"
inputs   = ["amount", "size", "user.*"]
split    = { train_until = 2024-03-01, validate_until = 2024-04-01, test_until = 2024-05-01 }
)toml";

// The reasons why what was served by kDefinition cannot be computed when one place is changed.
std::vector<std::string> obstacles(const std::string& from, const std::string& to) {
  std::string text = kDefinition;
  const auto before = define::check_text(text, "coeval.toml");
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  const auto after = define::check_text(text, "coeval.toml");
  for (const auto& error : after.errors) FAIL_CHECK(one_line(error));
  REQUIRE(before.project);
  REQUIRE(after.project);
  return obstacles_between(before.project->models[0], after.project->models[0]);
}

using Lines = std::vector<std::string>;

TEST_CASE("inputs that are made in another way can be compared, and so can new and moved ones") {
  CHECK(obstacles("bad = 1", "bad = 1") == Lines{});
  CHECK(obstacles("mean(amount)", "mean(amount) where amount > 3") == Lines{});
  CHECK(obstacles("amount / 2", "amount / 3") == Lines{});
  CHECK(obstacles("\"amount\", \"size\"", "\"size\", \"hour\", \"amount\"") == Lines{});
}

TEST_CASE("an input that is gone, or of another type, cannot be made anew") {
  CHECK(obstacles("\"size\", ", "") == Lines{"input 'size' is gone"});
  CHECK(obstacles("amount / 2", "amount > 2") == Lines{"input 'size' was float64 and is now bool"});
  CHECK(obstacles("mean    =", "average =") == Lines{"input 'user.mean_1d' is gone"});
}

TEST_CASE("what questions were not asked for cannot be read") {
  CHECK(obstacles("by      = [\"user\"]", "by      = [\"shop\"]") ==
        Lines{"questions were not asked for 'shop', which the new inputs read"});
}

}  // namespace
}  // namespace coeval::replay
